"""lockout_attack: twenty accounts of one network are locked within ten minutes."""

from __future__ import annotations

from typing import Any

import pytest

from detectors.events import LoginEvent
from tests.builders import HOUR, QUIET, changed, found, rules, series
from tests.detectors.warm import PHONE, warm

from .timelines import Seen, Shape, basic, case

RULE = "lockout_attack"
NET = "192.0.2.0/24"
LAST = 19 * 30
CUSTOMERS = [f"account{n}" for n in range(25)]


def locked(
    count: int = 20, *, every: float = 30, start: float = 0, **fields: Any
) -> list[LoginEvent]:
    """So many accounts, each tried once and locked."""
    return series(count, every=every, start=start, accounts=count, **{"reason": "locked"} | fields)


def crossing(start: float, **fields: Any) -> list[LoginEvent]:
    """Twenty accounts, one each half minute."""
    return locked(start=start, **fields)


def stretched(seconds: float) -> list[LoginEvent]:
    """Twenty accounts over `seconds`."""
    return locked(every=seconds / 19)


SHAPE = Shape(
    rule=RULE,
    threshold=20,
    severity="high",
    window=600,
    accounts=20,
    crossing=crossing,
    stretched=stretched,
    subject=NET,
    store=lambda: warm(CUSTOMERS),
)


def alert(at: float = LAST, **other: Any) -> Seen:
    """The alert of twenty accounts."""
    return Seen("high", at, at, 20, 20, NET)._replace(**other)


def spread(*addresses: str) -> list[LoginEvent]:
    """Twenty accounts from these addresses in turn."""
    events = crossing(0)
    for index in range(20):
        events = changed(events, index, ip=addresses[index % len(addresses)])
    return events


TIMELINES = [
    *basic(SHAPE),
    case(
        "a second quiet time is a second alert",
        crossing(0) + crossing(QUIET, name="again"),
        alert(),
        alert(QUIET + LAST),
    ),
    case(
        "one alert grows within a quiet time",
        crossing(0) + crossing(HOUR, name="again"),
        alert(updated=HOUR + LAST, failures=40),
    ),
    case("two networks are two subjects", changed(crossing(0), 3, ip="203.0.113.7")),
    case("addresses of one network are one subject", spread("192.0.2.1", "192.0.2.200"), alert()),
    case(
        "many /64 of one /48 are one subject",
        spread("2001:db8:7:1::1", "2001:db8:7:2::1"),
        alert(subject="2001:db8:7::/48"),
    ),
    case("two /48 are two subjects", spread("2001:db8:7:1::1", "2001:db8:8:1::1")),
    case(
        "an address mapped into IPv6 is the IPv4 address",
        spread("192.0.2.7", "::ffff:192.0.2.7"),
        alert(),
    ),
    case("an event without an address counts for nobody", changed(crossing(0), 3, ip=None)),
    case("one account that is tried again and again", changed(crossing(0), 3, account="account4")),
    case("a wrong password does not count", changed(crossing(0), 3, reason="bad_password")),
    case("a success does not count", changed(crossing(0), 3, outcome="success", reason=None)),
    case("a login without an account", changed(crossing(0), 3, account=None)),
    case("many users behind one address", locked(25, every=10, device_id=PHONE)),
]


@pytest.mark.parametrize(("events", "expected"), TIMELINES)
def test_timeline(events: list[LoginEvent], expected: list[Seen]) -> None:
    """Twenty locked accounts in ten minutes, each timeline as its name says."""
    assert SHAPE.judged(events) == expected


def test_the_alert_names_the_addresses() -> None:
    """The SOC reads from where accounts were locked, and how many."""
    (one,) = found(spread("192.0.2.1", "192.0.2.200"), active=rules(only=RULE))

    assert (one.subject.type, one.ips) == ("subnet", ["192.0.2.1", "192.0.2.200"])
    assert one.summary == (
        f"20 accounts were locked or found locked from 2 addresses of {NET}: "
        "at least 20 within 10 minutes"
    )
