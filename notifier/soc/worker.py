"""Serves one output from the queue: its outages are its own, and what it owes is on the disk."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass, field
from random import SystemRandom
from typing import Final

import structlog

from config.failpoints import hit
from detectors.errors import escaped

from .item import Item
from .metrics import SocMetrics
from .output import Output, Refused, pause
from .queue import Queue

IDLE_S: Final = 0.2
"""How long a worker looks away when nothing is due; a new item wakes it earlier."""

_SHOW_EVERY_MS: Final = 1_000

log = structlog.get_logger(__name__)


@dataclass(slots=True, kw_only=True)
class Worker:
    """`now` gives milliseconds; `jitter` a number in [0, 1)."""

    output: Output
    queue: Queue
    metrics: SocMetrics
    now: Callable[[], int]
    jitter: Callable[[], float] = field(default=SystemRandom().random)
    failures: int = 0
    not_before: int = 0
    shown: int = 0
    woken: asyncio.Event = field(default_factory=asyncio.Event)

    async def run(self, stop: asyncio.Event) -> None:
        """Send until `stop`; what is left stays in the queue."""
        while not stop.is_set():
            if not await self.attempt():
                await self._rest(stop)
        await self.output.close()

    async def attempt(self) -> bool:
        """A turn that a disk which refuses writes only delays: what was taken is sent again."""
        try:
            return await self.turn()
        except sqlite3.OperationalError as failure:
            self._down(Refused(escaped(f"our queue: {failure}")))
            return False

    async def turn(self) -> bool:
        """Send what is due now, once; whether there was anything."""
        name = self.output.name
        self._show()
        if self.now() < self.not_before:
            return False
        self.queue.owe_again(name, self.output.doubtful())
        owed = self.queue.owed(name, self.output.at_once)
        if not owed:
            return False
        hit(f"soc.{name}_before_send")
        try:
            refused = await self.output.send([one.item for one in owed])
        except Refused as outage:
            self._down(outage)
            return False
        hit(f"soc.{name}_before_sent")
        named = {failure.item.key for failure in refused if failure.item is not None}
        taken = [one for one in owed if one.item.key not in named]
        self.queue.sent(name, [one.item for one in taken])
        self.metrics.sent.labels(name).inc(len(taken))
        tries = {one.item.key: one.tries for one in owed}
        for failure in refused:
            if failure.item is not None and not failure.whole:
                self._refused(failure, failure.item, tries[failure.item.key])
        down = next((failure for failure in refused if failure.whole), None)
        if down is not None:
            self._down(down)
        elif self.failures and taken:
            log.info("output takes alerts again", output=name, failures=self.failures)
            self.failures = 0
        return down is None

    def _down(self, failure: Refused) -> None:
        """The output as a whole waits."""
        name = self.output.name
        wait = max(pause(self.failures, self.jitter), failure.after or 0.0)
        self.not_before = self.now() + int(wait * 1000)
        if self.failures in {0, 1} or self.failures % 10 == 0:
            owed, _ = self.queue.backlog(name)
            log.warning(
                "output does not take alerts",
                output=name,
                reason=failure.reason,
                waiting=owed,
                again_in_s=round(wait, 1),
            )
        self.failures += 1
        self.metrics.failures.labels(name).inc()

    def _refused(self, failure: Refused, item: Item, tries: int) -> None:
        """One item waits, the others pass."""
        name = self.output.name
        wait = max(pause(tries, self.jitter), failure.after or 0.0)
        self.queue.postpone(name, item, self.now() + int(wait * 1000))
        self.metrics.failures.labels(name).inc()
        log.warning(
            "output refuses an alert",
            output=name,
            alert=item.key,
            reason=failure.reason,
            again_in_s=round(wait, 1),
        )

    def _show(self) -> None:
        if self.now() < self.shown + _SHOW_EVERY_MS:
            return
        self.shown = self.now()
        count, since = self.queue.backlog(self.output.name)
        waited = 0.0 if since is None else max(0, self.now() - since) / 1000
        self.metrics.waiting.labels(self.output.name).set(count)
        self.metrics.oldest.labels(self.output.name).set(waited)

    async def _rest(self, stop: asyncio.Event) -> None:
        self.woken.clear()
        waits = {asyncio.ensure_future(self.woken.wait()), asyncio.ensure_future(stop.wait())}
        await asyncio.wait(waits, timeout=IDLE_S, return_when=asyncio.FIRST_COMPLETED)
        for wait in waits:
            wait.cancel()
