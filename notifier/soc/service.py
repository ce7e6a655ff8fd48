"""`loginward run outputs`: one process that reads alerts, serves each output and pages people."""

from __future__ import annotations

import asyncio
from contextlib import closing, suppress
from typing import Any, Final

import structlog
from aiokafka import AIOKafkaConsumer
from aiokafka.errors import KafkaError
from prometheus_client import CollectorRegistry

from config import kafka as to_kafka
from config.service import run_service
from config.settings import KafkaSettings, Settings
from config.topics import TopicName
from detectors.errors import LoginwardError, escaped

from . import build
from .campaigns import Campaigns
from .intake import Intake
from .item import Kind
from .metrics import SocMetrics
from .metrics import build as build_metrics
from .output import Output
from .pager import Pager
from .paging import Limits, Paging
from .policy import Governance
from .queue import Queue
from .store import only_one, open_store
from .ticks import Ticks, milliseconds
from .undelivered import ROSTER, Watch
from .worker import Worker

_LEAVE_S: Final = 10.0

log = structlog.get_logger(__name__)


def wanted(settings: Settings) -> bool:
    """Whether there is anything for it to do."""
    return settings.outputs.configured or settings.roster.file is not None


def run_outputs(settings: Settings) -> int:
    """Run until SIGTERM or SIGINT; what is undelivered stays in the queue. Returns 0.

    Raises LoginwardError for a setting that cannot be used, or where another serves the queue.
    """
    if not wanted(settings):
        raise LoginwardError(
            "outputs: none is configured; set outputs.webhook_url, outputs.syslog_address or "
            "roster.file (docs/outputs.md)"
        )
    registry = CollectorRegistry()
    metrics = build_metrics(registry)
    with (
        only_one(settings.outputs.queue),
        closing(open_store(settings.outputs.queue)) as store,
    ):
        queue = Queue(store, build.names(settings), milliseconds)
        run_service(
            "outputs",
            settings.metrics,
            registry,
            lambda stop: serve(settings, queue, build.outputs(settings), metrics, stop),
        )
    return 0


async def serve(
    settings: Settings,
    queue: Queue,
    outputs: list[Output],
    metrics: SocMetrics,
    stop: asyncio.Event,
) -> None:
    """Everything at once, until `stop`; one task that fails ends them all."""
    for name, count in queue.forget_others().items():
        log.warning("output is no longer configured", output=name, undelivered=count)
    who = build.roster(settings)
    watch = Watch(queue, metrics, settings.outputs.undelivered_after)
    workers = [
        Worker(output=output, queue=queue, metrics=metrics, now=milliseconds) for output in outputs
    ]
    rules = Governance(settings)
    limits = Limits(quiet=rules.quiet, per_hour=settings.roster.pages_per_hour)
    paging = None
    if who.levels:
        campaigns = Campaigns(queue.store)
        paging = Paging(queue, limits, rules.suppressed, metrics, campaigns)
    ticks = Ticks(
        paging=paging,
        pager=Pager(
            store=queue.store,
            roster=who,
            ways=build.ways(settings, who),
            metrics=metrics,
            unreachable=lambda now: _discard(watch.broken(ROSTER, 1, now, now)),
            reached=lambda now: _discard(watch.mended(ROSTER, now)),
        ),
        watch=watch,
        queue=queue,
        keep=settings.outputs.keep,
    )

    def wake() -> None:
        for worker in workers:
            worker.woken.set()

    consumer = AIOKafkaConsumer(**consumer_options(settings.kafka))
    topics: dict[TopicName, Kind] = {"alerts": "alert", "incidents": "incident"}
    intake = Intake(
        consumer,
        queue,
        topics={to_kafka.topic_name(settings.kafka, name): kind for name, kind in topics.items()},
        ids=lambda names: to_kafka.topic_ids(settings.kafka, names),
        wake=wake,
        metrics=metrics,
    )
    log.info("outputs started", outputs=queue.outputs, people=len(who.people))
    reading = asyncio.create_task(_read(settings.kafka, consumer, intake, stop))
    tasks = [reading, *(asyncio.create_task(worker.run(stop)) for worker in workers)]
    tasks.append(asyncio.create_task(ticks.run(stop)))
    done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
    stop.set()
    await asyncio.gather(*tasks, return_exceptions=True)
    for task in done:
        task.result()
    log.info("outputs stopped")


async def _read(kafka: KafkaSettings, consumer: Any, intake: Intake, stop: asyncio.Event) -> None:
    """Join, read, leave. Brokers may be away at the start: what is queued goes out meanwhile."""
    await _joined(kafka, consumer, stop)
    try:
        if not stop.is_set():
            consumer.subscribe(list(intake.topics), listener=intake)
            await intake.run(stop)
    finally:
        # In a task: with a dead broker aiokafka's stop ends in a CancelledError of its own tasks.
        leaving = asyncio.create_task(consumer.stop())
        await asyncio.wait({leaving}, timeout=_LEAVE_S)


async def _joined(kafka: KafkaSettings, consumer: Any, stop: asyncio.Event) -> None:
    while not stop.is_set():
        try:
            await asyncio.to_thread(to_kafka.ensure_topics, kafka)
            await consumer.start()
        except (KafkaError, LoginwardError, OSError) as failure:
            log.warning("Kafka does not answer", error=escaped(str(failure), 300))
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), 1.0)
        else:
            return


def consumer_options(kafka: KafkaSettings) -> dict[str, Any]:
    """How the consumer of alerts is made: our own group, nothing committed by itself."""
    session = int(kafka.session_timeout.total_seconds() * 1000)
    return to_kafka.aiokafka_options(kafka) | {
        "group_id": to_kafka.group_name(kafka, "outputs"),
        "enable_auto_commit": False,
        "auto_offset_reset": "earliest",
        "isolation_level": "read_committed",  # incidents are written in transactions
        "session_timeout_ms": session,
        "heartbeat_interval_ms": session // 3,
        "metadata_max_age_ms": 10_000,
        "retry_backoff_ms": 500,
    }


def _discard(_: object) -> None:
    """For calls whose answer is of no use here."""
