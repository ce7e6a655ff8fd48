"""What looks at the clock: outages, pages, escalation, and what is old enough to go."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from datetime import timedelta
from typing import Final

from .pager import Pager
from .paging import Paging
from .queue import Queue
from .undelivered import Watch

_TICK_S: Final = 0.2
_PRUNE_S: Final = 3_600.0


class Ticks:
    """Without `paging` nobody is paged: the roster names nobody."""

    def __init__(
        self,
        *,
        paging: Paging | None,
        pager: Pager,
        watch: Watch,
        queue: Queue,
        keep: timedelta,
    ) -> None:
        self._paging = paging
        self._pager = pager
        self._watch = watch
        self._queue = queue
        self._keep = int(keep.total_seconds() * 1000)
        self._pruned = 0.0

    async def run(self, stop: asyncio.Event) -> None:
        """Look every 200 ms until `stop`; a provider that hangs holds up pages, nothing else."""
        await asyncio.gather(self._pages(stop), self._clock(stop))

    async def _pages(self, stop: asyncio.Event) -> None:
        while self._paging is not None and not stop.is_set():
            await self._pager.turn(milliseconds())
            await _rest(stop)

    async def _clock(self, stop: asyncio.Event) -> None:
        while not stop.is_set():
            self.look(milliseconds())
            await _rest(stop)

    def look(self, now: int) -> None:
        """Look once at `now` (ms)."""
        self._watch.look(now)
        if self._paging is not None:
            self._paging.look(now)
        if time.monotonic() - self._pruned > _PRUNE_S or not self._pruned:
            self._pruned = time.monotonic()
            self._queue.prune(now - self._keep)


async def _rest(stop: asyncio.Event) -> None:
    with suppress(TimeoutError):
        await asyncio.wait_for(stop.wait(), _TICK_S)


def milliseconds() -> int:
    """Now, since 1970 UTC."""
    return time.time_ns() // 1_000_000
