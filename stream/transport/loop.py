"""The only loop an agent uses: handle a batch to its end, then and only then say done."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterable, Awaitable, Callable

from .batch import Batch
from .exits import leave

Handle = Callable[[Batch], Awaitable[None]]

log = logging.getLogger(__name__)


async def run_batches(
    stream: AsyncIterable[Batch],
    handle: Handle,
    *,
    on_damage: Handle | None = None,
    at_once: int = 1,
) -> None:
    """Hand each batch to `handle`, which returns only when every effect of it is durable.

    `handle` retries transient errors inside itself. Whatever leaves it before it returns, be it an
    exception or our own cancellation, ends the process with exit code 70: there is no second path
    on which a batch could be acked undone. Cancelled between two batches it ends quietly.

    `at_once` batches, each of another partition, are in work together: while one waits for Redis,
    the next is decoded. Those of one partition follow one another, each after the one before.

    `on_damage` gets batches of which the log could not be read (no records, `batch.damage` says
    why) and must report them durably; without it, or where the end of the damage cannot be told,
    the process ends with exit code 70 and stays there until somebody looks.
    """
    hands = _Hands(at_once)
    try:
        async for batch in stream:
            await hands.are_free_for(batch)
            if not batch.begin():
                log.info("left %r: its partition is no longer ours", batch)
                continue
            chosen = handle
            if batch.damage is not None:
                if on_damage is None or batch.damage.next_offset is None:
                    leave(f"unreadable records in {batch!r}: {batch.damage.reason}")
                chosen = on_damage
            await hands.take(batch, chosen)
        await hands.are_empty()
    except BaseException as exc:  # CancelledError included, see above
        if (undone := hands.undone()) is not None:
            leave(f"{undone!r} was left undone", exc)
        raise


class _Hands:
    """The batches in work, at most one of a partition."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._work: dict[tuple[str, int], tuple[Batch, asyncio.Task[None]]] = {}

    async def are_free_for(self, batch: Batch) -> None:
        """Wait for the batch before it, of the same partition."""
        before = self._work.get((batch.topic, batch.partition))
        if before is not None:
            await asyncio.wait([before[1]])

    async def take(self, batch: Batch, handle: Handle) -> None:
        """Begin to handle; return when there is a hand for another."""
        place = batch.topic, batch.partition
        if self._most > 1:
            batch.keep()
        task = asyncio.create_task(_to_its_end(batch, handle))
        self._work[place] = batch, task
        task.add_done_callback(lambda done: self._let_go(place, done))
        while len(self._work) >= self._most:
            await self._until_one_is_done()

    async def are_empty(self) -> None:
        """Wait for all of them."""
        while self._work:
            await self._until_one_is_done()

    def undone(self) -> Batch | None:
        """A batch in work, if there is any."""
        return next((batch for batch, task in self._work.values() if not task.done()), None)

    async def _until_one_is_done(self) -> None:
        tasks = [task for _, task in self._work.values()]
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        await asyncio.sleep(0)  # for the callbacks that let go

    def _let_go(self, place: tuple[str, int], done: asyncio.Task[None]) -> None:
        if self._work.get(place, (None, None))[1] is done:
            del self._work[place]


async def _to_its_end(batch: Batch, handle: Handle) -> None:
    try:
        await handle(batch)
    except BaseException as exc:  # noqa: BLE001 - there is no second path, see run_batches
        leave(f"{batch!r} was left undone", exc)
    batch.done()
