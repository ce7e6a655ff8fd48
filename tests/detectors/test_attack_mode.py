"""When an attack on everybody is on, from counts alone."""

from __future__ import annotations

import asyncio
import math
from collections import Counter
from collections.abc import Iterable, Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.attack_mode import (
    AttackMode,
    AttackModes,
    Sensitivity,
    drifting,
    is_burst,
)
from detectors.events import DAY_MS, HOUR_MS
from detectors.memory import MemoryStore
from detectors.rates import (
    ACCOUNT_BITS,
    DAY_BITS,
    MINUTE_MS,
    SKETCH_BITS,
    Day,
    Minute,
    Stretch,
    Tallies,
    Usual,
    distinct,
    hour_field,
    hours_of,
    usual,
)
from detectors.windows import FOR_EVER_MS

LIMITS = Sensitivity(
    bad=0.5,
    minutes=3,
    accounts=30,
    addresses=30,
    lasting_ms=30 * MINUTE_MS,
    drift=8.0,
    drift_lasting_ms=2 * HOUR_MS,
)
MANY = (1 << 40) - 1
"""Forty of the bits of a sketch: 48 accounts or so."""
ALIKE = Usual(ratio=0.1, accounts=0.1, dispersion=1.0, days=20)
DAY = 20_000
START_MS = DAY * DAY_MS + 6 * HOUR_MS


def minute(successes: int, failures: int, bits: int = MANY) -> Minute:
    """A minute in which so many accounts failed from as many addresses."""
    return Minute(successes, failures, bits, bits)


@pytest.mark.parametrize("true_number", [1, 20, 30, 60])
def test_a_sketch_tells_how_many(true_number: int) -> None:
    """Linear counting: of values that set bits at random it says within a quarter how many."""
    bits = 0
    for n in range(true_number):
        bits |= 1 << (hash((n, "value")) * 7 + n * 37) % SKETCH_BITS
    at_most = SKETCH_BITS * math.log(SKETCH_BITS / (SKETCH_BITS - min(true_number, 127)))
    assert 0 < distinct(bits) <= at_most


def test_a_full_sketch_is_more_than_any_limit() -> None:
    """Where no bit is clear nobody knows how many; an empty one is none."""
    assert distinct((1 << SKETCH_BITS) - 1) == math.inf
    assert distinct(0) == 0


@pytest.mark.parametrize(
    ("run", "burst"),
    [
        # 10 successes are 11 attempts of customers: half of that on top are 16.5.
        ([minute(10, 7)] * 3, True),
        ([minute(10, 6)] * 3, False),
        ([minute(10, 7), minute(10, 7), minute(10, 0)], False),
        ([minute(0, 1)] * 3, True),
        ([minute(0, 0)] * 3, False),
        ([minute(10, 70, bits=1)] * 3, False),
        ([Minute(10, 70, accounts=MANY, addresses=7)] * 3, False),
        ([Minute(10, 70, accounts=7, addresses=MANY)] * 3, False),
    ],
)
def test_a_burst(run: list[Minute], burst: bool) -> None:
    """Each minute must be bad, and all together by many accounts from many addresses."""
    assert is_burst(run, ALIKE, LIMITS) is burst


def test_drift_sums_what_exceeds_the_usual() -> None:
    """Usual hours sum to nothing; twice the usual for a day is a drift; one wild hour is none."""
    quiet = [Stretch(100, 10, 10)] * 24
    assert not any(drifting(quiet, ALIKE, LIMITS))
    assert not any(drifting([*quiet, Stretch(100, 1000, 1000)], ALIKE, LIMITS))
    assert drifting([Stretch(100, 20, 20)] * 4, ALIKE, LIMITS) == [False, False, False, True]
    assert drifting([Stretch(100, 20, 20)] * 24 + quiet * 2, ALIKE, LIMITS)[-24:] == [False] * 24


@given(st.lists(st.tuples(*[st.integers(0, 500)] * 3).map(Stretch._make), max_size=60))
def test_drift_is_bounded(hours: list[Stretch]) -> None:
    """However long an attack lasts, the sum falls again within two days of usual hours."""
    assert not drifting([*hours, *[Stretch(100, 10, 10)] * 48], ALIKE, LIMITS)[-1]


