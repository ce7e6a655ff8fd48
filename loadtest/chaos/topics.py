"""What stands in Kafka: read to the end, and how far a group has come."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition

from config.kafka import aiokafka_options
from config.settings import KafkaSettings

_WAIT_MS = 1000


async def records(kafka: KafkaSettings, topic: str) -> AsyncIterator[Any]:
    """Every record of a topic that stands in it now, partition by partition in order."""
    consumer = AIOKafkaConsumer(
        **aiokafka_options(kafka), auto_offset_reset="earliest", enable_auto_commit=False
    )
    await consumer.start()
    try:
        ends = await _ends(consumer, topic)
        open_parts = {part for part, end in ends.items() if end}
        if not open_parts:
            return
        consumer.assign(list(open_parts))
        await consumer.seek_to_beginning()
        while open_parts:
            found = await consumer.getmany(*open_parts, timeout_ms=_WAIT_MS)
            for part, batch in found.items():
                for record in batch:
                    if record.offset < ends[part]:
                        yield record
            for part in list(open_parts):
                if await consumer.position(part) >= ends[part]:
                    open_parts.discard(part)
                    consumer.pause(part)
    finally:
        await consumer.stop()


async def _ends(consumer: AIOKafkaConsumer, topic: str) -> dict[TopicPartition, int]:
    cluster = await consumer._client.fetch_all_metadata()  # noqa: SLF001 (no public call for it)
    parts = cluster.partitions_for_topic(topic) or set()
    return dict(await consumer.end_offsets([TopicPartition(topic, part) for part in parts]))


async def committed(
    kafka: KafkaSettings, topic: str, groups: Mapping[str, str]
) -> tuple[dict[int, int], dict[str, dict[int, int]]]:
    """The end of each partition of `topic`, and what each of `groups` (name -> group) committed."""
    ends: dict[int, int] = {}
    done: dict[str, dict[int, int]] = {}
    for name, group in groups.items():
        consumer = AIOKafkaConsumer(
            **aiokafka_options(kafka), group_id=group, enable_auto_commit=False
        )
        await consumer.start()
        try:
            # The ends are asked first: what comes meanwhile makes a part look late, never done.
            if not ends:
                found = await _ends(consumer, topic)
                ends = {part.partition: end for part, end in found.items()}
            done[name] = {
                number: await consumer.committed(TopicPartition(topic, number)) or 0
                for number in ends
            }
        finally:
            await consumer.stop()
    return ends, done
