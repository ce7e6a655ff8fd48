"""unknown_name_dictionary: an address tries two names that several have tried before."""

from __future__ import annotations

import asyncio
from functools import partial
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors.attempts import DICTIONARY, flags_of, split
from detectors.events import DAY_MS, LoginEvent
from detectors.memory import MemoryStore
from detectors.name_dictionary import Slot, place_of, source_of
from detectors.windows import Observed
from tests.builders import (
    DAY,
    HOUR,
    IP,
    MINUTE,
    NAMES,
    OTHER_IP,
    QUIET,
    arrivals,
    changed,
    found,
    judged,
    login,
    rules,
)
from tests.detectors.warm import START_MS

from .timelines import Seen, Shape, case, common

RULE = "unknown_name_dictionary"
NOBODY: dict[str, Any] = {"reason": "unknown_account"}
OTHERS = ("198.51.100.1", "198.51.100.2", "198.51.100.3")


def listing(days_ago: float = 2) -> MemoryStore:
    """A store in which three addresses have tried ghost0 to ghost2, in `web` and `app`."""
    slots: dict[bytes, Slot] = {}
    for system in ("web", "app"):
        for number in range(3):
            place = place_of(system, NAMES.account_bytes(f"ghost{number}"))
            for address in OTHERS:
                slot = slots.setdefault(place.slot, Slot(b""))
                slot.add(place.name, START_MS - round(days_ago * DAY_MS), source_of(address))
    remembered = {owner: bytes(slot.fresh) for owner, slot in slots.items()}
    store = MemoryStore()
    asyncio.run(store.record(Observed({}, remembered=remembered), {}))
    return store


def ghosts(start: float, **fields: Any) -> list[LoginEvent]:
    """Two listed names, ten seconds apart."""
    name = fields.pop("name", "e")
    said = NOBODY | fields
    return [login(start + 10 * n, f"{name}{n}", **{"account": f"ghost{n}"} | said) for n in (0, 1)]


def tried(at: float, name: str = "new", count: int = 3, **fields: Any) -> list[LoginEvent]:
    """A name is tried from so many other addresses, at once."""
    return [
        login(at, f"{name} {at} {n}", **{"account": name, "ip": ip} | NOBODY | fields)
        for n, ip in enumerate(OTHERS[:count])
    ]


SHAPE = Shape(
    rule=RULE,
    threshold=2,
    severity="high",
    window=DAY,
    accounts=2,
    crossing=ghosts,
    stretched=lambda seconds: [
        login(0, "first", account="ghost0", **NOBODY),
        login(seconds, "last", account="ghost1", **NOBODY),
    ],
    store=listing,
)


def mine(*names: str, at: float = 0) -> list[LoginEvent]:
    """An address tries these names, a second apart."""
    return [login(at + n, f"mine {n}", account=one, **NOBODY) for n, one in enumerate(names)]


