"""Batches that are recorded and not judged: what they hold is found by the sweep that follows."""

from __future__ import annotations

import asyncio

from detectors import alerts
from detectors.engine import HELD_MS
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


def test_a_network_is_judged_when_all_its_addresses_have_been() -> None:
    """After a loss addresses are judged a few at a time, in any order: what they raise of their
    network would be told by halves, under revisions that were told before with other content.
    """
    attack = [
        event
        for number in range(8)
        for event in series(
            10, every=5, start=60 * number, name=f"n{number}-", ip=f"203.0.113.{number}"
        )
    ]
    last = arrivals(series(10, every=5, start=600, name="z", ip="203.0.113.99"), offset=len(attack))
    store = MemoryStore()

    async def run() -> None:
        one = engine()
        await one.handle(arrivals(attack), store, hold=True)
        await one.handle(last, store, rebuilding=True)
        for _ in range(100):
            if not await store.unsettled([0], HELD_MS, 1):
                break
            await one.sweep(store, [0], 0, idle=False, most=2, rebuilding=True)
            assert "subnet_attack" not in {alerts.decode(one).rule for one in store.alerts.values()}
        assert store.alerts
        await finish(one, store, 0)

    asyncio.run(run())

    told = final(store)
    assert "subnet_attack" in {alert.rule for alert in told}
    assert told == found([*attack, *(arrival.event for arrival in last)])
