"""new_device_and_place: a customer's login on a new device and from a new country or network."""

from __future__ import annotations

from typing import Any

import pytest

from detectors.events import LoginEvent, Origin
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
from tests.detectors.warm import HOME, NEWCOMER, OLD_PHONE, PHONE, YOUNG, warm

from .timelines import Seen, Shape, basic, case

RULE = "new_device_and_place"
ALICE = NAMES.account("alice")
ABROAD = Origin(country="VN", asn=45899)


def strange(at: float, name: str, **fields: Any) -> LoginEvent:
    """Alice logs in on a new device from abroad."""
    said: dict[str, Any] = {"outcome": "success", "device_id": name, "origin": ABROAD}
    return login(at, name, **said | fields)


def home(at: float, account: str, **fields: Any) -> LoginEvent:
    """An ordinary login."""
    said: dict[str, Any] = {"outcome": "success", "device_id": PHONE, "origin": HOME} | fields
    return login(at, f"home{at}", account=account, **said)


def crossing(start: float, **fields: Any) -> list[LoginEvent]:
    """Two such logins within the minute in which neither knows of the other."""
    name = fields.pop("name", "e")
    return [strange(start + 30 * n, f"{name}{n}", **fields) for n in range(2)]


def stretched(seconds: float) -> list[LoginEvent]:
    """Two such logins, `seconds` apart; the second from elsewhere again."""
    return [
        strange(0, "first"),
        strange(seconds, "second", origin=Origin(country="TH", asn=45758)),
    ]


SHAPE = Shape(
    rule=RULE,
    threshold=2,
    severity="low",
    window=DAY,
    accounts=1,
    crossing=crossing,
    stretched=stretched,
    subject=ALICE,
    counts=lambda events: {"successes": events},
    others_off={"logins": 2},
    store=warm,
)
ONE = Shape(
    rule=RULE,
    threshold=1,
    severity="low",
    window=DAY,
    accounts=1,
    crossing=crossing,
    stretched=stretched,
    subject=ALICE,
    store=warm,
)


def one(at: float, successes: int = 1) -> Seen:
    """The alert of logins of which the last is at `at`."""
    return Seen("low", at, at, 0, 1, ALICE, successes=successes)


TIMELINES = [
    *basic(SHAPE),
    case(
        "a second quiet time is a second alert",
        # Abroad is known by then: the second time it is another country.
        crossing(0) + crossing(QUIET, name="again", origin=Origin(country="TH", asn=45758)),
        one(30, 2),
        Seen("low", QUIET, QUIET + 30, 0, 1, ALICE, successes=3),
    ),
    case(
        "one alert grows within a quiet time",
        crossing(0) + crossing(HOUR, name="again", origin=Origin(country="TH", asn=45758)),
        one(30, 4)._replace(updated=HOUR + 30),
    ),
    case("two accounts are two subjects", changed(crossing(0), 1, account="bob")),
]
ONE_TIMELINES = [
    case("a new device from a new country and network", [strange(0, "e")], one(0)),
    case(
        "a new device from a new country of a known network",
        [strange(0, "e", origin=Origin(country="VN", asn=3462))],
        one(0),
    ),
    case(
        "a new device from a new network of a known country",
        [strange(0, "e", origin=Origin(country="TW", asn=45899))],
        one(0),
    ),
    case(
        "a new device from a network that one customer in a hundred uses",
        [strange(0, "e", origin=Origin(country="TW", asn=17421))],
    ),
    case(
        "a new device from such a network of a new country",
        [strange(0, "e", origin=Origin(country="JP", asn=17421))],
        one(0),
    ),
    case("a new device from home", [strange(0, "e", origin=HOME)]),
    case("a new device from a place that nobody knows", [strange(0, "e", origin=None)]),
    case("a failure on a new device from abroad", [strange(0, "e", outcome="failure")]),
    case(
        "a failure from abroad, then a success on the new device at home",
        [strange(0, "e", outcome="failure"), strange(1, "f", device_id="e", origin=HOME)],
    ),
    case("a login without an account", [strange(0, "e", account=None)]),
    case("on a device known to the account", [strange(0, "e", device_id=PHONE)]),
    case(
        "on a device known for less than a minute",
        [strange(0, "e"), strange(59.999, "f", device_id="e")],
        Seen("low", 0, 59.999, 0, 1, ALICE, successes=2),
    ),
    case(
        "on a device known for a minute",
        [strange(0, "e"), strange(60, "f", device_id="e")],
        one(0),
    ),
    case(
        "on a device last used more than 180 days ago",
        [strange(0, "e", device_id=OLD_PHONE)],
        one(0),
    ),
    case("no device is told", [strange(0, "e", device_id=None)]),
    case("the account has had two successes", [strange(0, "e", account=NEWCOMER)]),
    case(
        "the account's third success was less than a minute ago",
        [home(0, NEWCOMER), strange(59.999, "e", account=NEWCOMER)],
    ),
    case(
        "the account's third success was a minute ago",
        [home(0, NEWCOMER), strange(60, "e", account=NEWCOMER)],
        one(60)._replace(subject=NAMES.account(NEWCOMER)),
    ),
    case("the system has had 999 successes", [strange(0, "e", system=YOUNG)]),
    case(
        "the system's thousandth success was less than a minute ago",
        [home(0, "bob", system=YOUNG), strange(59.999, "e", system=YOUNG)],
    ),
    case(
        "the system's thousandth success was a minute ago",
        [home(0, "bob", system=YOUNG), strange(60, "e", system=YOUNG)],
        one(60)._replace(system=YOUNG),
    ),
    case(
        "another account's device",
        [strange(0, "e", account="bob"), strange(99, "f", device_id="e")],
        one(0)._replace(subject=NAMES.account("bob")),
        one(99),
    ),
    case(
        "the other system knows the account too",
        [strange(0, "e", system="app", device_id=PHONE)],
    ),
]


