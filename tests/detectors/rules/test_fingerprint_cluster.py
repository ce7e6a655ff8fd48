"""fingerprint_cluster: fifty accounts fail from fifty addresses by one program in 15 minutes."""

from __future__ import annotations

from typing import Any

import pytest

from detectors.events import LoginEvent
from tests.builders import HOUR, QUIET, changed, found, login, rules
from tests.detectors.warm import PHONE, warm

from .timelines import Seen, Shape, basic, case

RULE = "fingerprint_cluster"
TOOL = "Mozilla/5.0 (OldEdge)"
EVERY = 10.0
LAST = 49 * EVERY


def flood(
    count: int = 50,
    *,
    every: float = EVERY,
    start: float = 0,
    name: str = "f",
    accounts: int = 50,
    addresses: int = 50,
    **fields: Any,
) -> list[LoginEvent]:
    """So many attempts by TOOL, on accounts and from addresses in turn."""
    return [
        login(
            start + n * every,
            f"{name}{n}",
            **{
                "account": f"{name}{n % accounts}",
                "ip": f"198.51.100.{n % addresses}",
                "user_agent": TOOL,
            }
            | fields,
        )
        for n in range(count)
    ]


def customers(count: int, **fields: Any) -> list[LoginEvent]:
    """So many successes, one each ten seconds."""
    return flood(count, **{"name": "c", "outcome": "success"} | fields)


def crossing(start: float, **fields: Any) -> list[LoginEvent]:
    """Fifty failures within eight minutes."""
    return flood(start=start, **fields)


SHAPE = Shape(
    rule=RULE,
    threshold=50,
    severity="high",
    window=900,
    accounts=50,
    crossing=crossing,
    stretched=lambda seconds: flood(every=seconds / 49),
    subject=TOOL,
    store=lambda: warm(["f3"]),
)


def alert(at: float = LAST, **other: Any) -> Seen:
    """The alert of a flood."""
    return Seen("high", at, at, 50, 50, TOOL)._replace(**other)


def spread(addresses: int, pattern: str) -> list[LoginEvent]:
    """The flood from addresses in turn."""
    events = crossing(0)
    for index in range(50):
        events = changed(events, index, ip=pattern.format(index % addresses))
    return events


COMMON = "LoginwardTrade/5.2"
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
        alert(updated=HOUR + LAST, failures=100, accounts=100),
    ),
    case("two programs are two subjects", changed(crossing(0), 3, user_agent="curl/8")),
    case("a fingerprint makes another program of it", changed(crossing(0), 3, fingerprint="t13d")),
    case(
        "fingerprint and user agent name the program",
        flood(fingerprint="t13d"),
        alert(subject=f"t13d {TOOL}"),
    ),
    case("nobody tells the program", flood(user_agent=None)),
    case("too few accounts", flood(60, accounts=49, addresses=60)),
    case("too few addresses", flood(60, accounts=60, addresses=49)),
    case("many /64 of one /48 are many addresses", spread(50, "2001:db8:0:{}::1"), alert()),
    case("many addresses of one /64 are one address", spread(50, "2001:db8::{}")),
    case(
        "an address mapped into IPv6 is the IPv4 address",
        changed(crossing(0), 49, ip="::ffff:198.51.100.3"),
    ),
    case(
        "an event without an address is no further address",
        changed(crossing(0), -1, ip=None),
    ),
    case("a login without an account", changed(crossing(0), -1, account=None)),
    case("a success does not count", changed(crossing(0), 3, outcome="success")),
    case("a failure on a known device does not count", changed(crossing(0), 3, device_id=PHONE)),
    case("a common program, with which customers log in", crossing(0) + customers(40)),
    case(
        "a program that is worse than the others",
        crossing(0) + customers(33),
        alert(severity="medium", successes=33),
    ),
    case(
        "as bad as everywhere",
        crossing(0)
        + customers(33)
        + flood(name="o", user_agent=COMMON)
        + customers(33, name="d", user_agent=COMMON),
    ),
    case(
        "bad beyond doubt though it is so everywhere",
        crossing(0) + flood(name="o", user_agent=COMMON),
        alert(),
        alert(subject=COMMON),
    ),
    case("many users behind one address", flood(addresses=1)),
]


@pytest.mark.parametrize(("events", "expected"), TIMELINES)
def test_timeline(events: list[LoginEvent], expected: list[Seen]) -> None:
    """Fifty accounts failing by one program, each timeline as its name says."""
    assert SHAPE.judged(events) == expected


def test_the_alert_names_the_program() -> None:
    """The SOC reads what the program calls itself; control characters and length are bounded."""
    (one,) = found(flood(user_agent="Edge\n" + "x" * 300), active=rules(only=RULE))

    assert one.subject.type == "fingerprint"
    assert one.subject.value.startswith("Edge\\nxxx")
    assert len(one.subject.value) == 96
    assert "one program attacks from 50 addresses: Edge" in one.summary


def test_names_that_are_alike_at_first_are_two_programs() -> None:
    """What is cut off still tells them apart, by a hash."""
    half = [flood(25, user_agent="x" * 200), flood(25, name="g", user_agent="x" * 201)]

    assert found(half[0] + half[1], active=rules(only=RULE)) == []
