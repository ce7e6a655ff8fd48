"""The loop from Kafka to sealed segments: read, cut, seal, and only then commit."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import structlog
from aiokafka import ConsumerRebalanceListener, TopicPartition
from aiokafka.errors import (
    IllegalStateError,
    KafkaError,
    NoOffsetForPartitionError,
    OffsetOutOfRangeError,
)

from detectors.errors import LoginwardError

from .errors import Diverged, Superseded
from .layout import PartitionId
from .metrics import ArchiveMetrics
from .partition import PartitionArchive, Store
from .records import KafkaRecord
from .seal import SignedSeal, span

_log = structlog.get_logger(__name__)

BUFFER_BYTES = 256 * 1024 * 1024
"""Pending bytes of a process beyond which its largest partition is sealed early."""

FETCH_MS = 200
"""How long one read waits for records, and so how late a cut by time may be."""

_FIRST_RETRY = 1.0
_LONGEST_RETRY = 60.0
_HALTED_RETRY = 30.0
_COMMIT_PATIENCE = 10.0
"""Seconds. A commit is for lag displays alone; a slow one must not hold the archive."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """When a segment is cut: so many records, or so many seconds after its first was read."""

    records: int
    interval: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Clocks:
    """`elapsed` counts seconds for intervals and retries; `now` (UTC) dates the seals."""

    elapsed: Callable[[], float]
    now: Callable[[], datetime]


class Archiver(ConsumerRebalanceListener):  # type: ignore[misc]  # aiokafka ships no types
    """Archives what `consumer` is assigned. `topics` gives our name of each of the broker's topics.

    `topic_ids` asks Kafka for the ids of topics (blocking; raises LoginwardError): a segment is
    sealed only while the topic is still the one its records were read from.
    """

    def __init__(
        self,
        consumer: Any,
        store: Store,
        *,
        topics: Mapping[str, str],
        topic_ids: Callable[[Sequence[str]], Mapping[str, str]],
        limits: Limits,
        clocks: Clocks,
        metrics: ArchiveMetrics,
    ) -> None:
        self._consumer = consumer
        self._store = store
        self._topics = topics
        self._topic_ids = topic_ids
        self._limits = limits
        self._clocks = clocks
        self._metrics = metrics
        self._open: dict[TopicPartition, PartitionArchive] = {}
        self._halted: dict[TopicPartition, float] = {}
        # A rebalance runs in a task of its own: it waits until a seal in progress is done.
        self._lock = asyncio.Lock()
        self._wait = 0.0
        self._retry_at = 0.0

    async def run(self, stop: asyncio.Event) -> None:
        """Archive until `stop`; then seal what is pending."""
        while not stop.is_set():
            await self.turn()
        async with self._lock:
            await self._seal_all(list(self._open))

    async def turn(self) -> None:
        """Read once, take what came, open what is newly ours, seal what is due."""
        batch = await self._fetch()
        async with self._lock:
            for place, records in batch.items():
                # Not open (yet, or any more): read from a position that is not the segments' end.
                if place in self._open:
                    self._take(place, records)
            await self._open_assigned()
            await self._seal_all(self._due())
            self._show()

    async def on_partitions_assigned(self, assigned: Sequence[TopicPartition]) -> None:
        """Nothing yet: `turn` opens them and seeks, before it takes any record of theirs."""
        _log.info("archive partitions assigned", partitions=len(assigned))

    async def on_partitions_revoked(self, revoked: Sequence[TopicPartition]) -> None:
        """Seal what is pending, so that a storm of rebalances still makes progress; then let go."""
        async with self._lock:
            await self._seal_all([place for place in revoked if place in self._open])
            for place in revoked:
                self._open.pop(place, None)
                self._halted.pop(place, None)

    async def _fetch(self) -> Mapping[TopicPartition, Sequence[KafkaRecord]]:
        try:
            batch: Mapping[TopicPartition, Sequence[KafkaRecord]] = await self._consumer.getmany(
                timeout_ms=FETCH_MS
            )
        except NoOffsetForPartitionError:
            return {}  # assigned and not yet opened: positions come from the segments alone
        except OffsetOutOfRangeError as failure:
            async with self._lock:
                for place in failure.args[0]:
                    _log.warning("archive position left Kafka's log", partition=str(place))
                    self._open.pop(place, None)
            return {}
        except KafkaError as failure:
            self._metrics.failures.labels("kafka").inc()
            _log.warning("archive cannot read from Kafka", error=str(failure))
            await asyncio.sleep(_FIRST_RETRY)
            return {}
        return batch

    def _take(self, place: TopicPartition, records: Sequence[KafkaRecord]) -> None:
        shelf = self._open[place]
        try:
            again = shelf.add(records, self._clocks.elapsed())
        except Diverged as failure:
            self._halt(place, failure)
        else:
            self._metrics.again.labels(shelf.part.topic).inc(again)

    async def _open_assigned(self) -> None:
        now = self._clocks.elapsed()
        new = [
            place
            for place in self._consumer.assignment()
            if place not in self._open and self._halted.get(place, now) <= now
        ]
        if not new or now < self._retry_at:
            return
        try:
            ids = await asyncio.to_thread(self._topic_ids, sorted({place.topic for place in new}))
            starts = await self._consumer.beginning_offsets(new)
            ends = await self._consumer.end_offsets(new)
            told = {place: await self._consumer.committed(place) or 0 for place in new}
        except (KafkaError, LoginwardError) as failure:
            self._metrics.failures.labels("kafka").inc()
            _log.warning("archive cannot ask Kafka for its topics", error=str(failure))
            return
        for place in new:
            await self._open_one(place, ids[place.topic], starts[place], ends[place])
            if place in self._open and told[place] > self._open[place].pending.first:
                _log.warning(
                    "this folder holds less than Kafka was told; what is missing is read again. "
                    "Is another archiver writing elsewhere, or is this an older copy?",
                    partition=str(place),
                    told=told[place],
                    held=self._open[place].pending.first,
                )

    async def _open_one(self, place: TopicPartition, topic_id: str, start: int, end: int) -> None:
        part = PartitionId(
            topic=self._topics[place.topic], topic_id=topic_id, partition=place.partition
        )
        try:
            shelf = await asyncio.to_thread(
                PartitionArchive.take_over, self._store, part, log_start=start, log_end=end
            )
            self._consumer.seek(place, shelf.start)
        except LoginwardError as failure:
            self._halt(place, failure)
        except OSError as failure:
            self._disk_refuses(failure)
        except IllegalStateError:
            return  # taken away while we opened it
        else:
            self._halted.pop(place, None)
            self._open[place] = shelf
            for first, last in shelf.pending.expired:
                _log.error(
                    "Kafka deleted records before they were archived; the seal will name them",
                    partition=str(part),
                    first=first,
                    last=last,
                )

    def _due(self) -> list[TopicPartition]:
        now = self._clocks.elapsed()
        due = [
            place
            for place, shelf in self._open.items()
            if shelf.pending.due(
                now, most_records=self._limits.records, interval=self._limits.interval
            )
        ]
        if self._wait:  # the disk refused: whatever is pending shows whether it still does
            due = [place for place, shelf in self._open.items() if shelf.pending.records]
        elif not due and self._pending_bytes() > BUFFER_BYTES:
            due = [max(self._open, key=lambda place: self._open[place].pending.size)]
        return due

    async def _seal_all(self, places: Sequence[TopicPartition]) -> None:
        full = [place for place in places if self._open[place].pending.records]
        if not full or self._clocks.elapsed() < self._retry_at:
            return
        try:
            ids = await asyncio.to_thread(self._topic_ids, sorted({place.topic for place in full}))
        except LoginwardError as failure:
            self._metrics.failures.labels("kafka").inc()
            _log.warning("archive cannot ask Kafka for its topics", error=str(failure))
            return
        sealed: dict[TopicPartition, int] = {}
        for place in full:
            shelf = self._open[place]
            if ids.get(place.topic) != shelf.part.topic_id:
                _log.warning("topic was made anew; its records are read again", topic=place.topic)
                del self._open[place]
            elif not await self._seal(place, shelf):
                break
            elif place in self._open:
                sealed[place] = shelf.pending.first
        if sealed:
            await self._commit(sealed)

    async def _seal(self, place: TopicPartition, shelf: PartitionArchive) -> bool:
        """Seal one partition's pending records; False where the disk refuses."""
        try:
            with self._metrics.seal_seconds.time():
                signed = await asyncio.to_thread(shelf.seal, self._clocks.now())
        except Superseded as failure:
            self._metrics.superseded.labels(shelf.part.topic).inc()
            _log.warning("archive goes on behind another archiver", reason=str(failure))
            del self._open[place]
        except OSError as failure:
            self._disk_refuses(failure)
            return False
        else:
            self._count(signed)
        self._disk_accepts()
        return True

    async def _commit(self, offsets: Mapping[TopicPartition, int]) -> None:
        """Tell Kafka how far we are, for displays of lag; a start never reads it."""
        try:
            await asyncio.wait_for(self._consumer.commit(dict(offsets)), _COMMIT_PATIENCE)
        except (KafkaError, TimeoutError) as failure:
            self._metrics.failures.labels("commit").inc()
            _log.info("archive could not commit; segments stand", error=str(failure))

    def _halt(self, place: TopicPartition, failure: LoginwardError) -> None:
        self._metrics.failures.labels("archive").inc()
        _log.error("archive of a partition waits", partition=str(place), reason=str(failure))
        self._open.pop(place, None)
        self._halted[place] = self._clocks.elapsed() + _HALTED_RETRY

    def _disk_refuses(self, failure: OSError) -> None:
        """Stop reading, keep what is pending in memory, try again later: Kafka keeps the rest."""
        self._wait = min(max(self._wait * 2, _FIRST_RETRY), _LONGEST_RETRY)
        self._retry_at = self._clocks.elapsed() + self._wait
        self._metrics.failures.labels("disk").inc()
        self._metrics.waiting.set(1)
        _log.error(
            "archive.directory refuses to be written; nothing is lost while Kafka keeps `logins`; "
            "free or mend the disk, no restart is needed",
            directory=str(self._store.root),
            error=failure.strerror or str(failure),
            retry_in_seconds=self._wait,
        )

    def _disk_accepts(self) -> None:
        if self._wait:
            _log.info("archive.directory can be written again")
        self._wait = 0.0
        self._retry_at = 0.0
        self._metrics.waiting.set(0)

    def _show(self) -> None:
        """Pause or resume reading, and set the gauges."""
        with suppress(IllegalStateError):
            ours = set(self._consumer.assignment())
            blocked = ours if self._blocked_by_disk() else ours & set(self._halted)
            self._consumer.pause(*blocked)
            self._consumer.resume(*(self._consumer.paused() - blocked))
        now = self._clocks.elapsed()
        since = [shelf.pending.since for shelf in self._open.values()]
        self._metrics.oldest_seconds.set(
            max((now - at for at in since if at is not None), default=0.0)
        )
        self._metrics.pending_bytes.set(self._pending_bytes())
        self._metrics.halted.set(len(self._halted))
        for topic in self._topics.values():
            self._metrics.lag.labels(topic).set(self._lag(topic))

    def _blocked_by_disk(self) -> bool:
        """While the disk refuses, what is pending stays, and nothing comes to it."""
        return bool(self._wait) and (
            bool(self._pending_bytes()) or self._clocks.elapsed() < self._retry_at
        )

    def _lag(self, topic: str) -> int:
        return sum(
            max(0, (self._consumer.highwater(place) or 0) - shelf.pending.first)
            for place, shelf in self._open.items()
            if shelf.part.topic == topic
        )

    def _pending_bytes(self) -> int:
        return sum(shelf.pending.size for shelf in self._open.values())

    def _count(self, signed: SignedSeal) -> None:
        seal, metrics = signed.seal, self._metrics
        metrics.segments.labels(seal.topic).inc()
        metrics.archived.labels(seal.topic).inc(seal.rows)
        metrics.rejected.labels(seal.topic).inc(span(seal.rejected))
        metrics.missing.labels(seal.topic, "absent").inc(span(seal.absent))
        metrics.missing.labels(seal.topic, "expired").inc(span(seal.expired))
