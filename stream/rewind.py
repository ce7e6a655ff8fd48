"""Lost state is noticed within half a second, and reading goes back to where it is whole.

Every write is idempotent, so reading again restores what was lost. Until a partition has come again
to where it was, batches are recorded and not judged: half a log would be told under the id of a
whole one. What was lost wholly is rebuilt from `WINDOW_MS` of `logins` at most, by the broker's
time of appending; memory that reaches further back stays cold (`detect.cold_after_loss`).
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Final, Protocol

import structlog
from aiokafka.errors import KafkaError

from detectors.windows import RETENTION_MS

from .fences import Fences, Whole
from .retry import until_done
from .transport.batch import Batch
from .transport.marks import Partition

WINDOW_MS: Final = RETENTION_MS
"""What any window, quiet time and lateness reach back: older attempts change no alert."""
_PATIENCE_S: Final = 5.0
_ALL_MS: Final = 0
_NEWER_THAN_ANY_MS: Final = 1 << 52

log = structlog.get_logger(__name__)


class Log(Protocol):
    """Where `logins` is read from."""

    async def go_back(self, partition: Partition, offset: int) -> None:
        """Read a partition again from an earlier offset."""
        ...

    async def offsets_since(self, topic: str, since_ms: int) -> Mapping[int, int]:
        """The first offset of each partition appended since; its end where there is none."""
        ...

    def reached(self) -> Mapping[Partition, int]:
        """Up to where each partition that is ours is done."""
        ...


class Rewind:
    """Asked before and after each batch, and now and then. `reader` gives the log once it is there.

    `on_loss`: what this process has cached no longer holds. `cold`: there is no state at all any
    more; memory is to be called cold.
    """

    def __init__(
        self,
        fences: Fences,
        reader: Callable[[], Log],
        *,
        on_loss: Callable[[], None],
        cold: Callable[[], Awaitable[None]],
        now: Callable[[], float] = time.time,
    ) -> None:
        self._fences = fences
        self._reader = reader
        self._on_loss = on_loss
        self._cold = cold
        self._now = now
        self._sent_back: dict[Partition, tuple[int, int]] = {}

    async def begin(self, partitions: range, *, judged_before: bool) -> None:
        """Before the first batch: an installation that has judged nothing is whole from 0 on."""
        if not judged_before:
            await self._fences.found(dict.fromkeys(partitions, 0))

    async def before(self, batch: Batch) -> Whole | None:
        """How whole the state is; None: the batch comes too early and will come again."""
        whole = await self._fences.read()
        return await self._whole(whole, _place(batch), batch.covers[0])

    async def after(self, batch: Batch) -> bool:
        """Say that a batch is in; whether it can be done with, or will come again."""
        start, end = batch.covers
        fence = await self._fences.move(batch.partition, start, end)
        if fence is not None and fence >= start:
            self._sent_back.pop(_place(batch), None)
            return True
        whole = await self._fences.read()
        return await self._whole(whole, _place(batch), start) is not None

    async def look(self) -> bool:
        """Look at partitions that nothing comes from; whether what is recorded may be judged."""
        whole = await self._fences.read()
        for partition, done in self._reader().reached().items():
            if await self._whole(whole, partition, done) is None:
                return False
        return not whole.refilling

    async def rebuilding(self, held_back: Callable[[], Awaitable[bool]]) -> bool:
        """Whether something that was held back while logs were not whole waits to be judged; what
        its judgements raise must wait for all of it. `held_back` looks at every shard.
        """
        whole = await self._fences.read()
        if not whole.rebuilding:
            return False
        if whole.refilling or await held_back():
            return True
        await self._fences.rebuilt(whole.rebuilding)
        return False

    async def read_to_the_end(self, topic: str, partitions: frozenset[int]) -> frozenset[int]:
        """Those of which nothing waits in Kafka; none of them where it does not answer."""
        log = self._reader()
        done = {partition.partition: at for partition, at in log.reached().items()}
        try:
            async with asyncio.timeout(_PATIENCE_S):
                first = await log.offsets_since(topic, _ALL_MS)
                ends = await log.offsets_since(topic, _NEWER_THAN_ANY_MS)
        except (KafkaError, TimeoutError, OSError):
            return frozenset()
        return frozenset(
            number
            for number in partitions
            if number in ends and done.get(number, first[number]) >= ends[number]
        )

    async def _whole(self, whole: Whole, partition: Partition, done: int) -> Whole | None:
        """`whole`, where everything of a partition below `done` is in; else go back."""
        fence = whole.fences.get(partition.partition)
        if fence is not None and fence >= done and whole.cold_until_ms is not None:
            return whole
        if fence is None and whole.cold_until_ms == 0:
            # State of a version that kept no fences, and that was never lost.
            await self._fences.found({partition.partition: done})
            return whole
        return await self._lost(whole, partition, done)

    async def _lost(self, whole: Whole, partition: Partition, done: int) -> Whole | None:
        number = partition.partition
        self._on_loss()
        if whole.cold_until_ms is None:
            await self._cold()
        if number not in whole.fences:
            await self._all_lost(partition.topic)
            whole = await self._fences.read()
        first = (await self._since(partition.topic, _ALL_MS)).get(number, 0)
        place = max(whole.fences.get(number, 0), first)
        if place >= done or self._sent_back.pop(partition, None) == (place, done):
            # What lies between is no longer in Kafka, or holds no records (transaction markers).
            await self._fences.skip(number, done)
            return await self._fences.read()
        self._sent_back[partition] = (place, done)
        log.error("state was lost: reading again", partition=number, at=place, had_come_to=done)
        await self._fences.skip(number, place)
        await self._fences.refill({number: max(done, whole.until.get(number, 0))})
        await self._reader().go_back(partition, place)
        return None

    async def _all_lost(self, topic: str) -> None:
        """Nobody knows how far the others had come: all that stands in Kafka now is read first."""
        since = int(self._now() * 1000) - WINDOW_MS
        await self._fences.refill(await self._since(topic, _NEWER_THAN_ANY_MS))
        await self._fences.found(await self._since(topic, since))

    async def _since(self, topic: str, since_ms: int) -> Mapping[int, int]:
        return await until_done(
            "kafka offsets",
            lambda: self._reader().offsets_since(topic, since_ms),
            lambda failure: isinstance(failure, KafkaError | TimeoutError | OSError),
        )


def _place(batch: Batch) -> Partition:
    return Partition(batch.topic, batch.partition)
