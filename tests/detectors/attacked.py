"""Stores that have seen an attack on everybody: its minutes, beside days of customers alone."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterable

from detectors.events import DAY_MS, milliseconds
from detectors.memory import MemoryStore
from detectors.rates import ACCOUNT_BITS, MINUTE_MS, SKETCH_BITS, Tallies, hour_field
from tests.builders import START

from .warm import warm

START_MS = milliseconds(START)
SYSTEMS = ("web", "app")


def quiet_day() -> Counter[str]:
    """Customers alone: a hundred successes an hour, ten failures."""
    return Counter(
        {hour_field(hour, what): n for hour in range(24) for what, n in (("S", 100), ("F", 10))}
    )


def quiet_accounts() -> set[int]:
    """Of each hour ten accounts that failed."""
    return {hour * ACCOUNT_BITS + hour + n * 50 for hour in range(24) for n in range(10)}


def attack(minutes: Iterable[int]) -> Tallies:
    """Minutes after START (and before, if negative) with a few successes and a flood of failures,
    all accounts and addresses of it different; ten quiet days before.
    """
    told = Tallies()
    today = START_MS // DAY_MS
    for back in range(2, 12):
        told.days[today - back] = quiet_day()
        told.day_bits[today - back] = quiet_accounts()
    for minute in minutes:
        hour, number = divmod(START_MS // MINUTE_MS + minute, 60)
        counts = told.hours.setdefault(hour, Counter())
        counts.update({f"{number}S": 2, f"{number}F": 40})
        first = number * 2 * SKETCH_BITS
        told.bits.setdefault(hour, set()).update(range(first, first + 2 * SKETCH_BITS, 3))
    return told


def drift(days: int) -> Tallies:
    """Ten quiet days, the last `days` of them and START's own with ten times as many accounts that
    fail, hour for hour, and no bad minute.
    """
    told = attack(())
    today = START_MS // DAY_MS
    for day in range(today - days, today + 1):
        told.days[day] = Counter(
            {hour_field(hour, what): 100 for hour in range(24) for what in ("S", "F")}
        )
        # Others than in the hour before: who repeats an old password all day counts once.
        told.day_bits[day] = {
            hour * ACCOUNT_BITS + n for hour in range(24) for n in range(hour % 2, ACCOUNT_BITS, 40)
        }
    return told


def drifting(days: int) -> MemoryStore:
    """A warm store in which everybody is attacked slowly, for `days` before START."""
    return _holding(drift(days))


def attacked(minutes: Iterable[int] = range(-60, 4_000)) -> MemoryStore:
    """A warm store (tests/detectors/warm.py) in which everybody is attacked in these minutes."""
    return _holding(attack(minutes))


def _holding(told: Tallies) -> MemoryStore:
    store = warm()

    async def fill() -> None:
        for system in SYSTEMS:
            await store.count(system, 8, 0, 1, told)

    asyncio.run(fill())
    return store
