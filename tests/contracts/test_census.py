"""Counts of a system, as every store keeps them: each login once, whatever comes again."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping

from hypothesis import given, settings
from hypothesis import strategies as st

from detectors.memory import MemoryStore
from detectors.rates import ACCOUNT_BITS, HOUR_BITS, SKETCH_BITS, Day, Hour, Minute, Tallies
from detectors.windows import WindowStore

from .keepers import Keeper
from .parts import run

HOUR, DAY = 492_000, 20_500


def some(number: int = 1) -> Tallies:
    """So many successes and twice as many failures of one minute, and what failed."""
    return Tallies(
        days={DAY: Counter({"S": number, "C:TW": number, "H:0:S": number})},
        hours={HOUR: Counter({"7S": number, "7F": 2 * number})},
        day_bits={DAY: {ACCOUNT_BITS, ACCOUNT_BITS + 7}},
        bits={HOUR: {7 * 2 * SKETCH_BITS, 7 * 2 * SKETCH_BITS + SKETCH_BITS + 3}},
    )


def test_offsets_are_counted_once(keeper: Keeper) -> None:
    """What comes again, whole or in part, adds nothing; the fence says from where to go on."""

    async def scenario(
        one: WindowStore, other: WindowStore
    ) -> tuple[list[int], Mapping[int, Day], Minute]:
        fences = [
            await one.count("web", 0, 0, 10, some()),
            await other.count("web", 0, 0, 10, some()),
            await other.count("web", 0, 5, 15, some()),
            await one.count("web", 0, 10, 15, some()),
            await one.count("web", 1, 0, 10, some()),
            await one.count("app", 0, 0, 10, some(9)),
        ]
        hour = (await other.by_minute("web", [HOUR, HOUR + 1]))[HOUR]
        return fences, await one.by_day("web", DAY - 1, DAY), hour.minute(7)

    fences, days, minute = run(keeper, scenario, workers=2)

    assert fences == [0, 10, 10, 10, 0, 0]
    assert days.keys() == {DAY}
    assert days[DAY].counts == {"S": 3, "C:TW": 3, "H:0:S": 3}
    assert [days[DAY].failing(number).bit_count() for number in range(3)] == [0, 2, 0]
    first, fourth = 1 << (SKETCH_BITS - 1), 1 << (SKETCH_BITS - 4)
    assert minute == Minute(3, 6, accounts=first, addresses=fourth)


def test_crowds_are_counted_once_too(keeper: Keeper) -> None:
    """Slots of networks and programs lie behind the same fence; only what is asked for is read."""

    async def scenario(one: WindowStore, other: WindowStore) -> list[Mapping[str, int]]:
        added = Tallies(crowds={HOUR: Counter({"N1f:3S": 2, "N1f:3F": 7, "T2:11F": 1})})
        for store in (one, other):
            await store.count("web", 0, 0, 10, added)
        await other.count("web", 1, 0, 10, added)
        fields = ["N1f:3S", "N1f:3F", "N1f:4F"]
        return [await other.by_crowd("web", hour, fields) for hour in (HOUR, HOUR + 1)]

    assert run(keeper, scenario, workers=2) == [{"N1f:3S": 4, "N1f:3F": 14}, {}]


def test_what_was_never_counted_is_nothing(keeper: Keeper) -> None:
    """An hour without logins is empty, a day without any is left out."""

    async def scenario(store: WindowStore) -> tuple[Hour, object]:
        return (await store.by_minute("web", [HOUR]))[HOUR], await store.by_day("web", 1, 3)

    hour, days = run(keeper, scenario)

    assert hour == Hour({}, bytes(HOUR_BITS // 8))
    assert [hour.minute(number) for number in (0, 59)] == [Minute(), Minute()]
    assert days == {}


@settings(max_examples=20, deadline=None)
@given(st.sets(st.integers(0, HOUR_BITS - 1), max_size=40))
def test_a_bit_lies_where_a_minute_reads_it(bits: set[int]) -> None:
    """Each bit of a sketch belongs to one minute and dimension, from the left."""
    store = MemoryStore()

    async def scenario() -> Hour:
        await store.count("web", 0, 0, 1, Tallies(bits={HOUR: bits}))
        return (await store.by_minute("web", [HOUR]))[HOUR]

    hour = asyncio.run(scenario())
    found = set()
    for number in range(60):
        minute = hour.minute(number)
        for dimension, value in enumerate((minute.accounts, minute.addresses)):
            start = (2 * number + dimension) * SKETCH_BITS
            found |= {start + n for n in range(SKETCH_BITS) if value >> (SKETCH_BITS - 1 - n) & 1}
    assert found == bits
