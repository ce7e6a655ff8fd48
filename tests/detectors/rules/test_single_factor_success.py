"""single_factor_success: a login with one factor where the register demands two."""

from __future__ import annotations

from typing import Any

import pytest

from detectors.events import LoginEvent
from detectors.facts import Facts, facts_of
from tests.builders import (
    DAY,
    HOUR,
    NAMES,
    QUIET,
    arrivals,
    changed,
    final,
    judged,
    login,
    rules,
    words,
)
from tests.detectors.warm import HOME, PHONE, warm

from .timelines import Seen, Shape, basic, case

RULE = "single_factor_success"
ALICE = NAMES.account("alice")


def demanding(event: LoginEvent) -> Facts:
    """The facts of an event where `web` and `app` demand two factors, and `dma` does not."""
    return facts_of(event, two_factors=frozenset({"web", "app"}))


def single(at: float, name: str, **fields: Any) -> LoginEvent:
    """Alice logs in at home with her password alone."""
    said: dict[str, Any] = {"outcome": "success", "device_id": PHONE, "origin": HOME, "mfa": False}
    return login(at, name, **said | fields)


def crossing(start: float, **fields: Any) -> list[LoginEvent]:
    """Two such logins, a minute apart."""
    name = fields.pop("name", "e")
    return [single(start + 60 * n, f"{name}{n}", **fields) for n in range(2)]


def stretched(seconds: float) -> list[LoginEvent]:
    """Two such logins, `seconds` apart."""
    return [single(0, "first"), single(seconds, "second")]


SHAPE = Shape(
    rule=RULE,
    threshold=2,
    severity="medium",
    window=DAY,
    accounts=1,
    crossing=crossing,
    stretched=stretched,
    subject=ALICE,
    counts=lambda events: {"successes": events},
    others_off={"logins": 2},
    facts=demanding,
    store=warm,
)


def alert(at: float = 60, **other: Any) -> Seen:
    """The alert of two logins."""
    return Seen("medium", at, at, 0, 1, ALICE, successes=2)._replace(**other)


TIMELINES = [
    *basic(SHAPE),
    case(
        "a second quiet time is a second alert",
        crossing(0) + crossing(QUIET, name="again"),
        alert(),
        alert(QUIET, updated=QUIET + 60, successes=3),
    ),
    case(
        "one alert grows within a quiet time",
        crossing(0) + crossing(HOUR, name="again"),
        alert(updated=HOUR + 60, successes=4),
    ),
    case("two accounts are two subjects", changed(crossing(0), 1, account="bob")),
    case("a failure does not count", changed(crossing(0), 1, outcome="failure")),
    case("a second factor was used", changed(crossing(0), 1, mfa=True)),
    case("nobody tells whether there was one", changed(crossing(0), 1, mfa=None)),
    case("the system does not demand it", crossing(0, system="dma")),
    case("a login without an account", changed(crossing(0), 1, account=None)),
    case("an address of IPv6", crossing(0, ip="2001:db8::7"), alert()),
    case("without an address", crossing(0, ip=None), alert()),
    case(
        "on an unseen device",
        [single(n, f"e{n}", device_id="new") for n in (0, 59)],
        alert(59, severity="high"),
    ),
    case(
        "many users behind one address",
        [single(n, f"e{n}", account=f"c{n}") for n in range(20)],
    ),
]


@pytest.mark.parametrize(("events", "expected"), TIMELINES)
def test_timeline(events: list[LoginEvent], expected: list[Seen]) -> None:
    """Two logins with one factor (the limit set to two), each timeline as its name says."""
    assert SHAPE.judged(events) == expected


def test_once_is_enough_and_the_customer_is_told_nothing() -> None:
    """It is the firm's door that stands open, not the customer's fault."""
    store = judged(
        arrivals([single(0, "e")]), active=rules(only=RULE), facts=demanding, store=warm()
    )

    (one,) = final(store)
    assert (one.event_ids, words(store)) == (["e"], [])
    assert one.summary == (
        f"{ALICE} logged in with one factor where two are demanded: "
        "1 logins, at least 1 within 24 hours"
    )


def test_nothing_is_said_where_no_register_is_asked() -> None:
    """No verdict comes from an absent fact: without the register no system demands anything."""
    assert final(judged(arrivals([single(0, "e")]), active=rules(only=RULE), store=warm())) == []
