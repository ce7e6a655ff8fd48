"""Starting the archiver as a process: the consumer, the signals, and a clean end."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import structlog
from aiokafka import AIOKafkaConsumer
from prometheus_client import CollectorRegistry

from config import kafka as to_kafka
from config.service import run_service
from config.settings import KafkaSettings, Settings
from config.topics import TopicName
from detectors.pseudonyms import Pseudonyms

from . import metrics as published
from .archiver import Archiver, Clocks, Limits
from .durable import make_folder
from .keys import ensure_keys
from .metrics import ArchiveMetrics
from .partition import Store

_log = structlog.get_logger(__name__)

ARCHIVED: tuple[TopicName, ...] = (
    "logins",
    "logins.rejected",
    "judged",
    "alerts",
    "verdicts",
    "incidents",
    "notices",
    "confirmations",
)
"""All of them: what was decided and said is evidence as much as the logins."""

_LONGEST_TURN_MS = 600_000
"""A seal on a disk that hangs must not cost the membership; the exclusive link guards anyway."""

_TOPICS_KNOWN_MS = 10_000
"""A topic made anew is noticed after this; with the client's 5 minutes it waited as long."""

_LEAVE_PATIENCE = 10.0
"""Seconds in which Kafka may answer that we leave; after that it finds out by itself."""


def run_archive(
    settings: Settings,
    pseudonyms: Pseudonyms,
    *,
    topics: Sequence[TopicName] = ARCHIVED,
) -> int:
    """Archive until SIGTERM or SIGINT; pending records are sealed before it returns 0.

    Missing topics are made. Raises LoginwardError for a key or setting that cannot be used.
    """
    to_kafka.ensure_topics(settings.kafka)
    registry = CollectorRegistry()
    metrics = published.build(registry)
    run_service(
        "archive",
        settings.metrics,
        registry,
        lambda stop: run(settings, pseudonyms, stop, topics=topics, metrics=metrics),
    )
    return 0


async def run(
    settings: Settings,
    pseudonyms: Pseudonyms,
    stop: asyncio.Event,
    *,
    metrics: ArchiveMetrics,
    topics: Sequence[TopicName] = ARCHIVED,
) -> None:
    """Archive `topics`, which exist, until `stop` is set; else as `run_archive`."""
    archive = settings.archive
    make_folder(archive.directory)
    store = Store(
        root=archive.directory,
        keys=ensure_keys(archive.key_file, archive.directory),
        pseudonyms=pseudonyms,
    )
    names = {to_kafka.topic_name(settings.kafka, topic): topic for topic in topics}
    consumer = AIOKafkaConsumer(**consumer_options(settings.kafka))
    archiver = Archiver(
        consumer,
        store,
        topics=names,
        topic_ids=lambda wanted: to_kafka.topic_ids(settings.kafka, wanted),
        limits=Limits(
            records=archive.segment_records, interval=archive.segment_interval.total_seconds()
        ),
        clocks=Clocks(elapsed=time.monotonic, now=lambda: datetime.now(UTC)),
        metrics=metrics,
    )
    await consumer.start()
    try:
        consumer.subscribe(list(names), listener=archiver)
        _log.info("archive started", directory=str(archive.directory), topics=list(names))
        await archiver.run(stop)
    finally:
        await _leave(consumer)
    _log.info("archive stopped")


async def _leave(consumer: Any) -> None:
    """Leave the group and close, in bounded time: everything that matters is sealed already."""
    # In a task: with a dead broker aiokafka's stop ends in a CancelledError of its own tasks.
    closing = asyncio.create_task(consumer.stop())
    await asyncio.wait({closing}, timeout=_LEAVE_PATIENCE)
    if not closing.done() or closing.cancelled() or closing.exception() is not None:
        _log.info("archive could not leave its group; Kafka notices after the session timeout")


def consumer_options(kafka: KafkaSettings) -> dict[str, Any]:
    """How the archiver's AIOKafkaConsumer is made."""
    session = int(kafka.session_timeout.total_seconds() * 1000)
    return to_kafka.aiokafka_options(kafka) | {
        "group_id": to_kafka.group_name(kafka, "archive"),
        "enable_auto_commit": False,
        # The start is read from the segments. Without an offset the client must ask, not jump.
        "auto_offset_reset": "none",
        "session_timeout_ms": session,
        "heartbeat_interval_ms": session // 3,
        "max_poll_interval_ms": _LONGEST_TURN_MS,
        "metadata_max_age_ms": _TOPICS_KNOWN_MS,
        # With the default of 100 ms a dead broker costs 100 lines of log a second.
        "retry_backoff_ms": 500,
    }
