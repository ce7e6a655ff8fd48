"""account_many_sources: one account fails ten times from five addresses that are of many kinds."""

from __future__ import annotations

from typing import Any

import pytest

from detectors.events import LoginEvent, Origin
from tests.builders import HOUR, MINUTE, NAMES, QUIET, changed, found, login, rules
from tests.detectors.warm import PHONE, warm

from .timelines import Seen, Shape, basic, case

RULE = "account_many_sources"
ALICE = NAMES.account("alice")
TAIWAN, ABROAD = Origin(country="TW", asn=3462), Origin(country="VN", asn=3462)


def place(number: int) -> dict[str, Any]:
    """One of five addresses, the last of them abroad."""
    return {"ip": f"192.0.2.{number % 5}", "origin": ABROAD if number % 5 == 4 else TAIWAN}


def tries(count: int, *, every: float = 60, start: float = 0, **fields: Any) -> list[LoginEvent]:
    """`count` failures of alice from the five addresses in turn."""
    name = fields.pop("name", "e")
    return [login(start + every * n, f"{name}{n}", **place(n) | fields) for n in range(count)]


def crossing(start: float, **fields: Any) -> list[LoginEvent]:
    """Ten failures in nine minutes."""
    return tries(10, start=start, **fields)


def stretched(seconds: float) -> list[LoginEvent]:
    """Ten failures over `seconds`."""
    return tries(10, every=seconds / 9)


SHAPE = Shape(
    rule=RULE,
    threshold=10,
    severity="high",
    window=30 * MINUTE,
    accounts=1,
    crossing=crossing,
    stretched=stretched,
    subject=ALICE,
    store=warm,
)
END = 9 * MINUTE


def each(count: int, say: Any) -> list[LoginEvent]:
    """`count` failures of alice, a minute apart, each with what `say` tells of its number."""
    return [login(60 * n, f"e{n}", **say(n)) for n in range(count)]


def fires(count: int = 10) -> Seen:
    """The alert of `count` failures a minute apart."""
    return Seen("high", END, 60 * (count - 1), count, 1, ALICE)


TIMELINES = [
    *basic(SHAPE),
    case(
        "a second quiet time is a second alert",
        crossing(0) + crossing(QUIET, name="again"),
        fires(),
        fires()._replace(opened=QUIET + END, updated=QUIET + END),
    ),
    case(
        "one alert grows within a quiet time",
        crossing(0) + crossing(HOUR, name="again"),
        fires()._replace(updated=HOUR + END, failures=20),
    ),
    case("two accounts are two subjects", changed(crossing(0), 3, account="bob")),
    case(
        "two addresses of one /64 are one address",
        each(20, lambda n: {"ip": f"2001:db8:0:{n % 4}::{n:x}", "origin": place(n)["origin"]}),
    ),
    case(
        "five /64 are five addresses",
        each(10, lambda n: {"ip": f"2001:db8:0:{n % 5}::{n:x}", "origin": place(n)["origin"]}),
        fires(),
    ),
    case(
        "an address mapped into IPv6 is the IPv4 address",
        [
            *tries(4),
            *tries(16, start=4 * MINUTE, name="m", ip="::ffff:192.0.2.1", origin=ABROAD),
        ],
    ),
    case(
        "an event without an address is no further address",
        each(
            20,
            lambda n: {
                "ip": None if n % 5 == 4 else f"192.0.2.{n % 5}",
                "origin": place(n)["origin"],
            },
        ),
    ),
    case("a success does not count", changed(crossing(0), 4, outcome="success")),
    case(
        "a success on a new device does not count",
        changed(crossing(0), 4, outcome="success", device_id="strange"),
    ),
    case("a failure on a known device does not count", changed(crossing(0), 4, device_id=PHONE)),
    case(
        "a failure on a device known to nobody counts",
        changed(crossing(0), 4, device_id="strange"),
        fires(),
    ),
    case(
        "a failure on a name that is no customer's does not count",
        changed(crossing(0), 4, reason="unknown_account"),
    ),
    case("a login without an account", changed(crossing(0), 4, account=None)),
    case(
        "many addresses of one carrier",
        each(30, lambda n: {"ip": f"192.0.2.{n % 7}", "origin": TAIWAN, "user_agent": "app"}),
    ),
    case(
        "eight addresses of one carrier",
        each(10, lambda n: {"ip": f"192.0.2.{n % 8}", "origin": TAIWAN}),
        fires(),
    ),
    case(
        "three networks of one country",
        each(
            10, lambda n: {"ip": f"192.0.2.{n % 5}", "origin": Origin(country="TW", asn=1 + n % 3)}
        ),
        fires(),
    ),
    case(
        "two networks of one country are too few",
        each(
            10, lambda n: {"ip": f"192.0.2.{n % 5}", "origin": Origin(country="TW", asn=1 + n % 2)}
        ),
    ),
    case(
        "three programs",
        each(10, lambda n: {"ip": f"192.0.2.{n % 5}", "user_agent": f"agent{n % 3}"}),
        fires(),
    ),
    case(
        "two programs are too few",
        each(10, lambda n: {"ip": f"192.0.2.{n % 5}", "user_agent": f"agent{n % 2}"}),
    ),
    case("where nobody knows the places", each(10, lambda n: {"ip": f"192.0.2.{n % 5}"})),
    case("four addresses are too few", each(10, lambda n: place(n) | {"ip": f"192.0.2.{n % 4}"})),
    case(
        "the address abroad has left the window",
        [
            login(0, "first", ip="192.0.2.99", origin=ABROAD),
            *each(8, lambda n: {"ip": f"192.0.2.{n % 5}", "origin": TAIWAN}),
            login(30 * MINUTE, "ninth", ip="192.0.2.1", origin=TAIWAN),
            login(30 * MINUTE, "tenth", ip="192.0.2.1", origin=TAIWAN),
        ],
    ),
]


@pytest.mark.parametrize(("events", "expected"), TIMELINES)
def test_timeline(events: list[LoginEvent], expected: list[Seen]) -> None:
    """Ten failures from five addresses of several kinds, each timeline as its name says."""
    assert SHAPE.judged(events) == expected


def test_the_alert_names_account_and_addresses() -> None:
    """The SOC reads who was tried and from where, and no account as typed."""
    (alert,) = found(crossing(0), active=rules(only=RULE))

    assert (alert.subject.type, alert.subject.value) == ("account", ALICE)
    assert alert.ips == [f"192.0.2.{n}" for n in range(5)]
    assert alert.counts == {"failures": 10, "accounts": 1, "ips": 5}
    assert alert.summary == (
        f"{ALICE} failed 10 times from 5 addresses: at least 10 within 30 minutes, "
        "from several countries, networks or programs"
    )
    assert "alice" not in str(alert)
