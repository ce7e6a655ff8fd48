"""Events, timelines and runs of the engine for tests; every time is in seconds after START."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from config.rules import load_rules
from detectors import alerts, verdicts, wire
from detectors.alerts import Alert
from detectors.engine import Arrival, Engine
from detectors.events import LoginEvent, milliseconds
from detectors.facts import Joiner
from detectors.memory import MemoryStore
from detectors.pseudonyms import Pseudonyms
from detectors.rule import ActiveRule
from detectors.verdicts import Verdict
from detectors.windows import FOR_EVER_MS, WindowStore

START = datetime(2026, 11, 23, 6, tzinfo=UTC)
"""A Monday, and the first instant of a quiet time of six hours."""

MINUTE, HOUR, DAY = 60, 3_600, 86_400
QUIET = 6 * HOUR
IP, OTHER_IP = "192.0.2.7", "198.51.100.9"
PARTITIONS = 4
"""More than any test spreads its events over."""
NAMES = Pseudonyms(bytes(range(32)))
"""Pseudonyms under a fixed key, so that every run of a test sees the same bytes."""


def time(at: float) -> datetime:
    """START plus `at` seconds (whole milliseconds)."""
    return START + timedelta(milliseconds=round(at * 1000))


def login(at: float, name: str, **fields: Any) -> LoginEvent:
    """A failed login of account `alice` from IP, as it comes off the wire; `fields` win."""
    said: dict[str, Any] = {
        "schema": 1,
        "event_id": name,
        "occurred_at": time(at),
        "system": "web",
        "account": "alice",
        "ip": IP,
        "outcome": "failure",
    }
    return wire.decode(wire.encode(LoginEvent(**said | fields)))


def series(
    count: int,
    *,
    every: float,
    start: float = 0,
    name: str = "e",
    accounts: int = 1,
    **fields: Any,
) -> list[LoginEvent]:
    """`count` failures `every` seconds from `start`, the accounts taken in turn."""
    return [
        login(start + n * every, f"{name}{n}", **{"account": f"account{n % accounts}"} | fields)
        for n in range(count)
    ]


def changed(events: Sequence[LoginEvent], index: int, **fields: Any) -> list[LoginEvent]:
    """`events` with one of them told differently."""
    event = events[index]
    said = {name: getattr(event, name) for name in event.__struct_fields__} | fields
    new = wire.decode(wire.encode(LoginEvent(**said)))
    return [new if n == index % len(events) else event for n, event in enumerate(events)]


def arrivals(events: Iterable[LoginEvent], *, partition: int = 0, offset: int = 0) -> list[Arrival]:
    """`events` as records of one partition from `offset` on, appended when they happened."""
    return [
        Arrival(event, partition, number, milliseconds(event.judged_at))
        for number, event in enumerate(events, start=offset)
    ]


def rules(*, only: str | None = None) -> tuple[ActiveRule, ...]:
    """The detections with the limits of config/rules.toml; with `only` that one alone."""
    return tuple(r for r in load_rules().active() if only is None or r.rule.id == only)


def engine(active: Sequence[ActiveRule] | None = None, facts: Joiner | None = None) -> Engine:
    """An engine under NAMES, with all detections or these."""
    return Engine(rules() if active is None else active, NAMES, facts)


async def finish(judge: Engine, store: WindowStore, clock_ms: int, shards: int = 1) -> None:
    """Read to the end of every partition, sweep until nothing is unsettled; bounded, since a store
    that never settles is a fault.
    """
    for partition in range(PARTITIONS):
        await store.advance(partition, FOR_EVER_MS)
    for _ in range(1000):
        judged, _ = await judge.sweep(store, range(shards), clock_ms, idle=True)
        if not judged:
            return
    raise AssertionError("a thousand sweeps left subjects unsettled")


def final(store: MemoryStore) -> list[Alert]:
    """The alerts of a store as they stand, in the order in which they opened."""
    told = [alerts.decode(body) for body in store.alerts.values()]
    return sorted(told, key=lambda alert: (alert.opened_at, alert.alert_id))


def words(store: MemoryStore) -> list[Verdict]:
    """What customers are told by rules, each rule's word for itself, in the order of time."""
    told = [verdicts.decode(body) for body in store.verdicts.values()]
    return sorted(told, key=lambda word: (word.occurred_at, word.verdict_id, word.rules))


def judged(
    arriving: Sequence[Arrival],
    *,
    cut: int = 1,
    active: Sequence[ActiveRule] | None = None,
    facts: Joiner | None = None,
    store: MemoryStore | None = None,
) -> MemoryStore:
    """The store after these arrivals in batches of `cut`, swept until nothing is unsettled."""
    kept = MemoryStore() if store is None else store

    async def run() -> None:
        judge = engine(active, facts)
        for start in range(0, len(arriving), cut):
            await judge.handle(arriving[start : start + cut], kept)
        await finish(judge, kept, max((a.appended_ms for a in arriving), default=0))

    asyncio.run(run())
    return kept


def found(
    events: Sequence[LoginEvent],
    *,
    cut: int = 1,
    active: Sequence[ActiveRule] | None = None,
    facts: Joiner | None = None,
    store: MemoryStore | None = None,
) -> list[Alert]:
    """The final alerts of events that arrive in this order, in batches of `cut`."""
    return final(judged(arrivals(events), cut=cut, active=active, facts=facts, store=store))
