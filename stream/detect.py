"""The detect worker: one batch of `logins` to its last durable effect, and the sweep behind it.

    decode -> claim -> record and read -> judge and settle -> rejects and `judged` -> done

Every step may be repeated; between each two a failpoint can kill the process (RELIABILITY.md 4.3).
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Mapping

import msgspec
import structlog

from config.failpoints import hit
from config.kafka import topic_name
from config.settings import Settings
from detectors import verdicts
from detectors.engine import HELD_MS, Arrival, Engine, Tally
from detectors.errors import Rejected, RejectReason
from detectors.windows import FOR_EVER_MS, WindowStore
from detectors.wire import decode

from . import metrics
from .judged import Judged, hours
from .lookups import Lookups
from .reject_limit import RejectLimit
from .rejects import rejected
from .rewind import Rewind
from .sending import Outgoing, Sender
from .transport.batch import Batch
from .transport.marks import Partition

SWEEP_EVERY_S = 0.5
SWEPT_AT_ONCE = 200
ADOPT_EVERY_S = 5.0
"""How long batches may overlap without a moment between them; files are looked at as often."""
SILENT_AFTER_S = 10.0
"""Without a batch for this long, more than the others' batches take, a partition is at its end."""
RELEASE_EVERY_S = 2.0
IDLE_AFTER_S = 3.0
"""Wall time without a batch after which open alerts get their last revision (event time stands
still).
"""

log = structlog.get_logger(__name__)


