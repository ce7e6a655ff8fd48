"""ip_account_spray: one address fails on many accounts, in minutes, in a rush or over the day."""

from __future__ import annotations

from typing import Any

import pytest

from detectors.events import LoginEvent
from tests.builders import DAY, HOUR, MINUTE, NAMES, QUIET, changed, found, login, rules, series

from .timelines import Seen, Shape, case, common

RULE = "ip_account_spray"
HUNDRED_MINUTES = 100 * MINUTE


def spray(start: float, **fields: Any) -> list[LoginEvent]:
    """Ten accounts, ten seconds apart."""
    return series(10, start=start, every=10, accounts=10, **fields)


def spray_stretched(seconds: float) -> list[LoginEvent]:
    """Ten accounts over `seconds`, all but the first within the last minute."""
    return [
        login(0, "first", account="first"),
        *(login(seconds - n, f"e{n}", account=f"a{n}") for n in reversed(range(9))),
    ]


def long(start: float, **fields: Any) -> list[LoginEvent]:
    """Fifteen accounts, a hundred minutes apart: 23 hours and 20 minutes."""
    return series(15, start=start, every=HUNDRED_MINUTES, accounts=15, **fields)


def long_stretched(seconds: float) -> list[LoginEvent]:
    """Fifteen accounts evenly over `seconds`."""
    return [login(n * seconds / 14, f"e{n}", account=f"a{n}") for n in range(15)]


def stuffing(start: float, **fields: Any) -> list[LoginEvent]:
    """Twenty-five tries on fifteen accounts, twenty seconds apart, each account twice at most."""
    return series(25, start=start, every=20, accounts=15, **fields)


def stuffing_stretched(seconds: float) -> list[LoginEvent]:
    """Twenty-five tries on fifteen accounts over `seconds`; the first tries one of them once."""
    return [
        login(0, "first", account="a14"),
        *(login(seconds - n, f"e{n}", account=f"a{n % 14}") for n in reversed(range(24))),
    ]


def _others(count: int, *, start: float) -> list[LoginEvent]:
    """Accounts that no other series here has, a minute apart."""
    return [login(start + 60 * n, f"o{n}", account=f"other{n}") for n in range(count)]


SPRAY = Shape(
    rule=RULE,
    threshold=10,
    severity="high",
    window=5 * MINUTE,
    accounts=10,
    crossing=spray,
    stretched=spray_stretched,
    others_off={"stuffed_accounts": 1000, "long_accounts": 1000},
)
LONG = Shape(
    rule=RULE,
    threshold=15,
    severity="high",
    window=DAY,
    accounts=15,
    crossing=long,
    stretched=long_stretched,
    others_off={"stuffed_accounts": 1000, "sprayed_accounts": 1000},
)
STUFFING = Shape(
    rule=RULE,
    threshold=15,
    severity="high",
    window=15 * MINUTE,
    accounts=15,
    crossing=stuffing,
    stretched=stuffing_stretched,
    others_off={"sprayed_accounts": 1000, "long_accounts": 1000},
)
TIMELINES = [
    *common(SPRAY),
    case(
        "a second quiet time is a second alert",
        spray(0) + spray(QUIET, name="again"),
        Seen("high", 90, 90, 10, 10),
        Seen("high", QUIET + 90, QUIET + 90, 10, 10),
    ),
    case(
        "one alert grows within a quiet time",
        spray(0) + spray(HOUR, name="again"),
        Seen("high", 90, HOUR + 90, 20, 10),
    ),
    case("a login without an account", changed(spray(0), 4, account=None)),
    # Three hundred customers of an office log in over an hour; one in ten mistypes once.
    case(
        "many users behind one address",
        [
            login(12 * n, f"e{n}", account=f"user{n}", outcome="success" if n % 10 else "failure")
            for n in range(300)
        ],
    ),
    case("one account many times is no spray", series(40, every=5)),
    case("nine accounts many times are no spray", series(90, every=3, accounts=9)),
    case(
        "upper and lower case are two accounts as typed",
        [*spray(0)[:-1], login(90, "e9", account="ACCOUNT0")],
        Seen("high", 90, 90, 10, 10),
    ),
]
LONG_END = 14 * HUNDRED_MINUTES
LONG_TIMELINES = [
    *common(LONG),
    case(
        "a pause of three hours sharp does not end the series",
        [*series(8, every=60, accounts=8), *_others(7, start=7 * MINUTE + 3 * HOUR)],
        Seen("high", 13 * MINUTE + 3 * HOUR, 13 * MINUTE + 3 * HOUR, 15, 15),
    ),
    case(
        "a pause of a millisecond more does",
        [*series(8, every=60, accounts=8), *_others(7, start=7 * MINUTE + 3 * HOUR + 0.001)],
    ),
    case(
        "a late event joins two series across the pause",
        [
            *series(8, every=60, accounts=8),
            *_others(7, start=5 * HOUR),
            login(150 * MINUTE, "joins", account="account0"),
        ],
        Seen("high", 5 * HOUR + 6 * MINUTE, 5 * HOUR + 6 * MINUTE, 16, 15),
    ),
    case(
        "an event without an account keeps the series going",
        [
            *series(8, every=60, accounts=8),
            login(150 * MINUTE, "none", account=None),
            *_others(7, start=5 * HOUR),
        ],
        Seen("high", 5 * HOUR + 6 * MINUTE, 5 * HOUR + 6 * MINUTE, 16, 15),
    ),
]
STUFFING_TIMELINES = [
    *common(STUFFING),
    case(
        "further tries on an account count for nothing",
        [*stuffing(0)[:-1], *series(20, start=481, every=1, accounts=1, name="again")],
    ),
    case(
        "further tries on an account cannot switch it off",
        [*series(20, every=1, accounts=1, name="again"), *stuffing(20)],
        Seen("high", 500, 500, 45, 15),
    ),
    case(
        "twenty-five accounts once each",
        series(25, every=20, accounts=25),
        Seen("high", 480, 480, 25, 25),
    ),
    case("fourteen accounts are no stuffing", series(28, every=20, accounts=14)),
]


