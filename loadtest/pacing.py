"""When records leave: as fast as the broker takes them, or at a multiple of their own time."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from typing import Protocol

from .delivery import Delivery

_STEP_S = 0.1
"""Wall time a paced chunk stands for: short enough that no window notices."""


class Clock(Protocol):
    """Monotonic seconds, and a wait that a test can do without waiting."""

    def now(self) -> float:
        """Seconds from some fixed point."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Return when `seconds` more have passed."""
        ...


class WallClock:
    """The machine's own clock."""

    def now(self) -> float:
        """Monotonic seconds."""
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        """Wait without holding the event loop."""
        await asyncio.sleep(seconds)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """`speedup` seconds of event time pass in one second; None: no waiting at all."""

    start_ms: int
    speedup: float | None
    clock: Clock

    async def chunks(self, run: Iterator[list[Delivery]]) -> AsyncIterator[list[Delivery]]:
        """The chunks of a run, cut finer where paced, each given when its first record is due.

        Late is never made up for by dropping: a slow broker stretches the run.
        """
        if self.speedup is None:
            for chunk in run:
                yield chunk
            return
        began = self.clock.now()
        step_ms = max(1, int(_STEP_S * 1000 * self.speedup))
        for chunk in run:
            for part in _cut(chunk, step_ms):
                due = began + (part[0].due_ms - self.start_ms) / 1000 / self.speedup
                wait = due - self.clock.now()
                if wait > 0:
                    await self.clock.sleep(wait)
                yield part


def _cut(chunk: list[Delivery], step_ms: int) -> Iterator[list[Delivery]]:
    """A sorted chunk in parts of `step_ms` of event time."""
    part: list[Delivery] = []
    for delivery in chunk:
        if part and delivery.due_ms - part[0].due_ms >= step_ms:
            yield part
            part = []
        part.append(delivery)
    if part:
        yield part
