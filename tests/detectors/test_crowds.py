"""Counts of networks and programs: where they are counted, and what is read from them."""

from __future__ import annotations

import asyncio
from collections import Counter

import pytest

from detectors.crowd_judging import Bounds, is_bad
from detectors.crowds import Crowd, Crowds, Pair, Ratios, Slot, own_ratio
from detectors.events import DAY_MS, HOUR_MS, Origin, milliseconds
from detectors.memory import MemoryStore
from detectors.rates import Day, Tallies
from detectors.slots import SLICE_MS, SLICES, SLOTS, network_slot, program, program_slot
from detectors.windows import FOR_EVER_MS
from tests.builders import START, found, login

BOUNDS = Bounds(12, 50, 30, 30, bad=0.6, times=1.5, surely=0.9)
NOW = milliseconds(START)


@pytest.mark.parametrize(
    ("here", "others", "usual", "bad"),
    [
        (Pair(10, 90), Pair(), Ratios(), True),
        (Pair(11, 89), Pair(), Ratios(), False),
        (Pair(40, 60), Pair(), Ratios(), False),
        (Pair(41, 59), Pair(), Ratios(), None),
        (Pair(20, 80), Pair(50, 50), Ratios(), False),
        (Pair(20, 80), Pair(46, 54), Ratios(), None),
        (Pair(5, 95), Pair(5, 95), Ratios(), True),
        (Pair(40, 60), Pair(), Ratios(here=0.1), None),
        (Pair(10, 90), Pair(), Ratios(here=1.0), False),
        (Pair(0, 60), Pair(900, 90), Ratios(0.1, 0.1), True),
        (Pair(), Pair(), Ratios(), None),
    ],
)
def test_bad_is_a_share_against_the_usual_and_the_others(
    here: Pair, others: Pair, usual: Ratios, bad: bool | None
) -> None:
    """Six tenths where others are far better, nine tenths whatever they are; less what is usual."""
    assert is_bad(here, others, usual, BOUNDS) is bad


def test_the_slots_are_as_many_whatever_comes() -> None:
    """However many networks and programs there are, the number of counts is bounded."""
    names = {program_slot(f"made up {n}") for n in range(20_000)}
    networks = {network_slot(n) for n in range(64_496, 64_496 + 20_000)}

    assert len(names) == len(networks) == SLOTS
    assert not names & networks


@pytest.mark.parametrize(
    ("fingerprint", "agent", "name"),
    [
        (None, None, None),
        ("", "", None),
        ("t13d", None, "t13d"),
        (None, "curl/8", "curl/8"),
        ("t13d", "curl/8", "t13d curl/8"),
        (None, "a\x1b[0m", "a\\x1b[0m"),
    ],
)
def test_a_program_is_what_is_told_of_it(
    fingerprint: str | None, agent: str | None, name: str | None
) -> None:
    """Fingerprint and user agent, printable; nothing where neither is told."""
    assert program(fingerprint, agent) == name


def test_half_of_the_days_say_what_is_usual_of_a_network() -> None:
    """An attack of a few days teaches nothing, and few days with few customers say nothing."""
    days = {n: Day({"N1S": 100, "N1F": 20}) for n in range(6)}
    attacked = days | {n: Day({"N1S": 100, "N1F": 9_000}) for n in range(6, 11)}
    thin = {n: Day({"N1S": 19, "N1F": 20}) for n in range(9)}

    assert own_ratio(attacked, "N1") == own_ratio(days, "N1") == 0.2
    assert own_ratio(thin, "N1") == own_ratio(days, "N2") == 0.0


def test_each_window_holds_its_slices_alone() -> None:
    """What is just too old has left; all others are everybody less those here."""
    crowd = Crowd(
        {0: Pair(1, 100), 1: Pair(2, 10), 12: Pair(3, 1)}, {1: Pair(7, 70), 12: Pair(4, 4)}
    )

    assert crowd.until(12, 12) == (Pair(5, 11), Pair(6, 63))
    assert crowd.until(12, 1) == (Pair(3, 1), Pair(1, 3))
    assert crowd.between(SLICE_MS, 13 * SLICE_MS - 1) == Pair(5, 11)


def test_what_may_still_change_is_read_again() -> None:
    """Only an hour that every partition has passed is kept; a loss of state forgets it."""
    store, crowds = MemoryStore(), Crowds()
    hour = NOW // HOUR_MS
    slot = Slot("N1", NOW, NOW + 1)

    async def reads(settled_ms: int, offset: int) -> Pair:
        added = Tallies(crowds={hour: Counter({"N1:0F": 1, "N:0F": 1})})
        await store.count("web", 0, offset, offset + 1, added)
        found = await crowds.of("web", [slot], settled_ms, store)
        return found[slot].here[hour * SLICES]

    async def all_reads() -> list[int]:
        seen = [(await reads(at, n)).failures for n, at in enumerate((NOW, FOR_EVER_MS, NOW))]
        crowds.forget()
        return [*seen, (await reads(NOW, 3)).failures]

    assert asyncio.run(all_reads()) == [1, 2, 2, 4]


def test_usual_is_read_of_settled_days() -> None:
    """Of the days up to the one before yesterday, here and with everybody."""
    store = MemoryStore()
    today = NOW // DAY_MS
    day = Counter({"N1S": 50, "N1F": 25})
    days = {today - back: day for back in (1, 2, 3, 4)}

    async def read() -> Crowd:
        await store.count("web", 0, 0, 1, Tallies(days=days))
        slot = Slot("N1", NOW, NOW)
        return (await Crowds().of("web", [slot], NOW, store))[slot]

    assert asyncio.run(read()).ratios(NOW // SLICE_MS) == Ratios(here=0.5, everybody=0.0)


def test_a_login_is_counted_by_network_and_by_program() -> None:
    """Successes and failures, each in its slice, and with everybody whose network is told."""
    events = [
        login(1, "a", origin=Origin(asn=64496), user_agent="x"),
        login(301, "b", outcome="success", origin=Origin(asn=64496), fingerprint="y"),
        login(2, "c", user_agent="x"),
    ]
    store = MemoryStore()
    found(events, active=[], store=store)

    async def read() -> dict[str, int]:
        slots = [network_slot(64496), program_slot("x"), program_slot("y"), "N", "T"]
        fields = [f"{slot}:{n}{what}" for slot in slots for n in (0, 1) for what in "SF"]
        return dict(await store.by_crowd("web", NOW // HOUR_MS, fields))

    assert asyncio.run(read()) == {
        f"{network_slot(64496)}:0F": 1,
        f"{network_slot(64496)}:1S": 1,
        f"{program_slot('x')}:0F": 2,
        f"{program_slot('y')}:1S": 1,
        "N:0F": 1,
        "N:1S": 1,
        "T:0F": 2,
        "T:1S": 1,
    }
