"""dormant_account: a login to an account that had none for half a year."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest

from detectors.account_memory import DORMANT_MS
from detectors.events import DAY_MS, LoginEvent, Origin
from tests.builders import DAY, NAMES, arrivals, changed, final, judged, login, rules, words
from tests.detectors.warm import HOME, NEWCOMER, OLD_PHONE, PHONE, YOUNG, warm

from .timelines import Seen, Shape, basic, case

RULE = "dormant_account"
ALICE = NAMES.account("alice")
ABROAD = Origin(country="VN", asn=45899)
DORMANT_DAYS = DORMANT_MS / DAY_MS


def back(at: float, name: str, **fields: Any) -> LoginEvent:
    """Alice logs in again, at home on her old telephone."""
    said: dict[str, Any] = {"outcome": "success", "device_id": PHONE, "origin": HOME}
    return login(at, name, **said | fields)


def crossing(start: float, **fields: Any) -> list[LoginEvent]:
    """Two such logins within the minute in which neither knows of the other."""
    name = fields.pop("name", "e")
    return [back(start + 30 * n, f"{name}{n}", **fields) for n in range(2)]


SHAPE = Shape(
    rule=RULE,
    threshold=2,
    severity="medium",
    window=DAY,
    accounts=1,
    crossing=crossing,
    stretched=lambda seconds: [back(0, "first"), back(seconds, "second")],
    subject=ALICE,
    counts=lambda events: {"successes": events},
    others_off={"logins": 2},
    store=partial(warm, days_ago=200),
)
# Whoever has logged in is dormant no more: two such logins are never longer than a minute apart.
NO_STRETCH = {"fires when the first is still inside the window"}
ONE = Shape(
    rule=RULE,
    threshold=1,
    severity="medium",
    window=DAY,
    accounts=1,
    crossing=crossing,
    stretched=SHAPE.stretched,
    subject=ALICE,
    store=partial(warm, days_ago=200),
)


def alert(at: float = 0, **other: Any) -> Seen:
    """The alert of a login."""
    return Seen("medium", at, at, 0, 1, ALICE, successes=1)._replace(**other)


TIMELINES = [
    *(one for one in basic(SHAPE) if one.id not in NO_STRETCH),
    case(
        "fires when the first is still inside the window",
        [back(0, "first"), back(59.999, "second")],
        alert(59.999, successes=2),
    ),
    case("two accounts are two subjects", changed(crossing(0), 1, account="bob")),
    case("one alert grows within a quiet time", crossing(0), alert(30, successes=2)),
]
ONE_TIMELINES = [
    case("the first login", [back(0, "e")], alert()),
    case("the next one is ordinary", [back(0, "e"), back(60, "f")], alert()),
    case(
        "a second quiet time is a second alert",
        [back(-30, "e"), back(0, "f")],
        alert(-30),
        alert(),
    ),
    case("a failure", [back(0, "e", outcome="failure")]),
    case("a login without an account", [back(0, "e", account=None)]),
    case("on a device known to the account", [back(0, "e")], alert()),
    case(
        "on a device known for less than a minute",
        [back(0, "e", device_id="new"), back(59.999, "f", device_id="new")],
        alert(updated=59.999, successes=2),
    ),
    case(
        "on a device last used more than 180 days ago",
        [back(0, "e", device_id=OLD_PHONE)],
        alert(),
    ),
    case("no device is told", [back(0, "e", device_id=None)], alert()),
    case("the account has had two successes", [back(0, "e", account=NEWCOMER)]),
    case("an account that was never there", [back(0, "e", account="dora")]),
    case("the system has had 999 successes", [back(0, "e", system=YOUNG)]),
    case("an address of IPv6", [back(0, "e", ip="2001:db8::7")], alert()),
    case(
        "many users behind one address",
        [back(n, f"e{n}", account=f"c{n}") for n in range(20)],
    ),
]


@pytest.mark.parametrize(("events", "expected"), TIMELINES)
def test_timeline(events: list[LoginEvent], expected: list[Seen]) -> None:
    """Two logins (the limit set to two), each timeline as its name says."""
    assert SHAPE.judged(events) == expected


@pytest.mark.parametrize(("events", "expected"), ONE_TIMELINES)
def test_timeline_of_one(events: list[LoginEvent], expected: list[Seen]) -> None:
    """Who is back, each timeline as its name says."""
    assert ONE.judged(events) == expected


@pytest.mark.parametrize(
    ("days", "alerts"), [(DORMANT_DAYS - 0.01, 0), (DORMANT_DAYS + 0.01, 1), (30, 0)]
)
def test_half_a_year_and_the_week_that_memory_is_coarse(days: float, alerts: int) -> None:
    """Of a week only the first login is remembered, so a week more must have passed."""
    store = judged(
        arrivals([back(0, "e")]), active=rules(only=RULE), store=warm(["alice"], days_ago=days)
    )

    assert len(final(store)) == alerts


def test_the_customer_is_asked_only_where_device_and_place_are_new() -> None:
    """A customer who is back at home is not asked."""
    events = [back(0, "home", origin=None), back(1, "away", origin=ABROAD, device_id="new")]

    store = judged(arrivals(events), active=rules(only=RULE), store=warm(["alice"], days_ago=200))

    assert [(word.event_id, word.notice_risk) for word in words(store)] == [("away", "ask")]
    assert final(store)[0].summary == (
        f"{ALICE} logged in after half a year or more without a login: "
        "2 logins, at least 1 within 24 hours"
    )
