"""The process: reads all of `alerts` at its start, then folds what comes and tells what is new.

State is the topics alone: killed anywhere, it reads again and goes on with the next revision. One
process tells at a time: a newer one fences the older by its transactional id.
"""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from typing import Any, Final

import msgspec
import structlog
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.errors import KafkaError
from prometheus_client import CollectorRegistry

from config import kafka as to_kafka
from config.failpoints import hit
from config.service import run_service
from config.settings import KafkaSettings, Settings
from detectors import alerts, incidents
from detectors.errors import LoginwardError, escaped
from detectors.incidents import Incident
from detectors.incidents.fold import Fold
from detectors.incidents.news import News

from .metrics import IncidentMetrics, build
from .whole import places_of, to_the_end, told_so_far

_FETCH_MS: Final = 500
_AT_ONCE: Final = 5_000
_LOOK_S: Final = 5.0
"""Without anything new it is looked whether an incident is over, this often."""
_FORGET_S: Final = 600.0
_TRANSACTION_MS: Final = 15_000
_OURS: Final = 70

log = structlog.get_logger(__name__)


def run_incidents(settings: Settings) -> int:
    """Run until SIGTERM or SIGINT. 70: telling failed, or another process took over."""
    registry = CollectorRegistry()
    metrics = build(registry)
    return run_service(
        "incidents", settings.metrics, registry, lambda stop: serve(settings.kafka, metrics, stop)
    )


async def serve(kafka: KafkaSettings, metrics: IncidentMetrics, stop: asyncio.Event) -> int:
    """Fold and tell until `stop`."""
    await _ready(kafka, stop)
    if stop.is_set():
        return 0
    options = to_kafka.aiokafka_options(kafka)
    group = to_kafka.group_name(kafka, "incidents")
    consumer = AIOKafkaConsumer(**options, group_id=group, enable_auto_commit=False)
    producer = AIOKafkaProducer(
        **to_kafka.producer_options(kafka),
        transactional_id=group,
        transaction_timeout_ms=_TRANSACTION_MS,
        max_request_size=to_kafka.TOPICS["incidents"].largest,
    )
    try:
        await producer.start()  # from here on an older process cannot tell anything
        await consumer.start()
        telling = _Telling(kafka, consumer, producer, metrics)
        await telling.rebuild()
        while not stop.is_set():
            await telling.turn()
    except (KafkaError, LoginwardError, OSError) as failure:
        log.error("incidents end", error=escaped(f"{type(failure).__name__}: {failure}", 300))  # noqa: TRY400 (told in a sentence)
        return _OURS
    finally:
        for client in (consumer, producer):
            with suppress(KafkaError, OSError):
                await client.stop()
    return 0


async def _ready(kafka: KafkaSettings, stop: asyncio.Event) -> None:
    """Brokers may be away at the start."""
    while not stop.is_set():
        try:
            await asyncio.to_thread(to_kafka.ensure_topics, kafka)
        except (KafkaError, LoginwardError, OSError) as failure:
            log.warning("Kafka does not answer", error=escaped(str(failure), 300))
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), 1.0)
        else:
            return


class _Telling:
    """Reads with `consumer`, which owns every partition of `alerts`, tells by `producer`."""

    def __init__(
        self, kafka: KafkaSettings, consumer: Any, producer: Any, metrics: IncidentMetrics
    ) -> None:
        self._kafka = kafka
        self._consumer = consumer
        self._producer = producer
        self._metrics = metrics
        self._alerts = to_kafka.topic_name(kafka, "alerts")
        self._incidents = to_kafka.topic_name(kafka, "incidents")
        self._fold = Fold()
        self._news = News(self._fold)
        self._looked = self._forgot = 0.0

    async def rebuild(self) -> None:
        """Read what was told, and every alert there is, before anything is told."""
        begun = time.monotonic()
        told = await told_so_far(self._kafka)
        self._fold = Fold(one.opened_with for one in told.values() if one.status != "merged")
        self._news = News(self._fold, told.values())
        async for records in to_the_end(self._consumer, self._alerts):
            self._take(records)
        log.info(
            "incidents started",
            alerts=len(self._fold),
            incidents=len(told),
            seconds=round(time.monotonic() - begun, 1),
        )
        await self._look()

    async def turn(self) -> None:
        """Read once; tell where there is something."""
        batch = await self._consumer.getmany(timeout_ms=_FETCH_MS, max_records=_AT_ONCE)
        fresh = self._take([record for records in batch.values() for record in records])
        hit("incidents.read")
        if fresh or time.monotonic() - self._looked >= _LOOK_S:
            await self._look()
        if batch:
            await self._commit()

    def _take(self, records: list[Any]) -> bool:
        fresh = False
        for record in records:
            if record.value is None:
                continue
            try:
                fresh = self._fold.add(alerts.decode(record.value)) or fresh
            except (msgspec.DecodeError, ValueError) as failure:
                # It stays in the topic and in the archive; it belongs to nothing.
                self._metrics.unreadable.inc()
                log.error(  # noqa: TRY400 (the place says more than a traceback)
                    "record belongs to no incident",
                    partition=record.partition,
                    offset=record.offset,
                    error=escaped(str(failure), 300),
                )
        return fresh

    async def _look(self) -> None:
        now = time.time_ns() // 1_000_000
        self._looked = time.monotonic()
        due = self._news.look(now)
        if due:
            await self._tell(due)
        if self._looked - self._forgot >= _FORGET_S:
            self._forgot = self._looked
            self._fold.forget(now)
            if len(await places_of(self._consumer, self._alerts)) != len(
                self._consumer.assignment()
            ):
                raise LoginwardError(f"{self._alerts}: has more partitions now; start again")
        self._metrics.alerts.set(len(self._fold))

    async def _tell(self, due: list[Incident]) -> None:
        """All of a look or none: who reads committed records never sees half of a merger."""
        hit("incidents.before_send")
        async with self._producer.transaction():
            for incident in due:
                await self._producer.send_and_wait(
                    self._incidents,
                    incidents.encode(incident),
                    key=incident.incident_id.encode(),
                )
            hit("incidents.before_commit")
        hit("incidents.after_commit")
        self._news.note(due)
        for incident in due:
            self._metrics.told.labels(incident.status).inc()
            log.info(
                "incident",
                incident=incident.incident_id,
                revision=incident.revision,
                status=incident.status,
                severity=incident.severity,
                hit=len(incident.accounts_hit),
            )

    async def _commit(self) -> None:
        """For displays of lag alone; every start reads from the beginning."""
        with suppress(KafkaError):
            await self._consumer.commit()
