"""What a process keeps of hours and days is bounded, and asked for again where it was let go."""

from __future__ import annotations

import asyncio

import pytest

from detectors import attack_mode
from detectors.attack_mode import AttackModes
from detectors.events import DAY_MS, HOUR_MS
from detectors.memory import MemoryStore
from detectors.windows import FOR_EVER_MS

from .test_attack_mode import LIMITS, START_MS


def test_hours_and_days_that_were_let_go_say_the_same_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """With room for two hours and one day, a week there and back gives equal answers."""
    monkeypatch.setattr(attack_mode, "_HOURS_KEPT", 2)
    monkeypatch.setattr(attack_mode, "_DAYS_KEPT", 1)

    async def scenario() -> None:
        modes, store = AttackModes(LIMITS), MemoryStore()

        async def at(day: int) -> object:
            start = START_MS + day * DAY_MS
            return await modes.between("web", start, start + HOUR_MS, FOR_EVER_MS, store)

        there = [await at(day) for day in range(7)]
        back = [await at(day) for day in reversed(range(7))]
        assert there == back[::-1]

    asyncio.run(scenario())
