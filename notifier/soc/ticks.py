"""What looks at the clock: outages, pages, escalation, and what is old enough to go."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from contextlib import suppress
from datetime import timedelta
from typing import Final

import structlog

from detectors.errors import escaped

from .pager import Pager
from .paging import Paging
from .queue import Queue
from .undelivered import Watch

_TICK_S: Final = 0.2
_PRUNE_S: Final = 3_600.0
_TROUBLE_S: Final = 5.0
"""A full disk is looked at again after this: a page that was not noted would go out again."""

log = structlog.get_logger(__name__)


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
            try:
                await self._pager.turn(milliseconds())
            except sqlite3.OperationalError as failure:
                log.warning("cannot page", error=escaped(str(failure)))
                await asyncio.sleep(_TROUBLE_S)
            await _rest(stop)

    async def _clock(self, stop: asyncio.Event) -> None:
        while not stop.is_set():
            try:
                self.look(milliseconds())
            except sqlite3.OperationalError as failure:
                log.warning("cannot write the queue", error=escaped(str(failure)))
                await asyncio.sleep(_TROUBLE_S)
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