@pytest.mark.parametrize(("events", "expected"), TIMELINES)
def test_timeline_of_two(events: list[LoginEvent], expected: list[Seen]) -> None:
    """Two new devices and places (the limit set to two), each timeline as its name says."""
    assert SHAPE.judged(events) == expected


@pytest.mark.parametrize(("events", "expected"), ONE_TIMELINES)
def test_timeline(events: list[LoginEvent], expected: list[Seen]) -> None:
    """What is new and what is not, each timeline as its name says."""
    assert ONE.judged(events) == expected


@pytest.mark.parametrize("cut", [1, 100])
def test_the_customer_is_asked_and_nobody_is_woken(cut: int) -> None:
    """Low severity, and the verdict `ask` with what the customer is shown."""
    events = [strange(0, "e", channel="app")]

    store = judged(arrivals(events), active=rules(only=RULE), store=warm(), cut=cut)

    (alert,) = final(store)
    (word,) = words(store)
    assert alert.summary == (
        f"{ALICE} logged in on a new device from a new country or network: "
        "1 logins, at least 1 within 24 hours"
    )
    assert (word.notice_risk, word.rules, word.event_id) == ("ask", [RULE], "e")
    assert (word.account, word.country, word.asn, word.channel) == (ALICE, "VN", 45899, "app")
    assert not word.late


AGENT = "Trade/5.2 (iPhone)"


@pytest.mark.parametrize(
    ("days_ago", "agent", "asked"),
    [
        (89, AGENT, False),
        (89, "Trade/5.3 (iPhone)", False),
        (89, "curl", True),
        (89, None, True),
        (90, AGENT, True),
    ],
)
def test_places_that_are_still_being_learnt_are_no_question(
    days_ago: float, agent: str | None, asked: bool
) -> None:
    """For ninety days only another program, or one that nobody tells, makes it one."""
    events = [
        home(0, "alice", user_agent=AGENT),
        strange(60, "e", user_agent=agent),
    ]

    store = judged(arrivals(events), active=rules(only=RULE), store=warm(days_ago=days_ago))

    assert [alert.event_ids for alert in final(store)] == [["e"]]
    assert bool(words(store)) == asked


def test_three_logins_of_a_new_account_are_never_asked_about() -> None:
    """Whoever has just become a customer has only new devices."""
    events = [strange(600 * n, f"e{n}", account="dora") for n in range(3)]
    events.append(strange(2000, "fourth", account="dora", origin=HOME))

    (alert,) = final(judged(arrivals(events), active=rules(only=RULE), store=warm()))

    assert alert.event_ids == ["fourth"]
