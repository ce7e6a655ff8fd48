"""impossible_travel: one account in two countries sooner than an aeroplane flies."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from detectors.countries import apart_km
from detectors.events import LoginEvent, Origin
from detectors.facts import Facts, facts_of
from detectors.networks import NetworkKind, Networks
from tests.builders import (
    DAY,
    HOUR,
    NAMES,
    OTHER_IP,
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

RULE = "impossible_travel"
ALICE = NAMES.account("alice")
KOREA = Origin(country="KR", asn=4766)
VIETNAM = Origin(country="VN", asn=45899)
CHINA = Origin(country="CN", asn=4134)
SECONDS = apart_km("TW", "VN") * HOUR / 900
"""From Taiwan to Vietnam by air."""


def home(at: float, name: str, **fields: Any) -> LoginEvent:
    """Alice logs in where she always does."""
    said: dict[str, Any] = {"outcome": "success", "device_id": PHONE, "origin": HOME}
    return login(at, name, **said | fields)


def abroad(at: float, name: str, **fields: Any) -> LoginEvent:
    """Somebody logs in to her account far away, on a device of his own."""
    said: dict[str, Any] = {"device_id": "his", "origin": VIETNAM, "ip": OTHER_IP}
    return home(at, name, **said | fields)


def crossing(start: float, **fields: Any) -> list[LoginEvent]:
    """Two countries new to the account within the minute in which neither knows of the other."""
    name = fields.pop("name", "e")
    return [
        abroad(start, f"{name}0", **fields),
        abroad(start + 30, f"{name}1", **{"origin": KOREA, "device_id": "hers"} | fields),
    ]


SHAPE = Shape(
    rule=RULE,
    threshold=500,
    severity="medium",
    window=DAY,
    accounts=1,
    crossing=crossing,
    stretched=lambda seconds: [abroad(0, "first"), home(seconds, "second")],
    others_off={"speed_kmh": 40},
    subject=ALICE,
    counts=lambda events: {"successes": events},
    store=warm,
)
FAST = Shape(
    rule=RULE,
    threshold=500,
    severity="medium",
    window=DAY,
    accounts=1,
    crossing=crossing,
    stretched=SHAPE.stretched,
    subject=ALICE,
    store=warm,
)
UNSEEN = {"device_id": None}


def alert(at: float, **other: Any) -> Seen:
    """The alert of two logins."""
    return Seen("medium", at, at, 0, 1, ALICE, successes=2)._replace(**other)


TIMELINES = [
    *basic(SHAPE),
    case("two accounts are two subjects", changed(crossing(0), 1, account="bob")),
    case(
        "a second quiet time is a second alert",
        [*crossing(-60, name="a"), home(31, "b")],
        alert(-30),
        alert(31, successes=3),
    ),
    case(
        "one alert grows within a quiet time",
        [*crossing(0), home(600, "later")],
        alert(30, updated=600, successes=3),
    ),
]
FAST_TIMELINES = [
    case("at home ten minutes later", [abroad(0, "a"), home(600, "b")], alert(600)),
    case(
        "just too soon for an aeroplane",
        [abroad(0, "a"), home(SECONDS - 0.001, "b")],
        alert(round(SECONDS - 0.001, 3)),
    ),
    case("just as soon as an aeroplane", [abroad(0, "a"), home(SECONDS, "b")]),
    case("first at home, which is not kept", [home(0, "a"), abroad(600, "b")]),
    case(
        "a failure in between is shown",
        [abroad(0, "a"), login(60, "f"), home(600, "b")],
        alert(600, failures=1),
    ),
    case("a failure", [abroad(0, "a", outcome="failure"), home(600, "b")]),
    case("a failure at home", [abroad(0, "a"), home(600, "b", outcome="failure")]),
    case(
        "a failure at home on a device it does not know",
        [abroad(0, "a"), home(600, "b", outcome="failure", device_id="new")],
    ),
    case(
        "a neighbour whose towns are near",
        [abroad(0, "a", origin=CHINA), home(600, "b")],
    ),
    case(
        "no country is told",
        [abroad(0, "a", origin=Origin(asn=45899)), home(600, "b"), home(601, "c", origin=None)],
    ),
    case("a country that no list has", [abroad(0, "a", origin=Origin(country="ZZ")), home(9, "b")]),
    case("a login without an account", [abroad(0, "a", account=None), home(600, "b")]),
    case("on a device known to the account", [abroad(0, "a", device_id=PHONE), home(600, "b")]),
    case(
        "on a device known for less than a minute",
        [abroad(0, "a"), abroad(59, "c", device_id="his"), home(600, "b")],
        alert(600, successes=3),
    ),
    case(
        "on a device last used more than 180 days ago",
        [abroad(0, "a", device_id=OLD_PHONE), home(600, "b")],
        alert(600),
    ),
    case(
        "one new telephone by two roads",
        [abroad(0, "a"), home(600, "b", device_id="his")],
    ),
    case(
        "no device is told",
        [abroad(0, "a", **UNSEEN), home(600, "b", **UNSEEN)],
        alert(600, severity="low"),
    ),
    case(
        "no device is told abroad",
        [abroad(0, "a", **UNSEEN), home(600, "b")],
        alert(600, severity="low"),
    ),
    case(
        "the account has had two successes",
        [abroad(0, "a", account=NEWCOMER), home(600, "b", account=NEWCOMER)],
    ),
    case(
        "the system has had 999 successes",
        [abroad(0, "a", system=YOUNG), home(600, "b", system=YOUNG)],
    ),
    case(
        "a country known for longer than a day",
        [abroad(-DAY, "a", **UNSEEN), abroad(0, "b", **UNSEEN), home(600, "c", **UNSEEN)],
    ),
    case(
        "addresses of IPv6",
        [abroad(0, "a", ip="2001:db8::7"), home(600, "b", ip="2001:db8:1::7")],
        alert(600),
    ),
    case(
        "many users behind one address at home",
        [abroad(0, "a"), *(home(n, f"e{n}", account=f"c{n}") for n in range(20))],
    ),
]


@pytest.mark.parametrize(("events", "expected"), TIMELINES)
def test_timeline(events: list[LoginEvent], expected: list[Seen]) -> None:
    """At 40 km an hour, so that a whole day is too soon: each timeline as its name says."""
    assert SHAPE.judged(events) == expected


@pytest.mark.parametrize(("events", "expected"), FAST_TIMELINES)
def test_timeline_by_air(events: list[LoginEvent], expected: list[Seen]) -> None:
    """At the speed of an aeroplane: each timeline as its name says."""
    assert FAST.judged(events) == expected


@pytest.mark.parametrize(
    ("kind", "alerts"),
    [("vpn", 0), ("tor", 0), ("hosting", 0), ("cloud", 0), ("relay", 0), ("listed", 1)],
)
@pytest.mark.parametrize("hidden", [VIETNAM.asn, HOME.asn])
def test_an_address_that_hides_its_user_is_no_place(
    kind: NetworkKind, alerts: int, hidden: int
) -> None:
    """A tunnel ends somewhere else; an address that is only known as bad is where it says."""

    def facts(event: LoginEvent) -> Facts:
        return facts_of(event, networks=Networks({hidden: frozenset({kind})}))

    events = [abroad(0, "a"), home(600, "b")]
    store = judged(arrivals(events), active=rules(only=RULE), facts=facts, store=warm())

    assert len(final(store)) == alerts


def test_the_customer_is_told_of_the_stranger_not_of_himself() -> None:
    """Told at once is the login abroad on an unseen device, and no other."""
    events = [abroad(0, "his"), home(600, "mine"), home(700, "mine again")]

    (rule,) = rules(only=RULE)
    live = replace(rule, mode="live")

    store = judged(arrivals(events), active=[live], store=warm())

    assert [(word.event_id, word.notice_risk) for word in words(store)] == [("his", "high")]
    assert final(store)[0].summary == (
        f"{ALICE} logged in from two countries that are at least 500 km apart, "
        "sooner than an aeroplane flies: 3 logins within 24 hours"
    )


def test_an_ordinary_login_is_not_looked_at() -> None:
    """At home, or a day after the journey, a success leaves nothing in the log of its account."""
    events = [abroad(0, "a"), home(DAY, "b")]

    store = judged(arrivals(events), active=rules(only=RULE), store=warm())

    told = [subject for subject in store._logs if subject.kind == "account"]
    assert [len(store._logs[subject].blob) for subject in told] == [len(store._logs[told[0]].blob)]
    assert final(store) == []
