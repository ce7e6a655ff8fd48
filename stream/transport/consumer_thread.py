"""The thread that talks to the broker: heartbeats go on whatever the agent's event loop does."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Protocol, cast

import aiokafka
from aiokafka import TopicPartition
from aiokafka.coordinator.assignors.roundrobin import RoundRobinPartitionAssignor
from aiokafka.errors import CommitFailedError, IllegalStateError, KafkaError
from aiokafka.structs import OffsetAndMetadata
from faust.transport.drivers.aiokafka import AIOKafkaConsumerThread

from .batch import Chunk
from .marks import Partition
from .options import TransportOptions
from .reader import ChunkReader

_NEVER_IDLE = timedelta(days=20)
"""aiokafka leaves the group when nobody fetches for `max_poll_interval`. An agent that waits for
Redis is not dead and its partitions would be no better off elsewhere; the limit is 2^31 ms."""
_STOP_TIMEOUT = 5.0  # seconds to leave the group in good order; the session timeout does it else

log = logging.getLogger(__name__)


class Owner(Protocol):
    """What the thread wants to know of the consumer that it works for."""

    options: TransportOptions
    connection: Mapping[str, Any]
    """Options of aiokafka: bootstrap servers, TLS, SASL."""


class BatchConsumerThread(AIOKafkaConsumerThread):
    """Faust's consumer thread with our own consumer settings, reading and committing."""

    _reader: ChunkReader | None = None

    def _create_consumer(
        self,
        loop: asyncio.AbstractEventLoop,  # noqa: ARG002 - aiokafka takes the running one
    ) -> aiokafka.AIOKafkaConsumer:
        owner = cast("Owner", self.consumer)
        options = owner.options
        return aiokafka.AIOKafkaConsumer(
            **owner.connection,
            group_id=self.app.conf.id,
            group_instance_id=options.group_instance_id,
            partition_assignment_strategy=[RoundRobinPartitionAssignor],
            enable_auto_commit=False,
            # Without a committed offset everything Kafka still has is judged; `latest` would hide
            # an outage. A transaction left open must not hold detection back: read_uncommitted.
            auto_offset_reset="earliest",
            isolation_level="read_uncommitted",
            max_poll_interval_ms=_ms(_NEVER_IDLE),
            max_partition_fetch_bytes=options.fetch_bytes,
            fetch_max_wait_ms=_ms(options.fetch_wait),
            request_timeout_ms=_ms(options.request_timeout),
            session_timeout_ms=_ms(options.session_timeout),
            rebalance_timeout_ms=_ms(options.rebalance_timeout),
            heartbeat_interval_ms=_ms(options.heartbeat_interval),
            metadata_max_age_ms=60_000,
            check_crcs=True,
        )

    async def on_start(self) -> None:
        """Connect to the brokers."""
        await super().on_start()
        self._reader = ChunkReader(self._ensure_consumer(), cast("Owner", self.consumer).options)

    async def on_thread_stop(self) -> None:
        """Leave the group, but wait for no answer longer than the session would last anyway."""
        if self._method_queue is not None:
            await self._method_queue.stop()
        if self._consumer is not None:
            try:
                await asyncio.wait_for(self._consumer.stop(), _STOP_TIMEOUT)
            except (TimeoutError, asyncio.CancelledError):
                log.warning("left the group without saying so: no answer from the coordinator")

    async def leave_group(self, within: timedelta) -> None:
        """Tell the group that this member goes; else its partitions wait for the session's end."""
        await self.call_thread(self._leave_group, within.total_seconds())

    async def _leave_group(self, within: float) -> None:
        coordinator = self._ensure_consumer()._coordinator
        try:
            await asyncio.wait_for(coordinator.maybe_leave_group(), within)
        except (KafkaError, TimeoutError) as error:
            log.warning("left the group without saying so: %r", error)

    def close(self) -> None:
        """Do nothing: Faust closes the client here from the wrong loop; stopping does it."""

    @property
    def epoch(self) -> int:
        """Number of the assignment that the newest chunk came from."""
        return 0 if self._reader is None else self._reader.epoch

    async def read_chunks(self, *, room: int, wait: float) -> list[Chunk]:
        """At most `room` chunks, after at most `wait` seconds."""
        if self._reader is None:
            return []
        chunks: list[Chunk] = await self.call_thread(self._reader.read, room=room, wait=wait)
        return chunks

    def claimed(self, chunk: Chunk) -> None:
        """The chunk was taken over."""
        if self._reader is not None:
            self._reader.claimed(chunk)

    async def silent_for(self) -> dict[Partition, float]:
        """Seconds since a fetch was last answered, by partition."""
        if self._reader is None:
            return {}
        reader = self._reader

        async def ask() -> dict[Partition, float]:
            return reader.silent_for(time.monotonic())

        return cast("dict[Partition, float]", await self.call_thread(ask))

    async def committed_offsets(self, within: timedelta) -> dict[Partition, int]:
        """What the group has committed of the present assignment; empty without an answer."""
        if self._reader is None:
            return {}
        reader = self._reader

        async def ask() -> dict[Partition, int]:
            try:
                return await asyncio.wait_for(reader.committed(), within.total_seconds())
            except TimeoutError:
                log.warning("no answer to what is committed in %s", within)
                return {}

        return cast("dict[Partition, int]", await self.call_thread(ask))

    async def seek_back(self, partition: Partition, offset: int, within: timedelta) -> None:
        """Commit an earlier offset and read on from there; nothing where the partition is gone."""
        await self.call_thread(self._seek_back, partition, offset, within.total_seconds())

    async def _seek_back(self, partition: Partition, offset: int, within: float) -> None:
        consumer, tp = self._ensure_consumer(), TopicPartition(*partition)
        if tp not in consumer.assignment():
            return
        try:
            # Whoever takes over begins there as well, should this process not come far.
            await asyncio.wait_for(consumer.commit({tp: OffsetAndMetadata(offset, "")}), within)
        except (KafkaError, TimeoutError) as error:
            log.warning("%s: could not commit %d, reading from there: %s", partition, offset, error)
        if self._reader is not None and tp in consumer.assignment():
            self._reader.forget(partition)
            consumer.seek(tp, offset)

    async def offsets_since(self, topic: str, since_ms: int) -> dict[int, int]:
        """The first offset of each partition of `topic` that was appended at that time or later.

        Raises KafkaError and TimeoutError while the broker does not answer.
        """
        return cast("dict[int, int]", await self.call_thread(self._offsets_since, topic, since_ms))

    async def _offsets_since(self, topic: str, since_ms: int) -> dict[int, int]:
        consumer = self._ensure_consumer()
        numbers = consumer.partitions_for_topic(topic) or set()
        places = [TopicPartition(topic, number) for number in numbers]
        found = await consumer.offsets_for_times(dict.fromkeys(places, since_ms))
        ends = await consumer.end_offsets(places)
        return {
            tp.partition: ends[tp] if found.get(tp) is None else found[tp].offset for tp in places
        }

    async def commit_marks(
        self, offsets: Mapping[Partition, int], within: timedelta
    ) -> dict[Partition, int]:
        """Commit; returns what the broker confirmed, the rest is tried later with newer marks."""
        confirmed: dict[Partition, int] = await self.call_thread(
            self._commit_marks, offsets, within=within.total_seconds()
        )
        return confirmed

    async def _commit_marks(
        self, offsets: Mapping[Partition, int], *, within: float
    ) -> dict[Partition, int]:
        consumer = self._ensure_consumer()
        held = consumer.assignment()
        ours = {p: offset for p, offset in offsets.items() if TopicPartition(*p) in held}
        wanted = {TopicPartition(*p): OffsetAndMetadata(offset, "") for p, offset in ours.items()}
        try:
            if wanted:
                await asyncio.wait_for(consumer.commit(wanted), within)
        except (CommitFailedError, IllegalStateError):
            # Rebalanced meanwhile: the marks are forgotten with the partitions, the next worker
            # reads from the last commit.
            log.info("a commit came too late for a rebalance: %s", _told(offsets))
            return {}
        except TimeoutError:
            log.warning("no answer to a commit in %.1f s, will try again", within)
            return {}
        return ours


def _ms(span: timedelta) -> int:
    return int(span / timedelta(milliseconds=1))


def _told(offsets: Mapping[Any, int]) -> str:
    return ", ".join(f"{partition} {offset}" for partition, offset in offsets.items())