FIRES = Seen("high", 1, 1, 2, 2)
TIMELINES = [
    *common(SHAPE),
    case(
        "a second quiet time is a second alert",
        ghosts(0) + ghosts(QUIET, name="again"),
        Seen("high", 10, 10, 2, 2),
        Seen("high", QUIET, QUIET + 10, 4, 2),
    ),
    case(
        "one alert grows within a quiet time",
        ghosts(0) + ghosts(HOUR, name="again"),
        Seen("high", 10, HOUR + 10, 4, 2),
    ),
    case("a login without an account", changed(ghosts(0), 1, account=None)),
    # An office where many mistype their names, each his own.
    case(
        "many users behind one address",
        [login(12 * n, f"e{n}", account=f"typo{n}", **NOBODY) for n in range(300)],
    ),
    case("one listed name again and again", mine("ghost0", "ghost0", "ghost0")),
    case("a name that is a customer's", changed(ghosts(0), 1, reason="bad_password")),
    case("a name that was never tried", mine("ghost0", "new")),
    case("a name tried from two addresses", tried(-HOUR, count=2) + mine("ghost0", "new")),
    case("a name tried from three addresses", tried(-HOUR) + mine("ghost0", "new"), FIRES),
    case("less than a minute ago", tried(1 - 59.999) + mine("ghost0", "new")),
    case("a minute ago", tried(1 - MINUTE) + mine("ghost0", "new"), FIRES),
    case("a week ago", tried(1 - 7 * DAY) + mine("ghost0", "new")),
    case("within a week", tried(1.001 - 7 * DAY) + mine("ghost0", "new"), FIRES),
    case(
        "on three days",
        [
            *tried(-3 * DAY, count=1),
            *tried(-2 * DAY, count=2),
            *tried(-1 * DAY, count=1, ip="203.0.113.9"),
            *mine("ghost0", "new"),
        ],
        FIRES,
    ),
    case(
        "from three addresses of one /64",
        [
            *(login(-HOUR, f"t{n}", account="new", ip=f"2001:db8::{n}", **NOBODY) for n in (1, 2)),
            *tried(-HOUR, count=1),
            *mine("ghost0", "new"),
        ],
    ),
    case("in another system", tried(-HOUR, system="app") + mine("ghost0", "new")),
    case("tried as a customer's", tried(-HOUR, reason="bad_password") + mine("ghost0", "new")),
    case("from one address again and again", tried(-HOUR, ip=OTHER_IP) + mine("ghost0", "new")),
]


@pytest.mark.parametrize(("events", "expected"), TIMELINES)
def test_timeline(events: list[LoginEvent], expected: list[Seen]) -> None:
    """Two listed names in a day, each timeline as its name says."""
    alone = [one for one in SHAPE.judged(events) if one.subject not in OTHERS]

    assert alone == expected


def test_the_address_is_looked_at_when_the_name_is_tried() -> None:
    """Two tries are fewer than any other detection waits for; both carry the mark."""
    store = judged(arrivals(mine("ghost0", "ghost1")), active=rules(), store=listing())

    (log,) = [kept for subject, kept in store._logs.items() if subject.value == IP]
    assert all(flags_of(entry) & DICTIONARY for entry in split(bytes(log.blob)))
    assert log.flagged


def test_what_is_known_of_no_name_is_nobodys() -> None:
    """Where neither source nor directory tells whose a name is, no name is listed."""
    events = [one for n in range(3) for one in tried(n, f"name{n}", reason=None)]

    store = judged(arrivals(events), active=rules(only=RULE))

    assert store._memories == {}


ADDRESSES = tuple(f"203.0.113.{n}" for n in range(8))


@given(
    tries=st.lists(
        st.tuples(st.integers(0, 300), st.sampled_from("abc"), st.sampled_from(ADDRESSES)),
        max_size=40,
    ),
    seed=st.integers(0, 1 << 32),
)
@settings(deadline=None, max_examples=40)
def test_a_minute_of_disorder_changes_no_alert(
    tries: list[tuple[int, str, str]], seed: int
) -> None:
    """Shuffled inside a minute, cut anywhere and doubled: the same bytes."""
    events = [
        login(at, f"e{n}", account=name, ip=ip, **NOBODY) for n, (at, name, ip) in enumerate(tries)
    ]
    random = Random(seed)
    coming = sorted(events * 2, key=lambda e: e.occurred_at.timestamp() + random.uniform(0, 59.9))
    alone = partial(found, active=rules(only=RULE))

    assert alone(coming, cut=random.randint(1, 9)) == alone(
        sorted(events, key=lambda e: e.occurred_at), cut=1
    )


def test_one_try_on_a_listed_name_has_nothing_judged() -> None:
    """Most addresses of a botnet try once or twice: the first is not worth reading a log for."""
    first = judged(arrivals(mine("ghost0")), active=rules(only=RULE), store=listing())

    assert not any(kept.flagged for kept in first._logs.values())
    assert first.alerts == {}
