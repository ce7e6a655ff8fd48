"""From the topic to the queue: what was read stands on the disk before Kafka hears of it.

Where reading goes on is read from the queue itself, not from Kafka: a queue that was lost, or
another machine's, is filled again from the beginning of the compacted topic. Then alerts are sent
twice, under the same key, instead of never.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import msgspec
import structlog
from aiokafka import ConsumerRebalanceListener, TopicPartition
from aiokafka.errors import IllegalStateError, KafkaError, OffsetOutOfRangeError

from detectors.errors import LoginwardError, escaped

from .item import Item, Kind, item_of
from .metrics import SocMetrics
from .queue import Place, Queue

_FETCH_MS: Final = 200
_AT_ONCE: Final = 1_000
_RETRY_S: Final = 1.0
_COMMIT_PATIENCE_S: Final = 10.0

log = structlog.get_logger(__name__)


class Intake(ConsumerRebalanceListener):  # type: ignore[misc]  # aiokafka ships no types
    """`topics` gives the kind of each topic's records; `ids` asks Kafka for topic ids (blocking;
    raises LoginwardError); `wake` is called when something new was queued.
    """

    def __init__(
        self,
        consumer: Any,
        queue: Queue,
        *,
        topics: Mapping[str, Kind],
        ids: Callable[[Sequence[str]], Mapping[str, str]],
        wake: Callable[[], None],
        metrics: SocMetrics,
    ) -> None:
        self._consumer = consumer
        self._queue = queue
        self.topics = topics
        self._ids = ids
        self._wake = wake
        self._metrics = metrics
        self._open: dict[TopicPartition, str] = {}

    async def run(self, stop: asyncio.Event) -> None:
        """Read until `stop`; an outage of Kafka is waited out."""
        while not stop.is_set():
            try:
                await self.turn()
            except (KafkaError, LoginwardError, OSError, sqlite3.OperationalError) as failure:
                log.warning("cannot take alerts", error=escaped(str(failure), 300))
                # What was fetched and not queued is read again, from where the queue stands.
                self._open.clear()
                await asyncio.sleep(_RETRY_S)

    async def turn(self) -> None:
        """Open what is newly ours, read once, queue, commit."""
        await self._open_assigned()
        try:
            batch = await self._consumer.getmany(timeout_ms=_FETCH_MS, max_records=_AT_ONCE)
        except OffsetOutOfRangeError as failure:
            log.warning("alerts begin later than where reading stood", error=str(failure))
            for place in failure.args[0]:
                await self._consumer.seek_to_beginning(place)
            return
        batch = {place: found for place, found in batch.items() if place in self._open and found}
        if not batch:
            return
        items: list[Item] = []
        for place, records in batch.items():
            items += [item for record in records if (item := self._read(place, record)) is not None]
        ends = {place: records[-1].offset + 1 for place, records in batch.items()}
        places = [Place(self._open[at], at.partition, end) for at, end in ends.items()]
        if self._queue.put(items, places):
            self._wake()
        await self._commit(ends)

    async def on_partitions_assigned(self, assigned: Sequence[TopicPartition]) -> None:
        """Nothing yet: `turn` seeks before it takes any record of theirs."""
        log.info("alerts assigned", partitions=len(assigned))

    async def on_partitions_revoked(self, revoked: Sequence[TopicPartition]) -> None:
        """Let go."""
        for place in revoked:
            self._open.pop(place, None)

    async def _open_assigned(self) -> None:
        new = [place for place in self._consumer.assignment() if place not in self._open]
        if not new:
            return
        ids = await asyncio.to_thread(self._ids, sorted({place.topic for place in new}))
        for place in new:
            if place not in self._consumer.assignment():
                continue
            start = self._queue.position(ids[place.topic], place.partition)
            if start:
                self._consumer.seek(place, start)
            else:
                await self._consumer.seek_to_beginning(place)
            self._open[place] = ids[place.topic]

    def _read(self, place: TopicPartition, record: Any) -> Item | None:
        if record.value is None:
            return None  # a tombstone: nobody needs to be told that something was forgotten
        try:
            return item_of(self.topics[place.topic], record.value)
        except (msgspec.DecodeError, UnicodeDecodeError) as failure:
            # It stays in the topic and in the archive; here there is nothing to send.
            self._metrics.unreadable.inc()
            log.error(  # noqa: TRY400 (the place says more than a traceback)
                "record is not what its topic holds",
                topic=place.topic,
                partition=place.partition,
                offset=record.offset,
                error=escaped(str(failure)),
            )
            return None

    async def _commit(self, ends: Mapping[TopicPartition, int]) -> None:
        """For displays of lag alone; where reading goes on stands in the queue."""
        try:
            async with asyncio.timeout(_COMMIT_PATIENCE_S):
                await self._consumer.commit(dict(ends))
        except (KafkaError, IllegalStateError, TimeoutError) as failure:
            log.info("position not committed", error=escaped(type(failure).__name__))
