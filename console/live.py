"""Reads logins, judged, alerts and incidents beside the pipeline and keeps a read model up to date.

It joins no consumer group and commits nothing: it can be started and ended at any time, and nothing
that judges or archives notices. It reads every login, so it is for a demo or a small installation.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Collection, Mapping
from typing import Any, Self

import msgspec
import structlog
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from config.kafka import TopicName, aiokafka_options, group_name, topic_name
from config.settings import KafkaSettings
from detectors import alerts, incidents
from detectors.alerts import Alert
from detectors.errors import Rejected, escaped
from detectors.events import LoginEvent
from detectors.incidents import Incident
from detectors.pseudonyms import Pseudonyms
from detectors.wire import decode

from .picture import Counts, Picture
from .read_model import JudgedBatch, ReadModel

POLL_MS = 200
"""How long one fetch waits: an alert is on the screen that much later at the most."""

POSITIONS_EVERY_S = 1.0
_RETRY_S = 1.0
_STOP_WITHIN_S = 10.0
_TOPICS: tuple[TopicName, ...] = ("logins", "judged", "alerts", "incidents")

log = structlog.get_logger(__name__)


class LiveFeed:
    """A thread that folds four topics, from their beginning, into a ReadModel.

    As a context manager it reads inside the block. With `pseudonyms` logins are shown with their
    account's pseudonym, without them with none.
    """

    def __init__(
        self,
        kafka: KafkaSettings,
        *,
        pseudonyms: Pseudonyms | None = None,
    ) -> None:
        self._kafka = kafka
        self._pseudonyms = pseudonyms
        self._model = ReadModel()
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._problem = ""
        self._thread = threading.Thread(target=self._run, name="live-feed", daemon=True)
        self._decode_batch = msgspec.json.Decoder(JudgedBatch).decode

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(_STOP_WITHIN_S)

    def picture(self, now_ms: int | None = None) -> Picture:
        """The screen now (or at `now_ms`)."""
        with self._lock:
            at = int(time.time() * 1000) if now_ms is None else now_ms
            return self._model.picture(at, problem=self._problem)

    def counts(self) -> Counts:
        """What became of the records judged so far."""
        with self._lock:
            return self._model.counts

    def current_alerts(self) -> dict[str, Alert]:
        """The highest revision of each alert, by id."""
        with self._lock:
            return self._model.current_alerts()

    def incidents(self) -> tuple[Incident, ...]:
        """Campaigns as they stand, the newest first."""
        with self._lock:
            return self._model.incidents()

    def told(self) -> list[tuple[Alert, int]]:
        """Each alert with the time (ms) at which its first revision reached `alerts`."""
        with self._lock:
            return self._model.told()

    def _run(self) -> None:
        asyncio.run(self._follow())

    async def _follow(self) -> None:
        while not self._stop.is_set():
            try:
                await self._read()
            except (KafkaError, OSError) as failure:
                self._told(f"Kafka does not answer: {type(failure).__name__}")
                log.warning("live feed lost Kafka", error=escaped(str(failure)))
                await asyncio.sleep(_RETRY_S)
            # From the beginning again: a fold that has missed nothing is the same fold.
            if not self._stop.is_set():
                with self._lock:
                    self._model = ReadModel()

    async def _read(self) -> None:
        options = aiokafka_options(self._kafka)
        consumer = AIOKafkaConsumer(
            **options,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            isolation_level="read_committed",  # incidents are written in transactions
        )
        admin = AIOKafkaAdminClient(**options)
        try:
            await consumer.start()
            await admin.start()
            names = {topic_name(self._kafka, topic): topic for topic in _TOPICS}
            consumer.assign(await _places(admin, names))
            await consumer.seek_to_beginning()
            self._told("")
            await self._fold_until_stopped(consumer, admin, names)
        finally:
            await consumer.stop()
            await admin.close()

    async def _fold_until_stopped(
        self, consumer: Any, admin: Any, names: Mapping[str, str]
    ) -> None:
        looked = 0.0
        while not self._stop.is_set():
            batch = await consumer.getmany(timeout_ms=POLL_MS)
            for place, records in batch.items():
                for record in records:
                    self._fold(names[place.topic], record)
            if time.monotonic() - looked > POSITIONS_EVERY_S:
                await self._look(consumer, admin)
                looked = time.monotonic()

    def _fold(self, topic: str, record: Any) -> None:
        try:
            if topic == "logins":
                event = decode(record.value)
                name = self._name_of(event)
                with self._lock:
                    self._model.login(event, record.timestamp, name)
            elif topic == "judged":
                batch = self._decode_batch(record.value)
                with self._lock:
                    self._model.judged(batch)
            elif topic == "incidents" and record.value is not None:
                incident = incidents.decode(record.value)
                with self._lock:
                    self._model.incident(incident)
            elif record.value is not None:
                alert = alerts.decode(record.value)
                with self._lock:
                    self._model.alert(alert, record.timestamp)
        except Rejected:
            return  # detect keeps it in `logins.rejected` and counts it in `judged`
        except msgspec.DecodeError as failure:
            log.warning("unreadable record", topic=topic, error=escaped(str(failure)))

    def _name_of(self, event: LoginEvent) -> str:
        if self._pseudonyms is None or event.account is None:
            return ""
        return self._pseudonyms.account(event.account)

    async def _look(self, consumer: Any, admin: Any) -> None:
        name = topic_name(self._kafka, "logins")
        places = [place for place in consumer.assignment() if place.topic == name]
        ends = await consumer.end_offsets(places)
        group = group_name(self._kafka, "archive")
        try:
            sealed = await admin.list_consumer_group_offsets(group, partitions=places)
        except KafkaError as failure:
            if failure.retriable:  # a coordinator that still loads: the next look will tell
                return
            raise
        with self._lock:
            self._model.positions(
                {place.partition: end for place, end in ends.items()},
                {place.partition: max(0, found.offset) for place, found in sealed.items()},
            )

    def _told(self, problem: str) -> None:
        with self._lock:
            self._problem = problem


async def _places(admin: Any, names: Collection[str]) -> list[TopicPartition]:
    """Every partition of the topics."""
    described = await admin.describe_topics(list(names))
    found = [
        TopicPartition(topic["topic"], partition["partition"])
        for topic in described
        for partition in topic["partitions"]
    ]
    missing = sorted(set(names) - {place.topic for place in found})
    if missing:
        raise KafkaError(f"topics {', '.join(missing)}: not known to the brokers")
    return found