class Detect:
    """Judges batches; `versions`, asked between two batches, puts in force what was found
    meanwhile and names it for the record of `judged`.

    `lookups` tells facts beside the events; what it has found is taken over between two batches.
    """

    def __init__(
        self,
        settings: Settings,
        engine: Engine,
        store: WindowStore,
        sender: Sender,
        *,
        topic_id: str,
        versions: Callable[[], Mapping[str, str]],
        lookups: Lookups | None = None,
        judged_before: bool = False,
    ) -> None:
        self.rewind: Rewind | None = None
        """Notices lost state; without it a batch is taken as it comes."""
        self._engine = engine
        self._store = store
        self._sender = sender
        self._topic_id = topic_id
        self._versions = versions
        self._lookups = lookups
        self._judged_before = judged_before
        self._in_force = dict(versions())
        self._shards = settings.redis.shards
        self._partitions = settings.kafka.partitions
        self._inbox = settings.detect.inbox_verdicts
        self._topic = topic_name(settings.kafka, "logins")
        self._verdicts_topic = topic_name(settings.kafka, "verdicts")
        self._judged_topic = topic_name(settings.kafka, "judged")
        self._rejected_topic = topic_name(settings.kafka, "logins.rejected")
        detect = settings.detect
        self._reject_limit = RejectLimit(detect.rejects_percent, detect.rejects_over)
        self._assigned: frozenset[int] = frozenset()
        self._clock_ms = 0
        self._in_work = 0
        self._none_in_work = asyncio.Event()
        self._none_in_work.set()
        self._adopted = 0.0
        self._last_batch = time.monotonic()
        self._seen: dict[int, float] = {}
        self._announced = False
        self._behind = False
        self._released = 0.0

    async def handle(self, batch: Batch) -> None:
        """Return when everything `batch` causes is durable."""
        began = time.monotonic()
        self._seen[batch.partition] = began
        await self._take_in_hand()
        try:
            await self._handle(batch, began)
        finally:
            self._in_work -= 1
            if not self._in_work:
                self._none_in_work.set()

    async def _handle(self, batch: Batch, began: float) -> None:
        if not self._announced:
            await self._announce()
        whole = None
        if self.rewind is not None and (whole := await self.rewind.before(batch)) is None:
            return  # it is read again from where the state is whole
        arrivals, refused = _decoded(batch)
        self._reject_limit.take(len(batch), len(refused))
        tally = await self._engine.handle(
            arrivals,
            self._store,
            partition=batch.partition,
            caught_up=batch.covers[1] >= batch.highwater,
            hold=whole is not None and whole.refilling,
            rebuilding=whole is not None and bool(whole.rebuilding),
        )
        if not await self._is_whole_after(batch):
            return
        refused += [(arrival.offset, why) for _, arrival, why in tally.conflicts]
        hit("detect.before_rejects")
        values = dict(zip(batch.offsets, batch.values, strict=True))
        await self._sender.deliver(
            [self._reject(batch, offset, values[offset], why) for offset, why in refused]
        )
        if self._inbox:
            await self._sender.deliver(self._inbox_entries(tally))
        hit("detect.before_judged")
        await self._sender.deliver([self._judged(batch, tally, [why for _, why in refused])])
        hit("detect.before_done")
        self._clock_ms = max(self._clock_ms, tally.latest_ms)
        self._measure(batch, tally, [why for _, why in refused], time.monotonic() - began)
        self._behind = batch.covers[1] + len(batch) < batch.highwater
        self._last_batch = time.monotonic()

    async def _announce(self) -> None:
        partitions = range(self._partitions)
        if self.rewind is not None:
            await self.rewind.begin(partitions, judged_before=self._judged_before)
        await self._store.announce(partitions, lost=self._judged_before)
        self._announced = True

    async def _take_in_hand(self) -> None:
        """Between two batches what was found meanwhile comes in force. Where they always overlap,
        wait for such a moment now and then: one batch is judged by one version.
        """
        if time.monotonic() - self._adopted > ADOPT_EVERY_S:
            while self._in_work:
                await self._none_in_work.wait()
        if not self._in_work:
            self._adopt()
            self._adopted = time.monotonic()
        self._in_work += 1
        self._none_in_work.clear()

    def _adopt(self) -> None:
        """What was found meanwhile is in force from this batch on, and its record says so."""
        self._in_force = dict(self._versions())
        if self._lookups is not None:
            found = self._lookups.adopt()
            self._engine.facts = found.joiner
            self._in_force |= found.versions

    async def damaged(self, batch: Batch) -> None:
        """A stretch of the log that cannot be read is a reject without bytes, and said aloud."""
        damage = batch.damage
        told = damage.reason if damage is not None else "unreadable"
        first, end = batch.covers
        log.error("unreadable records", partition=batch.partition, first=first, end=end, why=told)
        why = Rejected("not_json", f"records {first}..{end - 1} cannot be read: {told}")
        await self._sender.deliver([self._reject(batch, first, b"", why)])
        await self._sender.deliver([self._judged(batch, Tally(), [why])])
        await self._is_whole_after(batch)

    def assigned(self, partitions: frozenset[Partition]) -> None:
        """These partitions are ours now, and with them their share of the shards to sweep."""
        numbers = {number for _, number in partitions}
        self._assigned |= numbers
        self._seen |= dict.fromkeys(numbers, time.monotonic())

    def revoked(self, partitions: frozenset[Partition]) -> None:
        """These partitions are another worker's."""
        self._assigned -= {number for _, number in partitions}

    async def sweep_for_ever(self) -> None:
        """Judge flagged subjects that have grown, and close alerts that have come to rest."""
        spent = 0.0
        while True:
            # Behind, sweeping takes a fifth of the time at most: reading on comes first.
            await asyncio.sleep(max(SWEEP_EVERY_S, 4 * spent if self._behind else 0.0))
            began = time.monotonic()
            quiet = time.monotonic() - self._last_batch
            idle = not self._in_work and quiet > IDLE_AFTER_S
            if not await self._may_judge():
                continue
            await self._release(idle=idle)
            shards = [n for n in range(self._shards) if n % self._partitions in self._assigned]
            # A worker that took over partitions read to their end has no clock, and needs none.
            if shards and (idle or self._clock_ms):
                judged, revised = await self._engine.sweep(
                    self._store,
                    shards,
                    self._clock_ms,
                    idle=idle,
                    most=SWEPT_AT_ONCE,
                    rebuilding=await self._is_rebuilding(),
                )
                metrics.LOGS_JUDGED.inc(judged)
                metrics.REVISIONS.inc(len(revised))
                if judged and not await self._may_judge():
                    # Some of it was lost on the way, and what was raised is not raised again.
                    await self._engine.sweep_again(self._store)
            spent = time.monotonic() - began

    async def _may_judge(self) -> bool:
        """Whether the logs are whole; a partition that nothing comes from is looked at as well."""
        if self.rewind is None or not self._assigned:
            return True
        if not self._announced:
            await self._announce()
        return await self.rewind.look()

    async def _is_rebuilding(self) -> bool:
        async def held_back() -> bool:
            return bool(await self._store.unsettled(range(self._shards), HELD_MS, 1))

        return self.rewind is not None and await self.rewind.rebuilding(held_back)

    async def _is_whole_after(self, batch: Batch) -> bool:
        return self.rewind is None or await self.rewind.after(batch)

    async def _release(self, *, idle: bool) -> None:
        """A partition without a batch for long, and of which nothing waits, holds nothing back.

        Silence alone says nothing: Kafka may be away, or this process may have been stopped.
        """
        now = time.monotonic()
        silent = frozenset(
            partition
            for partition, seen in self._seen.items()
            if partition in self._assigned and (idle or now - seen > SILENT_AFTER_S)
        )
        if not silent or now - self._released < RELEASE_EVERY_S:
            return
        self._released = now
        if self.rewind is not None:
            silent = await self.rewind.read_to_the_end(self._topic, silent)
        for partition in silent & self._assigned:
            await self._store.advance(partition, FOR_EVER_MS)
            self._seen[partition] = now

    def _inbox_entries(self, tally: Tally) -> list[Outgoing]:
        """Ordinary successes: produced before the ack like `judged`, known by their id if twice."""
        told = self._engine.inbox(tally)
        metrics.VERDICTS.labels("inbox").inc(len(told))
        return [
            Outgoing(self._verdicts_topic, one.verdict_id.encode(), verdicts.encode(one))
            for one in told
        ]

    def _reject(self, batch: Batch, offset: int, raw: bytes | None, why: Rejected) -> Outgoing:
        return rejected(
            raw,
            why,
            target=self._rejected_topic,
            topic=batch.topic,
            topic_id=self._topic_id,
            partition=batch.partition,
            offset=offset,
        )

    def _judged(self, batch: Batch, tally: Tally, refused: list[Rejected]) -> Outgoing:
        first, end = batch.covers
        reasons: Counter[RejectReason] = Counter(why.reason for why in refused)
        record = Judged(
            schema=1,
            topic=batch.topic,
            topic_id=self._topic_id,
            partition=batch.partition,
            first_offset=first,
            next_offset=end,
            read=len(batch),
            judged=tally.judged.total(),
            duplicates=tally.duplicates.total(),
            rejected=len(refused),
            reasons=dict(sorted(reasons.items())),
            hours=hours(tally),
            versions=self._in_force,
        )
        key = f"{self._topic_id}:{batch.partition}".encode()
        return Outgoing(self._judged_topic, key, msgspec.json.encode(record))

    @staticmethod
    def _measure(batch: Batch, tally: Tally, refused: list[Rejected], seconds: float) -> None:
        metrics.READ.inc(len(batch))
        metrics.DUPLICATES.inc(tally.duplicates.total())
        failures = sum(one.event.outcome == "failure" for one in tally.accepted)
        metrics.JUDGED.labels("failure").inc(failures)
        metrics.JUDGED.labels("success").inc(len(tally.accepted) - failures)
        for why in refused:
            metrics.REJECTED.labels(why.reason).inc()
        metrics.LOGS_JUDGED.inc(tally.looked)
        metrics.REVISIONS.inc(len(tally.revised))
        metrics.LAG.labels(str(batch.partition)).set(max(0, batch.highwater - batch.covers[1]))
        if tally.latest_ms:
            metrics.EVENT_AGE.set(tally.latest_ms / 1000)
        metrics.BATCH_SECONDS.observe(seconds)
        metrics.BATCH_RECORDS.observe(len(batch))


Refused = tuple[int, Rejected]


def _decoded(batch: Batch) -> tuple[list[Arrival], list[Refused]]:
    """The events of a batch, and what is none with its reason."""
    arrivals: list[Arrival] = []
    refused: list[Refused] = []
    partition = batch.partition
    for offset, appended, value in zip(
        batch.offsets, batch.timestamps_ms, batch.values, strict=True
    ):
        try:
            backfill = offset in batch.backfilled
            arrivals.append(Arrival(decode(value), partition, offset, appended, backfill))
        except Rejected as why:
            refused.append((offset, why))
    return arrivals, refused