@pytest.mark.parametrize(("events", "expected"), TIMELINES)
def test_spray_timeline(events: list[LoginEvent], expected: list[Seen]) -> None:
    """Ten accounts in five minutes, each timeline as its name says."""
    assert SPRAY.judged(events) == expected


@pytest.mark.parametrize(("events", "expected"), LONG_TIMELINES)
def test_long_timeline(events: list[LoginEvent], expected: list[Seen]) -> None:
    """Fifteen accounts with pauses of three hours at most, each timeline as its name says."""
    assert LONG.judged(events) == expected


@pytest.mark.parametrize(("events", "expected"), STUFFING_TIMELINES)
def test_stuffing_timeline(events: list[LoginEvent], expected: list[Seen]) -> None:
    """Fifteen accounts and twenty-five tries, each timeline as its name says."""
    assert STUFFING.judged(events) == expected


def test_every_account_is_named_not_the_last_one() -> None:
    """The alert lists whom the address tried, as pseudonyms, in the order of the tries."""
    (alert,) = found(spray(0), active=rules(only=RULE))

    assert alert.accounts == [NAMES.account(f"account{n}") for n in range(10)]
    assert alert.checklist_item == "15"
    assert alert.summary.startswith("10 accounts failed from 192.0.2.7 in 10 attempts")


def test_lists_are_the_first_hundred_and_totals_are_whole() -> None:
    """A large spray names its first hundred accounts and events and counts them all."""
    (alert,) = found(series(150, every=1, accounts=150), active=rules(only=RULE))

    assert alert.counts["accounts"] == alert.counts["failures"] == 150
    assert alert.accounts == [NAMES.account(f"account{n}") for n in range(100)]
    assert alert.event_ids == [f"e{n}" for n in range(100)]


def test_all_addresses_of_a_network_are_evidence() -> None:
    """The alert of a /64 names each full address from which it was tried."""
    events = [login(n, f"e{n}", account=f"a{n}", ip=f"2001:db8:0:7::{n + 1:x}") for n in range(10)]

    (alert,) = found(events, active=rules(only=RULE))

    assert alert.subject.value == "2001:db8:0:7::/64"
    assert alert.ips == [f"2001:db8:0:7::{n + 1:x}" for n in range(10)]
