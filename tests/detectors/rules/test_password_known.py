"""password_known: the right password, stopped at the second factor, where no customer is."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from detectors.events import LoginEvent
from tests.builders import (
    DAY,
    HOUR,
    IP,
    MINUTE,
    NAMES,
    OTHER_IP,
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
from tests.detectors.warm import HOME, NEWCOMER, OLD_PHONE, PHONE, YOUNG, warm

from .timelines import Seen, Shape, basic, case

RULE = "password_known"
ALICE = NAMES.account("alice")
STOPPED = {"reason": "mfa_failed"}


def stopped(at: float, name: str, **fields: Any) -> LoginEvent:
    """Somebody has alice's password, on a strange device, and not her second factor."""
    return login(at, name, **STOPPED | {"device_id": "strange"} | fields)


def crossing(start: float, **fields: Any) -> list[LoginEvent]:
    """Two such attempts, a minute apart."""
    name = fields.pop("name", "e")
    return [stopped(start + 60 * n, f"{name}{n}", **fields) for n in range(2)]


def stretched(seconds: float) -> list[LoginEvent]:
    """Two such attempts, `seconds` apart."""
    return [stopped(0, "first"), stopped(seconds, "second")]


TWO = Shape(
    rule=RULE,
    threshold=2,
    severity="high",
    window=DAY,
    accounts=1,
    crossing=crossing,
    stretched=stretched,
    subject=ALICE,
    others_off={"attempts": 2},
    store=warm,
)
ONE = replace(TWO, threshold=1, others_off={})
FLAGGED = replace(ONE, beside=("ip_fail_burst",))


def one(at: float = 0, **other: Any) -> Seen:
    """The alert of one attempt."""
    return Seen("high", at, at, 1, 1, ALICE)._replace(**other)


TIMELINES = [
    *basic(TWO),
    case(
        "a second quiet time is a second alert",
        crossing(0) + crossing(QUIET, name="again"),
        one(60, failures=2),
        Seen("high", QUIET, QUIET + 60, 3, 1, ALICE),
    ),
    case(
        "one alert grows within a quiet time",
        crossing(0) + crossing(HOUR, name="again"),
        one(60, updated=HOUR + 60, failures=4),
    ),
    case("two accounts are two subjects", changed(crossing(0), 1, account="bob")),
]
HOME_LOGIN = {"outcome": "success", "device_id": PHONE, "origin": HOME}
DEVICE_TIMELINES = [
    case("on a device that is new to the account", [stopped(0, "e")], one()),
    case("on a device known to the account", [stopped(0, "e", device_id=PHONE)]),
    case(
        "on a device known for less than a minute",
        [login(0, "own", outcome="success", device_id="strange"), stopped(59.999, "e")],
        one(59.999),
    ),
    case(
        "on a device known for a minute",
        [login(0, "own", outcome="success", device_id="strange"), stopped(60, "e")],
    ),
    case(
        "on a device last used more than 180 days ago",
        [stopped(0, "e", device_id=OLD_PHONE)],
        one(),
    ),
    case("no device is told", [stopped(0, "e", device_id=None)]),
    case("a login without an account", [stopped(0, "e", account=None)]),
    case("the account has had two successes", [stopped(0, "e", account=NEWCOMER)]),
    case(
        "the account's third success was a minute ago",
        [
            login(0, "third", account=NEWCOMER, **HOME_LOGIN),
            stopped(60, "e", account=NEWCOMER),
        ],
        one(60, subject=NAMES.account(NEWCOMER)),
    ),
    case("the system has had 999 successes", [stopped(0, "e", system=YOUNG)]),
    case("a wrong password on a new device", [stopped(0, "e", reason="bad_password")]),
    case("a success on a new device", [stopped(0, "e", reason=None, outcome="success")]),
    case("without an address", [stopped(0, "e", ip=None)], one()),
    case("on a name that is no customer's", [stopped(0, "e", account_class="unknown")]),
]


def attack(start: float = 0, **fields: Any) -> list[LoginEvent]:
    """Ten failures that flag IP with the last, 90 s after `start`."""
    return series(10, every=10, start=start, name="attack", **fields)


