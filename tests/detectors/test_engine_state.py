"""What the engine keeps beside the store: taken back, lost and counted once."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from random import Random

import pytest

from detectors.alerts import Alert
from detectors.census import SETTLED_DAYS, Census
from detectors.events import DAY_MS, LoginEvent, Origin, milliseconds
from detectors.memory import MemoryStore
from detectors.rates import Day, hour_field
from detectors.windows import FOR_EVER_MS
from tests.builders import (
    MINUTE,
    START,
    arrivals,
    engine,
    final,
    finish,
    found,
    login,
    rules,
    series,
)
from tests.detectors.attacked import attacked

NOW_MS = milliseconds(START) + DAY_MS


def test_a_batch_that_begins_inside_an_earlier_one_is_counted_from_its_end() -> None:
    """Redelivered with another cut, each login stands in the census once."""
    events = series(15, every=1, accounts=15, outcome="success")

    async def scenario() -> int:
        judge, store = engine(), MemoryStore()
        await judge.handle(arrivals(events[:10]), store)
        await judge.handle(arrivals(events[5:], offset=5), store)
        day = milliseconds(START) // DAY_MS
        counts = (await store.by_day("web", day, day))[day].counts
        return counts[hour_field(START.hour, "S")]

    assert asyncio.run(scenario()) == 15


def test_after_a_loss_the_same_events_give_the_same_alerts() -> None:
    """Nothing that this process remembers of the old state keeps it from telling anew."""
    events = series(25, every=2, accounts=25)

    async def scenario() -> tuple[MemoryStore, MemoryStore]:
        judge, before, after = engine(), MemoryStore(), MemoryStore()
        await judge.handle(arrivals(events), before)
        await finish(judge, before, NOW_MS)
        judge.forget()
        await judge.handle(arrivals(events), after)
        await finish(judge, after, NOW_MS)
        return before, after

    before, after = asyncio.run(scenario())
    assert final(before) == final(after) != []


class _Reads(MemoryStore):
    """A store that says of which days its shares were read."""

    def __init__(self) -> None:
        super().__init__()
        self.last_days: list[int] = []

    async def by_day(self, system: str, first_day: int, last_day: int) -> Mapping[int, Day]:
        self.last_days.append(last_day)
        return await super().by_day(system, first_day, last_day)


def test_the_shares_of_days_in_turn_are_read_once_each() -> None:
    """Around midnight batches hold logins of two days; a loss of state forgets both."""
    census, store = Census(), _Reads()
    day = milliseconds(START) // DAY_MS

    async def scenario() -> None:
        for turn in (0, 1, 0, 1, 2, 3, 0):
            await census.shares("web", (day + turn) * DAY_MS, store)
        census.forget()
        await census.shares("web", day * DAY_MS, store)

    asyncio.run(scenario())
    assert [last - day + SETTLED_DAYS for last in store.last_days] == [0, 1, 2, 3, 0, 0]


def calm_then_attacked() -> list[LoginEvent]:
    """Ten minutes of failures beside as many customers, then half an hour of failures alone."""
    chance, host = Random(7), Origin(country="NL", asn=64510)
    calm = [
        login(at, f"{what}{at}", account=f"{what}{at}", ip=f"198.51.100.{at % 200}", origin=host)
        for at in range(0, 10 * MINUTE, 15)
        for what in "ab"
    ]
    flood = [
        login(
            15 * MINUTE + at,
            f"f{at}",
            account=f"f{at}",
            ip=f"203.0.113.{chance.randrange(200)}",
            origin=host,
        )
        for at in range(30 * MINUTE)
    ]
    customers = [
        login(at, f"c{at}", outcome="success", account=f"c{at}", origin=host)
        for at in range(0, 10 * MINUTE, 5)
    ]
    return sorted([*calm, *customers, *flood], key=lambda event: event.judged_at)


@pytest.mark.parametrize("rule", ["asn_attack", "global_attack_mode"])
def test_an_hour_that_goes_on_is_read_again(rule: str) -> None:
    """Where every partition is read to its end, too: what is settled by then still grows."""
    events, active, store = calm_then_attacked(), rules(only=rule), attacked(())

    async def live() -> list[Alert]:
        judge = engine(active)
        for first in range(0, len(events), 50):
            batch = arrivals(events[first : first + 50], offset=first)
            await judge.handle(batch, store, caught_up=True)
            await judge.sweep(store, [0], batch[-1].appended_ms, idle=False)
        await finish(judge, store, NOW_MS)
        return final(store)

    assert asyncio.run(live()) == found(events, cut=50, active=active, store=attacked(())) != []


def test_a_minute_that_goes_on_is_no_burst() -> None:
    """Also where every partition is read to its end: in its second half customers log in."""
    active, store = rules(only="global_attack_mode"), attacked(())
    events = [
        login(
            minute * MINUTE + n * 0.3,
            f"f{minute}-{n}",
            account=f"f{minute}-{n}",
            ip=f"198.51.100.{n + 64 * minute}",
        )
        for minute in range(3)
        for n in range(60)
    ]
    events += [
        login(2 * MINUTE + 30 + n * 0.1, f"c{n}", account=f"c{n}", outcome="success")
        for n in range(200)
    ]

    async def live() -> list[Alert]:
        judge = engine(active)
        for first in range(0, len(events), 20):
            batch = arrivals(events[first : first + 20], offset=first)
            await judge.handle(batch, store, caught_up=True)
            await judge.sweep(store, [0], batch[-1].appended_ms, idle=False)
        await finish(judge, store, NOW_MS)
        return final(store)

    assert asyncio.run(live()) == found(events, active=active, store=attacked(())) == []


def test_what_a_sweep_took_can_be_swept_again() -> None:
    """A sweep whose findings were lost on their way is done again, and finds the same."""

    async def scenario() -> tuple[list[object], list[object]]:
        judge, store = engine(), MemoryStore()
        await judge.handle(arrivals(series(25, every=2, accounts=25)), store)
        await store.advance(0, FOR_EVER_MS)
        taken = await store.unsettled([0], FOR_EVER_MS, 500)
        await judge.sweep(store, [0], NOW_MS, idle=True)
        left = await store.unsettled([0], FOR_EVER_MS, 500)
        assert left == []
        await judge.sweep_again(store)
        return list(taken), list(await store.unsettled([0], FOR_EVER_MS, 500))

    taken, again = asyncio.run(scenario())
    assert set(taken) == set(again) != set()


def test_the_inbox_holds_ordinary_logins_of_customers_alone() -> None:
    """An entry for each success of somebody who can be told; none for failures."""
    events = [
        login(0, "mine", outcome="success"),
        login(1, "missed"),
        login(2, "nobody", outcome="success", account=None),
        login(3, "staff", outcome="success", account_class="staff"),
    ]

    async def scenario() -> list[str]:
        judge, store = engine(), MemoryStore()
        tally = await judge.handle(arrivals(events), store)
        return [entry.event_id for entry in judge.inbox(tally)]

    assert asyncio.run(scenario()) == ["mine"]
