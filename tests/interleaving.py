"""Several workers over one store: shuffled, repeated, redelivered, interleaved, swept."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from random import Random
from typing import Any, cast

from detectors.alerts import Alert
from detectors.engine import Arrival, Engine
from detectors.events import LoginEvent, milliseconds
from detectors.windows import FOR_EVER_MS, SubjectLog, WindowStore
from loadtest.oracle import Expected

from .builders import START, arrivals, engine, finish, rules


@dataclass(frozen=True, slots=True, kw_only=True)
class Disorder:
    """How a set of events reaches the workers; everything else follows from `seed`."""

    seed: int
    shuffled: bool = True
    workers: int = 1
    batch: int = 50
    again: float = 0.0
    """Share of events that come once more at another offset, as if a source repeats itself."""
    redelivered: float = 0.0
    """Share of batches that come once more as they were, also after later ones."""
    sweeps: float = 0.0
    """Chance of a sweep after a batch, at any clock, idle or not."""


class Around:
    """A store before each of whose calls something else happens."""

    def __init__(self, store: WindowStore, before: Callable[[], Awaitable[object]]) -> None:
        self._store = store
        self._before = before

    def __getattr__(self, name: str) -> Callable[..., Awaitable[Any]]:
        """The call of that name, with what comes before it."""
        call = getattr(self._store, name)

        async def around(*args: Any, **named: Any) -> Any:
            await self._before()
            return await call(*args, **named)

        return around


def around(store: WindowStore, before: Callable[[], Awaitable[object]]) -> WindowStore:
    """`store`, with `before` awaited before each call."""
    return cast("WindowStore", Around(store, before))


def hesitant(store: WindowStore, random: Random) -> WindowStore:
    """A store that lets the other workers run before any of its calls, as the network would."""

    async def hesitate() -> None:
        for _ in range(random.randrange(4)):
            await asyncio.sleep(0)

    return around(store, hesitate)


async def work(
    judge: Engine,
    stores: Sequence[WindowStore],
    events: Sequence[LoginEvent],
    how: Disorder,
    shards: int = 1,
) -> None:
    """Bring `events` to workers as `how` says, then come to rest; stores are shared in turn."""
    random = Random(how.seed)
    batches = _batches(events, how, random)
    hands = [batches[worker :: how.workers] for worker in range(how.workers)]

    async def one(worker: int) -> None:
        store = hesitant(stores[worker % len(stores)], random)
        for batch in hands[worker]:
            await judge.handle(batch, store, partition=batch[0].partition)
            if random.random() < how.sweeps:
                clock = milliseconds(START) + random.randrange(-3_600_000, 8 * 3_600_000)
                await judge.sweep(store, range(shards), clock, idle=random.random() < 0.3)

    await asyncio.gather(*map(one, range(how.workers)))
    await at_rest(judge, stores[0], events, how.workers, shards)


async def catch_up(
    stores: Sequence[WindowStore], events: Sequence[LoginEvent], how: Disorder, shards: int = 1
) -> None:
    """Each worker reads a partition of its own at its own pace, less than a minute disordered."""
    random = Random(how.seed)
    late = {event.event_id: random.uniform(0, 59.9) for event in events}
    coming = sorted(events, key=lambda e: e.occurred_at.timestamp() + late[e.event_id])
    partition_of = [random.randrange(how.workers) for _ in coming]

    async def one(worker: int) -> None:
        store = hesitant(stores[worker % len(stores)], random)
        judge = engine()
        await store.announce(range(how.workers))
        mine = [event for event, at in zip(coming, partition_of, strict=True) if at == worker]
        arriving = arrivals(mine, partition=worker)
        clock = 0
        while arriving:
            batch = arriving[: random.randint(1, how.batch)]
            arriving = arriving[len(batch) :]
            tally = await judge.handle(batch, store, partition=worker, caught_up=not arriving)
            clock = max(clock, tally.latest_ms)
            if random.random() < how.sweeps:
                await judge.sweep(store, range(shards), clock, idle=False)
        await store.advance(worker, FOR_EVER_MS)

    await asyncio.gather(*map(one, range(how.workers)))
    await at_rest(engine(), stores[0], events, how.workers, shards)


async def at_rest(
    judge: Engine,
    store: WindowStore,
    events: Sequence[LoginEvent],
    partitions: int,
    shards: int,
) -> None:
    """Every partition is read to its end, and nothing is left to judge."""
    for partition in range(partitions):
        await store.advance(partition, FOR_EVER_MS)
    clock = max((milliseconds(event.judged_at) for event in events), default=0)
    await finish(judge, store, clock, shards)


def _batches(
    events: Sequence[LoginEvent], how: Disorder, random: Random
) -> list[Sequence[Arrival]]:
    coming = list(events)
    coming += [event for event in events if random.random() < how.again]
    if how.shuffled:
        random.shuffle(coming)
    batches: list[Sequence[Arrival]] = []
    start = 0
    while start < len(coming):
        end = start + random.randint(1, how.batch)
        partition = random.randrange(how.workers)
        batches.append(arrivals(coming[start:end], partition=partition, offset=start))
        start = end
    late = [batch for batch in batches if random.random() < how.redelivered]
    for batch in late:
        batches.insert(random.randint(batches.index(batch) + 1, len(batches)), batch)
    return batches


def monotone(alerts: Iterable[Alert]) -> list[Alert]:
    """Alerts of parts that are a pure function of the set of events."""
    as_of = {
        (active.rule.id, sighting.clause.threshold, sighting.clause.window.total_seconds())
        for active in rules()
        for sighting in active.rule.judge(SubjectLog.of(b""), active.limits)
        if sighting.clause.order == "as_of"
    }
    return [a for a in alerts if (a.rule, a.threshold, a.window_s) not in as_of]


def expected(alert: Alert) -> Expected:
    """An alert in the words of the oracle."""
    return Expected(
        rule=alert.rule,
        system=alert.system,
        subject=alert.subject.value,
        opened_at=milliseconds(datetime.fromisoformat(alert.opened_at)),
        updated_at=milliseconds(datetime.fromisoformat(alert.updated_at)),
        failures=alert.counts["failures"],
    )
