"""sensitive_change_after_risky_login: a thief changes what outlives his session."""

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
    series,
    words,
)
from tests.detectors.warm import HOME, NEWCOMER, PHONE, warm

from .timelines import Seen, Shape, basic, case

RULE = "sensitive_change_after_risky_login"
ALICE = NAMES.account("alice")
ABROAD, ELSEWHERE = Origin(country="VN", asn=45899), Origin(country="TH", asn=45758)
THIEF: dict[str, Any] = {"outcome": "success", "device_id": "thief", "origin": ABROAD}


def strange(at: float, name: str, **fields: Any) -> LoginEvent:
    """A login of alice of which she is asked: on a new device, from a new country."""
    return login(at, name, **THIEF | fields)


def change(at: float, name: str, **fields: Any) -> LoginEvent:
    """Her contact data are changed on that device."""
    return login(at, name, **THIEF | {"action": "contact_change"} | fields)


def crossing(start: float, **fields: Any) -> list[LoginEvent]:
    """Such a login, and a change a minute later."""
    name = fields.pop("name", "e")
    return [strange(start, f"{name}0", **fields), change(start + 60, f"{name}1", **fields)]


def stretched(seconds: float) -> list[LoginEvent]:
    """Such a login, and a change after `seconds`."""
    return [strange(0, "first"), change(seconds, "second")]


SHAPE = Shape(
    rule=RULE,
    threshold=1,
    severity="high",
    window=DAY,
    accounts=1,
    crossing=crossing,
    stretched=stretched,
    subject=ALICE,
    counts=lambda _: {"successes": 1},
    beside=("new_device_and_place",),
    store=warm,
)
AGAIN: dict[str, Any] = {"name": "again", "device_id": "thief 2", "origin": ELSEWHERE}


def alert(at: float = 60, **other: Any) -> Seen:
    """The alert of a login and a change."""
    return Seen("high", at, at, 0, 1, ALICE, successes=1)._replace(**other)


TIMELINES = [
    *basic(SHAPE),
    case(
        "a second quiet time is a second alert",
        crossing(0) + crossing(QUIET, **AGAIN),
        alert(),
        alert(QUIET + 60),
    ),
    case(
        "one alert grows within a quiet time",
        crossing(0) + crossing(HOUR, **AGAIN),
        alert(updated=HOUR + 60, successes=2),
    ),
    case("two accounts are two subjects", changed(crossing(0), 1, account="bob")),
    case("a change that was refused", changed(crossing(0), 1, outcome="failure")),
    case(
        "a change after an ordinary login",
        crossing(0, device_id=PHONE, origin=HOME),
    ),
    case("a change before the login", [change(0, "c"), strange(1, "l")]),
    case("a change at its very instant", [*crossing(0)[:1], change(0, "f")], alert(0)),
    case("a change on another device", changed(crossing(0), 1, device_id=PHONE)),
    case("a change that tells no device", changed(crossing(0), 1, device_id=None), alert()),
    case(
        "a device is bound that is another",
        changed(crossing(0), 1, action="device_bind", device_id="thief 3"),
        alert(severity="medium"),
    ),
    case(
        "a device is bound that has long been the account's",
        changed(crossing(0), 1, action="device_bind", device_id=PHONE),
    ),
    case("a change without an account", changed(crossing(0), 1, account=None)),
    case("an order", changed(crossing(0), 1, action="order", instrument="2330")),
    case("an address of IPv6", crossing(0, ip="2001:db8::7"), alert()),
    case("without an address", crossing(0, ip=None), alert()),
    case(
        "many customers behind one address",
        [
            *(
                event
                for n in range(20)
                for event in crossing(
                    n, name=f"own{n}-", account=f"c{n}", device_id=PHONE, origin=HOME
                )
            ),
            *crossing(100),
        ],
        alert(160),
    ),
]
ASKED_TIMELINES = [
    case("settlement_change", crossing(0), alert(severity="critical")),
    case("contact_change", crossing(0), alert()),
    case("password_reset", crossing(0), alert()),
    case("device_bind", crossing(0), alert(severity="medium")),
    case("certificate_issue", crossing(0), alert(severity="medium")),
]
UNSEEN_TIMELINES = [
    case("settlement_change", crossing(0, origin=HOME), alert(severity="medium")),
    case("contact_change", crossing(0, origin=HOME), alert(severity="medium")),
    case("password_reset", crossing(0, origin=HOME)),
    case("device_bind", crossing(0, origin=HOME)),
    case("certificate_issue", crossing(0, origin=HOME)),
    case("contact_change", crossing(0, origin=HOME, account=NEWCOMER)),
]


