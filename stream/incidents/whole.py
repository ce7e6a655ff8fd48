"""A compacted topic from its beginning to where it ends now."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any, Final

import msgspec
import structlog
from aiokafka import AIOKafkaConsumer, TopicPartition

from config.kafka import aiokafka_options, topic_name
from config.settings import KafkaSettings
from detectors import incidents
from detectors.errors import escaped
from detectors.incidents import Incident

_FETCH_MS: Final = 500
_AT_ONCE: Final = 2_000

log = structlog.get_logger(__name__)


async def places_of(consumer: Any, topic: str) -> list[TopicPartition]:
    """All partitions of a topic, as the brokers know them now."""
    await consumer._client.force_metadata_update()  # noqa: SLF001 (there is no public way)
    partitions = consumer.partitions_for_topic(topic) or set()
    return [TopicPartition(topic, number) for number in sorted(partitions)]


async def to_the_end(consumer: Any, topic: str) -> AsyncIterator[list[Any]]:
    """Assign the whole topic and give its records in batches, up to the end there is now.

    The consumer stays assigned, at that end.
    """
    places = await places_of(consumer, topic)
    if not places:
        return
    consumer.assign(places)
    await consumer.seek_to_beginning(*places)
    ends = await consumer.end_offsets(places)
    while any([await consumer.position(place) < end for place, end in ends.items()]):
        batch = await consumer.getmany(timeout_ms=_FETCH_MS, max_records=_AT_ONCE)
        yield [record for records in batch.values() for record in records]


async def told_so_far(kafka: KafkaSettings) -> dict[str, Incident]:
    """Each incident of the topic at its highest revision, also what a killed process only began
    to tell: whoever read it must not read that revision with another content.
    """
    found: dict[str, Incident] = {}
    consumer = AIOKafkaConsumer(**aiokafka_options(kafka), enable_auto_commit=False)
    await consumer.start()
    try:
        async for records in to_the_end(consumer, topic_name(kafka, "incidents")):
            for record in records:
                incident = _read(record)
                if incident is None:
                    continue
                known = found.get(incident.incident_id)
                if known is None or known.revision <= incident.revision:
                    found[incident.incident_id] = incident
    finally:
        await consumer.stop()
    return found


def _read(record: Any) -> Incident | None:
    if record.value is None:
        return None
    try:
        return incidents.decode(record.value)
    except (msgspec.DecodeError, UnicodeDecodeError) as failure:
        log.error(  # noqa: TRY400 (the place says more than a traceback)
            "record is no incident",
            partition=record.partition,
            offset=record.offset,
            error=escaped(str(failure)),
        )
        return None
