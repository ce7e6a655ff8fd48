"""The Faust transport `batched://`: one message a fetched chunk, and acks that are only ours.

What is replaced, and why (faust-streaming 0.15.3):
- `ack` is a no-op: Faust acks in a `finally`, whatever happened in the agent.
- commits come from `OffsetMarks`: Faust's `_new_offset` skips unfinished messages.
- the draining loop and `perform_seek`: Faust seeks to the committed offset only where that is
  above 0, so records dropped in a rebalance before the first commit are never read again.
- `wait_empty` is bounded: Faust's waits for ever for an agent that hangs.
- unrecoverable errors end the process: in Faust they stop the fetcher and nobody notices.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any, ClassVar, cast

from faust.transport.drivers import TRANSPORTS
from faust.transport.drivers import aiokafka as stock
from faust.types import TP
from mode import Service

from .batch import Batch, Chunk
from .consumer_thread import BatchConsumerThread
from .envelope import BatchMessage
from .exits import leave
from .listener import RebalanceListener
from .marks import OffsetMarks, Partition, PartitionProgress
from .options import TransportHooks, TransportOptions, TransportState

ALIAS = "batched"
_LOOKS = 4  # at whether all goes on, in the time after which it counts as stalled
_STALE_CHUNKS = 64
"""Chunks of one partition at most that were read before it was sent back: one read's worth."""
_GOODBYE = timedelta(seconds=2)
"""How long the group may take to hear that a member goes without having finished."""
_READ_WAIT = 1.0  # seconds a read may wait for records; stopping is looked at in between

log = logging.getLogger(__name__)


def register() -> None:
    """Make `batched://host:port` known to Faust."""
    TRANSPORTS.aliases[ALIAS] = f"{__name__}:Transport"


