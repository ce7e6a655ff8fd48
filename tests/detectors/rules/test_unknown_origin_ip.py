"""unknown_origin_ip: an address of unknown origin fails three times in a day, or logs in."""

from __future__ import annotations

from typing import Any

import pytest

from detectors.events import LoginEvent, Origin
from tests.builders import DAY, HOUR, IP, QUIET, changed, found, login, rules, series
from tests.detectors.warm import HOME, HOSTING, PHONE, hosting, warm

from .timelines import Seen, Shape, basic, case, common

RULE = "unknown_origin_ip"


def failing(start: float, **fields: Any) -> list[LoginEvent]:
    """Three failures from a network for rent, a minute apart."""
    return series(3, start=start, every=60, origin=HOSTING, **fields)


def failing_stretched(seconds: float) -> list[LoginEvent]:
    """Three failures over `seconds`."""
    return series(3, every=seconds / 2, origin=HOSTING)


def inside(start: float, **fields: Any) -> list[LoginEvent]:
    """Two logins from a network for rent, half a minute apart."""
    name = fields.pop("name", "e")
    said: dict[str, Any] = {"outcome": "success", "origin": HOSTING} | fields
    return [login(start + 30 * n, f"{name}{n}", **said) for n in range(2)]


def inside_stretched(seconds: float) -> list[LoginEvent]:
    """Two logins over `seconds`."""
    return [login(at, f"e{at}", outcome="success", origin=HOSTING) for at in (0, seconds)]


FAILING = Shape(
    rule=RULE,
    threshold=3,
    severity="medium",
    window=DAY,
    accounts=1,
    crossing=failing,
    stretched=failing_stretched,
    facts=hosting,
    others_off={"logins": 1000},
    store=warm,
)
INSIDE = Shape(
    rule=RULE,
    threshold=2,
    severity="medium",
    window=DAY,
    accounts=1,
    crossing=inside,
    stretched=inside_stretched,
    facts=hosting,
    counts=lambda events: {"successes": events},
    others_off={"failures": 1000, "logins": 2},
    store=warm,
)
TIMELINES = [
    *common(FAILING),
    case(
        "a second quiet time is a second alert",
        failing(0) + failing(QUIET, name="again"),
        Seen("medium", 120, 120, 3, 1),
        # Three of the last 24 hours are still there: the first one more opens it.
        Seen("medium", QUIET, QUIET + 120, 6, 1),
    ),
    case(
        "one alert grows within a quiet time",
        failing(0) + failing(HOUR, name="again"),
        Seen("medium", 120, HOUR + 120, 6, 1),
    ),
    case("a login without an account", failing(0, account=None), Seen("medium", 120, 120, 3, 0)),
    case(
        "many users behind one address",
        [
            login(12 * n, f"e{n}", account=f"user{n}", origin=HOME, outcome="failure")
            for n in range(300)
        ],
    ),
    case(
        "a country of one login in a thousand is not rare",
        series(3, every=60, origin=Origin(country="JP", asn=1)),
    ),
    case(
        "a country of fewer is",
        series(3, every=60, origin=Origin(country="KP", asn=1)),
        Seen("medium", 120, 120, 3, 1),
    ),
    case(
        "a country never seen is",
        series(3, every=60, origin=Origin(country="AQ", asn=1)),
        Seen("medium", 120, 120, 3, 1),
    ),
    case(
        "in a system without a thousand logins no country is rare",
        series(3, every=60, origin=Origin(country="AQ", asn=1), system="app"),
    ),
    case("an origin of which nobody knows", series(300, every=60)),
    case(
        "an ordinary network between does not count",
        changed(failing(0), 1, origin=HOME),
    ),
]
INSIDE_TIMELINES = [
    *basic(INSIDE),
    case(
        "an address mapped into IPv6 is the IPv4 address",
        changed(inside(0), 0, ip=f"::ffff:{IP}"),
        Seen("medium", 30, 30, 0, 1, successes=2),
    ),
    case("a login from another address", changed(inside(0), 0, ip="198.51.100.9")),
    case("another address of the network", changed(inside(0), 0, ip="192.0.2.8")),
    case(
        "a device known to the account",
        inside(0, device_id=PHONE),
    ),
    case(
        "a device not known to the account",
        inside(0, device_id="strange"),
        Seen("medium", 30, 30, 0, 1, successes=2),
    ),
    case(
        "a device known to the account beside one that is not",
        changed(inside(0, device_id=PHONE), 1, device_id="strange"),
    ),
    case("an ordinary network", inside(0, origin=HOME)),
]


@pytest.mark.parametrize(("events", "expected"), TIMELINES)
def test_failing_timeline(events: list[LoginEvent], expected: list[Seen]) -> None:
    """Three failures in a day, each timeline as its name says."""
    assert FAILING.judged(events) == expected


@pytest.mark.parametrize(("events", "expected"), INSIDE_TIMELINES)
def test_login_timeline(events: list[LoginEvent], expected: list[Seen]) -> None:
    """Two logins in a day (the limit set to two), each timeline as its name says."""
    assert INSIDE.judged(events) == expected


def test_one_login_is_enough_and_says_why() -> None:
    """With the limit of the file a single login alerts, with the firm's definition in it."""
    (alert,) = found(inside(0)[:1], active=rules(only=RULE), facts=hosting)

    assert (alert.severity, alert.part, alert.threshold) == ("medium", "login", 1)
    assert alert.summary == (
        f"{IP} logged in 1 times on 1 accounts: at least 1 within 24 hours (unknown origin, "
        "definition 1: a cloud, hosting, VPN or Tor network, an address on a list of threat "
        "intelligence, or a country with under 0.1 % of the system's successes of 90 days)"
    )


def test_it_does_not_make_an_address_bad() -> None:
    """A login from a cloud is no attack: the logins after it are no takeovers."""
    active = (*rules(only=RULE), *rules(only="success_after_attack"))

    told = found([*failing(0), *inside(300)], active=active, facts=hosting)

    assert {alert.rule for alert in told} == {RULE}