LAST = 90
FLAGGED_TIMELINES = [
    case("after the attack", [*attack(), stopped(LAST + 1, "e", device_id=None)], one(LAST + 1)),
    case("at its very instant", [*attack(), stopped(LAST, "e", device_id=None)], one(LAST)),
    case("before it", [stopped(-1, "e", device_id=None), *attack()]),
    case(
        "a day after it",
        [*attack(), stopped(LAST + DAY, "e", device_id=None)],
    ),
    case(
        "just within a day of it",
        [*attack(), stopped(LAST + DAY - 0.001, "e", device_id=None)],
        one(LAST + DAY - 0.001),
    ),
    case("from another address", [*attack(), stopped(100, "e", device_id=None, ip=OTHER_IP)]),
    case("in another system", [*attack(), stopped(100, "e", device_id=None, system="app")]),
    case(
        "on a known device from the attacking address",
        [*attack(), stopped(100, "e", device_id=PHONE)],
    ),
    case(
        "the account is new",
        [*attack(), stopped(100, "e", account="dora")],
        one(100, subject=NAMES.account("dora")),
    ),
    case("a name without an account", [*attack(), stopped(100, "e", account=None)]),
    case("a wrong password", [*attack(), stopped(100, "e", device_id=None, reason="bad_password")]),
    case(
        "two accounts",
        [
            *attack(),
            stopped(100, "e", device_id=None),
            stopped(101, "f", device_id=None, account="bob"),
        ],
        one(100),
        one(101, subject=NAMES.account("bob")),
    ),
]


@pytest.mark.parametrize(("events", "expected"), TIMELINES)
def test_timeline_of_two(events: list[LoginEvent], expected: list[Seen]) -> None:
    """Two on a new device (the limit set to two), each timeline as its name says."""
    assert TWO.judged(events) == expected


@pytest.mark.parametrize(("events", "expected"), DEVICE_TIMELINES)
def test_device_timeline(events: list[LoginEvent], expected: list[Seen]) -> None:
    """On which device, each timeline as its name says."""
    assert ONE.judged(events) == expected


@pytest.mark.parametrize(("events", "expected"), FLAGGED_TIMELINES)
@pytest.mark.parametrize("cut", [1, 100])
def test_flagged_timeline(events: list[LoginEvent], expected: list[Seen], cut: int) -> None:
    """From an attacking address, each timeline as its name says."""
    assert FLAGGED.judged(events, cut) == expected


def test_the_attempts_of_the_attack_itself_count() -> None:
    """The hits are among the attempts that flag the address: those of its hot instants on."""
    events = changed(attack(), 9, **STOPPED, account="alice")

    assert FLAGGED.judged(events) == [one(LAST)]


def test_an_address_flagged_later_by_what_came_late() -> None:
    """Whatever the order of arrival: the attempt was after the attack, so it is found."""
    events = attack()
    hit = stopped(LAST + 30, "e", device_id=None)

    assert FLAGGED.judged([hit, *events]) == FLAGGED.judged([*events, hit]) == [one(LAST + 30)]


def test_what_the_customer_is_told() -> None:
    """On a new device `high`; from an attacking address on a device nobody told of, `ask`."""
    events = [*attack(), stopped(100, "new"), stopped(101, "untold", device_id=None)]
    active = (*rules(only=RULE), *rules(only="ip_fail_burst"))

    store = judged(arrivals(events), active=active, store=warm())

    told = {(word.event_id, word.notice_risk) for word in words(store)}
    assert told == {("new", "high"), ("untold", "ask")}
    device, address = sorted(
        (alert for alert in final(store) if alert.rule == RULE), key=lambda alert: alert.part
    )
    assert (device.part, device.event_ids) == ("account", ["new"])
    assert (address.part, address.event_ids, address.ips) == ("ip", ["new", "untold"], [IP])
    assert device.summary == (
        f"somebody knows the password of {ALICE}: right in 1 attempts and stopped at the second "
        "factor, on a new device or from an attacking address (at least 1 within 24 hours)"
    )


def test_a_hit_flags_no_address() -> None:
    """One stopped login is no attack of its address: a later success there is no takeover."""
    events = [
        stopped(0, "e"),
        login(MINUTE, "own", account="bob", outcome="success", device_id="other"),
    ]
    active = (*rules(only=RULE), *rules(only="success_after_attack"))

    assert {
        alert.rule for alert in final(judged(arrivals(events), active=active, store=warm()))
    } == {RULE}