TRAVELLER: dict[str, Any] = {"user_agent": "Trade (iPhone)", "account": "dora"}
"""An account of a month that travels with the program it always uses: nobody is asked."""


def travelling(**fields: Any) -> list[LoginEvent]:
    """Dora logs in at home four times, then on a new device from abroad, and changes something."""
    home = [
        login(-DAY * (4 - n), f"h{n}", outcome="success", device_id=PHONE, origin=HOME, **TRAVELLER)
        for n in range(4)
    ]
    return [*home, *crossing(0, **TRAVELLER | fields)]


DORA: dict[str, Any] = {"subject": NAMES.account("dora")}
ABROAD_TIMELINES = [
    case("settlement_change", travelling(), alert(severity="high", **DORA)),
    case("contact_change", travelling(), alert(severity="medium", **DORA)),
    case("device_bind", travelling()),
    case(
        "settlement_change",
        travelling(origin=Origin(country="TW", asn=17421)),
        alert(severity="medium", **DORA),
    ),
]


@pytest.mark.parametrize(("events", "expected"), TIMELINES)
@pytest.mark.parametrize("cut", [1, 100])
def test_timeline(events: list[LoginEvent], expected: list[Seen], cut: int) -> None:
    """A change after a login of which the customer is asked, each timeline as its name says."""
    assert SHAPE.judged(events, cut) == expected


def _as(change_: str, events: list[LoginEvent]) -> list[LoginEvent]:
    return changed(events, -1, action=change_)


@pytest.mark.parametrize(("events", "expected"), ASKED_TIMELINES)
def test_timeline_of_a_customer_who_is_asked(
    events: list[LoginEvent], expected: list[Seen], request: pytest.FixtureRequest
) -> None:
    """How grave each change is after a login of which the customer is asked."""
    assert SHAPE.judged(_as(_action(request), events)) == expected


@pytest.mark.parametrize(("events", "expected"), UNSEEN_TIMELINES)
def test_timeline_of_an_unseen_device(
    events: list[LoginEvent], expected: list[Seen], request: pytest.FixtureRequest
) -> None:
    """How grave each change is where only the device was new; not of an account hardly known."""
    assert SHAPE.judged(_as(_action(request), events)) == expected


@pytest.mark.parametrize(("events", "expected"), ABROAD_TIMELINES)
def test_timeline_of_a_login_abroad(
    events: list[LoginEvent], expected: list[Seen], request: pytest.FixtureRequest
) -> None:
    """How grave each change is where device and country were new and nobody was asked."""
    assert SHAPE.judged(_as(_action(request), events)) == expected


def _action(request: pytest.FixtureRequest) -> str:
    return str(request.node.callspec.id).rstrip("0123456789")


@pytest.mark.parametrize("cut", [1, 100])
@pytest.mark.parametrize("late", [False, True])
def test_whoever_got_in_from_an_attacking_address(cut: int, late: bool) -> None:
    """A takeover makes every change after it high, also where the attack is known late."""
    attack = series(10, every=10, name="attack")
    deeds = [strange(100, "in", origin=HOME), change(200, "bound", action="device_bind")]
    events = [*deeds, *attack] if late else [*attack, *deeds]
    active = [one for r in (RULE, "ip_fail_burst", "success_after_attack") for one in rules(only=r)]

    store = judged(arrivals(events), cut=cut, active=active, store=warm())

    (found,) = (one for one in final(store) if one.rule == RULE)
    assert (found.severity, found.event_ids) == ("high", ["in", "bound"])
    assert found.counts == {"failures": 0, "accounts": 1, "ips": 1, "successes": 1, "actions": 1}
    assert found.subject.type == "account"
    assert found.summary == (
        f"{ALICE}: 1 changes of contact, device, certificate, password or settlement account after "
        "a risky login, at least 1 within 24 hours of it"
    )


def test_changes_are_no_failures_of_the_account() -> None:
    """Ten changes from ten addresses are no attack on the account; the customer is told nothing."""
    events = [
        change(n, f"c{n}", ip=f"203.0.113.{n}", origin=Origin(country="TW", asn=n + 1))
        for n in range(10)
    ]

    store = judged(arrivals(events), store=warm())

    assert (final(store), words(store)) == ([], [])


def test_the_gravest_login_counts_where_several_came_before() -> None:
    """A harmless login after the thief's does not make the change harmless."""
    events = [strange(0, "thief"), strange(120, "own", device_id="other", origin=HOME)]

    (found,) = SHAPE.judged([*events, change(180, "c", device_id=None)])

    assert (found.severity, found.successes) == ("high", 2)