def day(successes: int, failures: int) -> Day:
    """A day whose hours are alike: each failure is another account's."""
    return Day(
        {
            hour_field(hour, what): number // 24
            for hour in range(24)
            for what, number in (("S", successes), ("F", failures))
        },
        bytes_of(accounts(range(24), failures // 24)),
    )


def accounts(hours: Iterable[int], number: int) -> set[int]:
    """The bits of so many accounts in each of these hours of a day."""
    return {hour * ACCOUNT_BITS + hour + n * 40 for hour in hours for n in range(number)}


def bytes_of(bits: set[int]) -> bytes:
    """The sketch of a day in which these bits are set."""
    sketch = bytearray(DAY_BITS // 8)
    for bit in bits:
        sketch[bit // 8] |= 0x80 >> bit % 8
    return bytes(sketch)


def test_usual_is_learnt_from_quiet_days() -> None:
    """Sixteen days of attack among twenty do not become what is usual."""
    quiet = {number: day(2400, 240) for number in range(5)}
    attacked = {number: day(2400, 2160) for number in range(5, 20)}

    found = usual(quiet | attacked)

    assert found is not None
    assert (found.ratio, found.dispersion, found.days) == (0.1, 1.0, 5)
    assert found.accounts == pytest.approx(0.1, rel=0.01)


@pytest.mark.parametrize("days", [{}, {0: day(960, 96)}, {0: day(48, 0), 1: day(48, 0)}])
def test_nothing_is_usual_before_a_thousand_successes(days: Mapping[int, Day]) -> None:
    """A cold start says nothing."""
    assert usual(days) is None


def test_a_forgotten_telephone_counts_once() -> None:
    """An account that fails every hour of two days is one account; a day not given is none."""
    days = {DAY + n: Day({}, bytes_of({h * ACCOUNT_BITS for h in range(24)})) for n in range(2)}

    found = hours_of(days, range(DAY * 24, DAY * 24 + 72))

    assert [round(hour.accounts) for hour in found] == [1] + [0] * 71


def test_the_mode_is_known_a_minute_later_and_lasts() -> None:
    """A hot minute counts from 60 s behind its end on, for as long as the limit says."""
    first = START_MS // MINUTE_MS
    mode = AttackMode(hot=(first,), lasting_ms=30 * MINUTE_MS)
    end = START_MS + MINUTE_MS

    assert not mode.on(end + 59_999)
    assert mode.on(end + 60_000)
    assert mode.on(end + 60_000 + 30 * MINUTE_MS - 1)
    assert not mode.on(end + 60_000 + 30 * MINUTE_MS)
    assert mode.is_hot(first)
    assert not mode.is_hot(first + 1)


def test_a_drifting_hour_counts_from_a_minute_behind_its_end() -> None:
    """For as long as the limit says."""
    mode = AttackMode(drifting=(START_MS // HOUR_MS,), drift_lasting_ms=2 * HOUR_MS)

    assert not mode.on(START_MS + HOUR_MS + 59_999)
    assert mode.on(START_MS + HOUR_MS + 60_000)
    assert mode.on(START_MS + 3 * HOUR_MS + 59_999)
    assert not mode.on(START_MS + 3 * HOUR_MS + 60_000)
    assert mode.drifts(START_MS // HOUR_MS)
    assert not mode.drifts(START_MS // HOUR_MS + 1)


async def _filled(hours: Mapping[int, Counter[str]], bits: Mapping[int, set[int]]) -> MemoryStore:
    store = MemoryStore()
    past = range(DAY - 11, DAY - 1)
    told = Tallies(
        days={number: Counter(day(2400, 240).counts) for number in past},
        hours=dict(hours),
        bits=dict(bits),
        day_bits={number: accounts(range(24), 10) for number in past},
    )
    await store.count("web", 0, 0, 1, told)
    return store


def test_modes_are_read_from_a_store() -> None:
    """Ten hot minutes of one hour: the mode is on from the third on, a minute later, then goes."""
    hour = START_MS // HOUR_MS
    counts = Counter({f"{n}{what}": 40 for n in range(10) for what in "SF"})
    bits = {n * 2 * SKETCH_BITS + b for n in range(10) for b in range(2 * SKETCH_BITS)}

    async def scenario() -> list[bool]:
        store = await _filled({hour: counts}, {hour: bits})
        modes = AttackModes(LIMITS)
        mode = await modes.between("web", START_MS, START_MS + HOUR_MS, FOR_EVER_MS, store)
        again = await modes.between("web", START_MS, START_MS + HOUR_MS, FOR_EVER_MS, MemoryStore())
        assert again == mode  # a settled hour is read once
        modes.forget()
        lost = await modes.between("web", START_MS, START_MS + HOUR_MS, FOR_EVER_MS, MemoryStore())
        assert lost.hot == ()
        assert mode.between(START_MS, START_MS + 2 * MINUTE_MS) == (120, 120)
        return [mode.on(START_MS + n * MINUTE_MS) for n in (3, 4, 39, 41, 42)]

    assert asyncio.run(scenario()) == [False, True, True, False, False]


def test_a_drift_is_read_from_the_days_of_a_week() -> None:
    """Over twice the accounts since midnight are a drift by two; not before that is settled."""
    today = Counter({hour_field(hour, "S"): 100 for hour in range(6)})
    failed = accounts(range(6), 25)

    async def scenario(settled_ms: int) -> list[int]:
        store = await _filled({}, {})
        await store.count("web", 1, 0, 1, Tallies(days={DAY: today}, day_bits={DAY: failed}))
        mode = await AttackModes(LIMITS).between(
            "web", DAY * DAY_MS, START_MS + 1, settled_ms, store
        )
        return sorted(hour - DAY * 24 for hour in mode.drifting)

    assert asyncio.run(scenario(FOR_EVER_MS))[:3] == [2, 3, 4]
    assert asyncio.run(scenario(DAY * DAY_MS + 4 * HOUR_MS + 59_999)) == [2]


def test_a_drift_of_today_is_read_again_while_today_goes_on() -> None:
    """Settled for ever is what is read to its end; only hours that are over are kept."""
    today, now = Counter({hour_field(hour, "S"): 100 for hour in range(6)}), DAY * DAY_MS + HOUR_MS
    failed = accounts(range(6), 25)

    async def scenario() -> list[int]:
        store, modes = await _filled({}, {}), AttackModes(LIMITS)

        async def drift() -> list[int]:
            mode = await modes.between("web", now, now, FOR_EVER_MS, store, over_ms=now)
            return sorted(hour - DAY * 24 for hour in mode.drifting)

        assert await drift() == []
        await store.count("web", 1, 0, 1, Tallies(days={DAY: today}, day_bits={DAY: failed}))
        return await drift()

    assert asyncio.run(scenario())[:3] == [2, 3, 4]
