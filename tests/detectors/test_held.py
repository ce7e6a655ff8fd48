"""Batches that are recorded and not judged: what they hold is found by the sweep that follows."""

from __future__ import annotations

import asyncio

from detectors.events import LoginEvent
from detectors.memory import MemoryStore
from tests.builders import arrivals, engine, final, finish, found, login, series, words

EVENTS: list[LoginEvent] = [
    *series(60, every=1, accounts=60),
    login(61, "in", outcome="success", account="alice", device_id="new"),
    *series(40, every=2, start=70, name="f", accounts=3, ip="198.51.100.9"),
]


def test_held_batches_give_the_same_alerts_and_verdicts() -> None:
    """While held nothing is told; then the same is told as if every batch had been judged."""
    held, judged = MemoryStore(), MemoryStore()

    async def run(store: MemoryStore, *, hold: bool) -> None:
        one = engine()
        for first in range(0, len(EVENTS), 20):
            batch = arrivals(EVENTS[first : first + 20], offset=first)
            await one.handle(batch, store, hold=hold)
        assert not hold or not store.alerts
        await finish(one, store, 0)

    asyncio.run(run(held, hold=True))
    asyncio.run(run(judged, hold=False))

    assert len(final(judged)) > 2
    assert final(held) == final(judged) == found(EVENTS)
    assert words(held) == words(judged)