class BatchConsumer(stock.Consumer):
    """Hands over batches, at most a few at a time, and commits what was done without a gap."""

    RebalanceListener: ClassVar[type[stock.ConsumerRebalanceListener]] = RebalanceListener
    _thread: BatchConsumerThread

    def __init__(self, transport: Any, *args: Any, **kwargs: Any) -> None:
        self.options: TransportOptions = transport.options
        self.hooks: TransportHooks = transport.hooks
        self.connection: Mapping[str, Any] = transport.connection
        self.marks = OffsetMarks()
        self.transport_state = TransportState()
        self._in_work: set[Batch] = set()
        self._begun = 0
        self._unmoved = (0, 0)  # batches begun as of a look, and looks since without another
        self._expected: dict[Partition, int] = {}
        self._sent_back: dict[Partition, tuple[int, int]] = {}
        self._changed = asyncio.Event()
        self._commit_lock = asyncio.Lock()
        super().__init__(transport, *args, **kwargs)
        self.commit_interval = self.options.commit_interval.total_seconds()

    def _new_consumer_thread(self) -> BatchConsumerThread:
        return BatchConsumerThread(self, loop=self.loop, beacon=self.beacon)

    # -- handing over

    async def _drain_messages(self, fetcher: Any) -> None:
        """Faust's fetching loop: read where there is room, hand over, stop when told."""
        try:
            while not (self._stopped.is_set() or fetcher._stopped.is_set()):
                if not self.flow_active:
                    await self.wait_first(self.can_resume_flow.wait(), timeout=_READ_WAIT)
                elif (room := self._room()) <= 0:
                    await self._wait_for_change(_READ_WAIT)
                else:
                    for chunk in await self._thread.read_chunks(room=room, wait=_READ_WAIT):
                        await self._hand_over(chunk)
        except self.consumer_stopped_errors:
            if not self.app.should_stop:
                leave("the Kafka client stopped by itself")
        except asyncio.CancelledError:
            if not self.app.should_stop:
                raise
        except Exception as exc:  # noqa: BLE001 - a fetcher that ends silently is detection off
            leave("cannot go on fetching", exc)

    def _room(self) -> int:
        return self.options.buffered_batches - self.marks.open_count()

    async def _wait_for_change(self, seconds: float) -> None:
        self._changed.clear()
        await self.wait_first(self._changed.wait(), timeout=seconds)

    async def _hand_over(self, chunk: Chunk) -> None:
        if self._is_stale(chunk):
            self._thread.claimed(chunk)
            return
        expected = self.marks.head(chunk.partition)
        claim = self.marks.hand_over(
            chunk.partition, epoch=chunk.epoch, start=chunk.start, end=chunk.end
        )
        if claim is not None:
            if expected is None:
                expected = self._expected.pop(chunk.partition, None)
            if expected is not None and expected != chunk.start:
                self._tell_jump(chunk, expected)
            self.transport_state.highwaters[chunk.partition] = chunk.highwater
            await self._deliver(Batch(chunk, claim, on_begin=self._on_begin, on_done=self._on_done))
        self._thread.claimed(chunk)

    def _is_stale(self, chunk: Chunk) -> bool:
        """Whether a chunk was read before its partition was sent back."""
        head, left = self._sent_back.pop(chunk.partition, (0, 0))
        if not left or chunk.start < head:
            return False
        self._sent_back[chunk.partition] = (head, left - 1)
        return True

    async def _deliver(self, batch: Batch) -> None:
        if not batch.offsets and batch.damage is None:
            batch.done()  # transaction markers only: nobody's work
            return
        self.transport_state.batches += 1
        self.transport_state.records += len(batch)
        self.transport_state.damaged_frames += batch.damage is not None
        generation = self.app.consumer_generation_id
        message = BatchMessage(batch, generation, on_moved_on=self._moved_on)
        # A rebalance drops what is on its way; it is read again from the last commit.
        await self.wait_first(self.callback(message), self.suspend_flow.wait())

    def _tell_jump(self, chunk: Chunk, expected: int) -> None:
        # aiokafka resets a position that the log no longer has with a line at level info.
        lost = chunk.start - expected
        self.transport_state.lost_offsets += max(lost, 0)
        log.error(
            "%s: reading goes on at offset %d, not %d: %s",
            chunk.partition,
            chunk.start,
            expected,
            f"the broker deleted {lost} before they were read"
            if lost > 0
            else "the log was cut or the topic made anew",
        )
        self.hooks.on_jump(chunk.partition, expected, chunk.start)

    # -- acks

    def _on_begin(self, batch: Batch) -> None:
        self._in_work.add(batch)
        self._begun += 1

    def _on_done(self, batch: Batch) -> None:
        self.marks.done(batch.claim)
        self._in_work.discard(batch)
        self._changed.set()

    def _moved_on(self, batch: Batch) -> None:
        """Faust says the agent is through with a batch; if that was not done, end the process."""
        if batch.finished or batch.kept or not batch.live:
            return
        # Faust also acks what it skips during a rebalance, which no agent has seen.
        if batch.begun or self.flow_active:
            leave(f"the agent moved on from {batch!r} without done()")

    def ack(self, message: Any) -> bool:  # noqa: ARG002 - Faust's signature
        """Nothing: only `Batch.done` acks."""
        return True

    # -- commits

    async def commit(self, topics: Any = None, start_new_transaction: bool = True) -> bool:  # noqa: FBT001, FBT002, ARG002 - Faust's signature
        """Commit every mark that moved; one commit at a time, each with the newest marks."""
        async with self._commit_lock:
            offsets = self.marks.committable()
            if not offsets:
                return False
            try:
                done = await self._thread.commit_marks(offsets, self.options.commit_timeout)
            except Exception as exc:  # noqa: BLE001 - not retriable: aiokafka has tried the others
                leave("cannot commit", exc)
            if done:
                self.marks.committed(done)
                self.transport_state.commits += 1
                self.transport_state.last_commit_monotonic = time.monotonic()
            else:
                self.transport_state.failed_commits += 1
            return bool(done)

    async def force_commit(self, topics: Any = None, start_new_transaction: bool = True) -> bool:  # noqa: FBT001, FBT002 - Faust's signature
        """Commit every mark that moved."""
        return await self.commit(topics, start_new_transaction)

    async def go_back(self, partition: Partition, offset: int) -> None:
        """Read a partition again from an earlier offset; what is open of it will mark nothing."""
        async with self._commit_lock:  # a commit on its way must not come after ours
            head = self.marks.head(partition)
            if head is not None:
                self._sent_back[partition] = (head, _STALE_CHUNKS)
            self.marks.drop([partition])
            await self._thread.seek_back(partition, offset, self.options.commit_timeout)
        self._changed.set()

    def reached(self) -> Mapping[Partition, int]:
        """Up to where each partition of the present assignment is done, as far as known."""
        return {**self._expected, **self.marks.reached()}

    async def offsets_since(self, topic: str, since_ms: int) -> dict[int, int]:
        """The first offset of each partition appended since; raises while Kafka is away."""
        return await self._thread.offsets_since(topic, since_ms)

    # -- rebalance and stop

    async def perform_seek(self) -> None:
        """Learn where reading should begin; a new assignment begins there by itself."""
        self._expected = await self._thread.committed_offsets(self.options.request_timeout)

    async def on_partitions_revoked(self, revoked: set[TP]) -> None:
        """Stop, let the batch in work finish for a while, commit, then forget the partitions."""
        self.transport_state.rebalances += 1
        await super().on_partitions_revoked(revoked)  # comes to wait_empty below
        self.marks.close_epoch(self._thread.epoch)
        self._sent_back.clear()
        self._changed.set()
        self.hooks.on_revoked(_partitions(revoked))

    async def on_partitions_assigned(self, assigned: set[TP], generation_id: int = 0) -> None:
        """Tell that partitions are ours; batches come once Faust has resumed its streams."""
        self.hooks.on_assigned(_partitions(assigned))
        await super().on_partitions_assigned(assigned, generation_id)

    async def wait_empty(self) -> None:
        """Wait, not for ever, for the batch in work; then commit what is done."""
        stopping = self.app.should_stop
        grace = self.options.stop_grace if stopping else self.options.revoke_grace
        settled = await self._settle(grace)
        await self.commit()
        if not settled and stopping:
            await self._thread.leave_group(_GOODBYE)
            leave(f"told to stop, and after {grace} still at work on {self._named()}")
        if not settled:
            log.warning("gave partitions back after %s with %s unfinished", grace, self._named())

    async def _settle(self, grace: timedelta) -> bool:
        deadline = time.monotonic() + grace.total_seconds()
        while self._busy():
            remaining = deadline - time.monotonic()
            if remaining <= 0:
                return False
            self._changed.clear()
            try:
                await asyncio.wait_for(self._changed.wait(), remaining)
            except TimeoutError:
                return not self._busy()
        return True

    def _busy(self) -> list[Batch]:
        return [batch for batch in self._in_work if batch.live]

    def _named(self) -> str:
        return ", ".join(map(repr, self._busy()))

    @Service.task
    async def _commit_livelock_detector(self) -> None:
        """Report partitions that get no answer; Faust's check compares two different clocks."""
        async for _ in self.itertimer(self.options.stall_after / _LOOKS, name="stalls"):
            await self._report_stalls()
            self._insist_on_an_agent()

    def _insist_on_an_agent(self) -> None:
        """An agent that ended, or never came, is detection off: Faust says nothing then."""
        # Counted in looks, not by the clock: a process that was stopped for an hour has not slept.
        waiting = self.marks.open_count()
        begun, looks = self._unmoved
        idle = waiting and not self._in_work and self.flow_active and begun == self._begun
        self._unmoved = (self._begun, looks + 1 if idle else 0)
        if self._unmoved[1] > _LOOKS:
            leave(f"{waiting} batches wait and no agent took one in {self.options.stall_after}")

    async def _report_stalls(self) -> None:
        after = self.options.stall_after.total_seconds()
        silent = await self._thread.silent_for()
        stalled = {partition: s for partition, s in silent.items() if s >= after}
        before, self.transport_state.stalled = self.transport_state.stalled, stalled
        for partition in stalled.keys() - before.keys():
            log.error("%s: no answer to a fetch for %.0f s", partition, stalled[partition])
        for partition in before.keys() - stalled.keys():
            log.warning("%s: fetches are answered again", partition)

    # -- what metrics ask

    def progress(self) -> list[PartitionProgress]:
        """Where each partition of the present assignment stands."""
        return self.marks.progress(self.transport_state.highwaters)


class Transport(stock.Transport):
    """Faust's aiokafka transport with the batching consumer."""

    Consumer: ClassVar[Any] = BatchConsumer

    @property
    def options(self) -> TransportOptions:
        """The options the app was made with."""
        return cast("TransportOptions", self.app.transport_options)  # type: ignore[attr-defined]

    @property
    def hooks(self) -> TransportHooks:
        """Whom the app wants told."""
        return cast("TransportHooks", self.app.transport_hooks)  # type: ignore[attr-defined]

    @property
    def connection(self) -> Mapping[str, Any]:
        """Options of aiokafka: bootstrap servers, TLS, SASL."""
        return cast("Mapping[str, Any]", self.app.kafka_connection)  # type: ignore[attr-defined]


def _partitions(tps: Iterable[TP]) -> frozenset[Partition]:
    return frozenset(Partition(tp.topic, tp.partition) for tp in tps)
