"""A run leaves at its own pace, measured by a clock that a test can hold."""

from __future__ import annotations

import asyncio

import pytest

from loadtest.delivery import Deliveries, Delivery
from loadtest.pacing import Pace
from loadtest.run import deliveries

from .conftest import MONDAY_MS, Make


class HeldClock:
    """Time passes in `sleep` alone, and `work` seconds with each look."""

    def __init__(self, work: float = 0.0) -> None:
        self.at, self._work = 100.0, work

    def now(self) -> float:
        """Seconds on this clock."""
        self.at += self._work
        return self.at

    async def sleep(self, seconds: float) -> None:
        """Let time pass at once."""
        assert seconds > 0
        self.at += seconds


def _sent(run: Deliveries, clock: HeldClock, speedup: float | None) -> list[tuple[float, Delivery]]:
    pace = Pace(start_ms=MONDAY_MS, speedup=speedup, clock=clock)

    async def all_of() -> list[tuple[float, Delivery]]:
        return [
            (clock.at - 100.0, delivery)
            async for chunk in pace.chunks(iter(run))
            for delivery in chunk
        ]

    return asyncio.run(all_of())


@pytest.mark.parametrize("speedup", [0.5, 1.0, 60.0])
def test_records_leave_when_they_are_due(make: Make, speedup: float) -> None:
    """Each record leaves at its time over the speed-up, at most a tenth of a second early."""
    run = deliveries(make.request("A+G", rate=50.0, duration_ms=60_000))

    sent = _sent(run, HeldClock(), speedup)

    for left, delivery in sent:
        due = (delivery.due_ms - MONDAY_MS) / 1000 / speedup
        assert due - 0.1 - 1e-6 <= left <= due + 1e-6


def test_pacing_changes_no_record(make: Make) -> None:
    """Paced, unpaced, by a slow machine: the same records in the same order."""
    request = make.request("A+G", events=3_000, disorder_ms=5_000, duplicates=0.1, bad=5)

    plain = [d for _, d in _sent(deliveries(request), HeldClock(), None)]
    paced = [d for _, d in _sent(deliveries(request), HeldClock(), 100.0)]
    slow = [d for _, d in _sent(deliveries(request), HeldClock(work=7.0), 100.0)]

    assert plain == paced == slow


def test_without_a_pace_nobody_waits(make: Make) -> None:
    """As fast as possible means that no time passes on the clock."""
    clock = HeldClock()

    _sent(deliveries(make.request("G", events=500)), clock, None)

    assert clock.at == 100.0
