"""success_after_attack: a login from where an attack is on, or after failures of one's own."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from detectors.events import LoginEvent, Origin
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

from .timelines import NETWORK, Seen, Shape, basic, case

RULE = "success_after_attack"
ALICE, BOB = NAMES.account("alice"), NAMES.account("bob")
LAST = 90
"""When `attack` has flagged IP, seconds after its start."""


def attack(start: float = 0, accounts: int = 3, **fields: Any) -> list[LoginEvent]:
    """Ten failures, of three accounts in turn, that flag IP with the last."""
    said = {"name": f"attack{start}"} | fields
    return series(10, every=10, start=start, accounts=accounts, **said)


def entered(at: float, name: str = "in", **fields: Any) -> LoginEvent:
    """Alice logs in."""
    return login(at, name, **{"outcome": "success"} | fields)


def crossing(start: float, **fields: Any) -> list[LoginEvent]:
    """Three failures of alice within two minutes, then a login on a strange device."""
    name = fields.pop("name", "e")
    return [
        *(login(start + 60 * n, f"{name}{n}", **fields) for n in range(3)),
        login(start + 150, f"{name}in", **{"outcome": "success", "device_id": name} | fields),
    ]


def stretched(seconds: float) -> list[LoginEvent]:
    """The same over `seconds`."""
    first, *others = crossing(0)
    late = [login(seconds - 60 * n, f"late{n}") for n in (2, 1)]
    return [first, *late, *changed(others[-1:], 0, occurred_at=login(seconds, "x").occurred_at)]


OWN = Shape(
    rule=RULE,
    threshold=3,
    severity="medium",
    window=30 * MINUTE,
    accounts=1,
    crossing=crossing,
    stretched=stretched,
    subject=ALICE,
    counts=lambda events: {"failures": events - 1, "successes": 1},
    store=warm,
)
NOT_BACK = {"look_back": timedelta()}
"""Looking back has timelines of its own (test_success_after_attack_look_back)."""
FLAGGED = replace(
    OWN,
    severity="critical",
    threshold=1,
    window=DAY,
    beside=("ip_fail_burst",),
    others_off=NOT_BACK,
    store=lambda: warm(("alice", "bob", "c60", "c61", "c62")),
)
TWO = replace(FLAGGED, threshold=2, others_off={"logins": 2} | NOT_BACK)


def own(at: float, **other: Any) -> Seen:
    """The alert of a login at `at` after three failures of one's own, all from one address."""
    return Seen("medium", at, at, 3, 1, ALICE, successes=1)._replace(**other)


def hit(at: float, **other: Any) -> Seen:
    """The alert of a login at `at` from an address that is flagged with severity medium."""
    return Seen("medium", at, at, 0, 1, ALICE, successes=1)._replace(**other)


def on(device: str | None, **fields: Any) -> list[LoginEvent]:
    """The crossing with its login on this device."""
    return changed(crossing(0, **fields), -1, device_id=device)


TIMELINES = [
    *basic(OWN),
    case(
        "a second quiet time is a second alert",
        crossing(0) + crossing(QUIET, name="again"),
        own(150),
        own(QUIET + 150),
    ),
    case(
        "one alert grows within a quiet time",
        crossing(0) + crossing(HOUR, name="again"),
        own(150, updated=HOUR + 150, failures=6, successes=2),
    ),
    case("two accounts are two subjects", changed(crossing(0), 1, account="bob")),
    case("a login without an account", changed(crossing(0), 3, account=None)),
    case("a failure without an account", changed(crossing(0), 1, account=None)),
    case("on a device known to the account", on(PHONE)),
    case("failures on a device known to the account", crossing(0, device_id=PHONE)),
    case(
        "on a device known for less than a minute",
        [entered(150 - 59.999, "own", device_id="e"), *on("e")],
        # The one before is on a new device too, but after two failures only.
        own(150, successes=2),
    ),
    case("on a device known for a minute", [entered(90, "own", device_id="e"), *on("e")]),
    case("on a device last used more than 180 days ago", on(OLD_PHONE), own(150)),
    case("no device is told", on(None)),
    case("the account has had two successes", crossing(0, account=NEWCOMER)),
    case("the system has had 999 successes", crossing(0, system=YOUNG)),
    case(
        "from many addresses, or none",
        changed(changed(crossing(0), 0, ip=OTHER_IP), 1, ip=None),
        own(150, severity="critical"),
    ),
    case(
        "failures after the login",
        [*crossing(0)[2:], *series(3, every=1, start=151, account="alice")],
    ),
    case("the owner mistypes at home", crossing(0, origin=HOME)),
    case(
        "the owner mistypes, the password is found elsewhere",
        changed(crossing(0, origin=HOME), 3, ip=OTHER_IP),
        own(150, severity="critical"),
    ),
    case(
        "one failure was from elsewhere",
        changed(crossing(0, origin=HOME), 0, ip=OTHER_IP),
        own(150, severity="critical"),
    ),
    case(
        "a telephone that fails abroad gets in elsewhere",
        changed(crossing(0, device_id="d"), 3, ip=OTHER_IP),
        own(150),
    ),
    case(
        "a telephone that fails at work gets in at home",
        changed(crossing(0, device_id="d", origin=HOME), 3, ip=OTHER_IP),
    ),
    case(
        "the owner mistypes and gets in, later on another telephone elsewhere",
        [
            *crossing(0, device_id="d", origin=HOME),
            entered(210, "later", device_id="two", ip=OTHER_IP, origin=HOME),
        ],
    ),
    case(
        "... and less than a minute later",
        [
            *crossing(0, device_id="d", origin=HOME),
            entered(209.999, "later", device_id="two", ip=OTHER_IP, origin=HOME),
        ],
        own(209.999, severity="critical", successes=2),
    ),
    case(
        "the owner mistypes and gets in, others fail on",
        [
            *crossing(0, device_id="d", origin=HOME),
            *series(3, every=1, start=160, name="other", account="alice"),
            entered(220, "later", device_id="two", ip=OTHER_IP, origin=HOME),
        ],
        own(220, severity="critical"),
    ),
    case(
        "from one address of a new network",
        crossing(0, origin=Origin(country="TW", asn=9)),
        own(150),
    ),
    case(
        "from one address of a new country",
        crossing(0, origin=Origin(country="VN", asn=3462)),
        own(150),
    ),
    case(
        "from one address of which nobody knows the network",
        crossing(0, origin=Origin(country="TW")),
        own(150),
    ),
    case(
        "without an address at home",
        crossing(0, origin=HOME, ip=None),
        own(150, severity="critical"),
    ),
    case(
        "a failure in the millisecond of the login counts",
        changed(crossing(0), 2, occurred_at=crossing(0)[3].occurred_at),
        own(150),
    ),
]
FLAGGED_TIMELINES = [
    case("after the attack", [*attack(), entered(LAST + 1)], hit(LAST + 1)),
    case(
        "after an attack of severity high",
        [*attack(), *attack(100), entered(191)],
        hit(191, severity="critical"),
    ),
    case(
        "after an attack of severity high, a day later",
        [*attack(), *attack(100), *attack(DAY), entered(190 + DAY)],
        hit(190 + DAY),
    ),
    case(
        "on a device and from a place that are not the account's",
        [*attack(), entered(100, device_id="d", origin=Origin(country="VN", asn=9))],
        hit(100, severity="critical"),
    ),
    case(
        "on such a device where only two others failed",
        [*attack(accounts=2), entered(100, device_id="d", origin=Origin(country="VN", asn=9))],
        hit(100, severity="critical"),
    ),
    case(
        "on such a device where one telephone repeats its password",
        [*attack(accounts=1), entered(100, device_id="d", origin=Origin(country="VN", asn=9))],
        hit(100),
    ),
    case(
        "on such a device where as many known customers come as fail",
        [
            *(
                entered(-n, f"own{n}", account=f"c{n}", device_id=PHONE, origin=HOME)
                for n in range(60, 63)
            ),
            *attack(),
            *attack(100),
            entered(191, device_id="d", origin=Origin(country="VN", asn=9)),
        ],
        hit(191),
    ),
    case(
        "on such a device where nobody knows who failed",
        [
            *attack(accounts=1, account=None),
            entered(100, device_id="d", origin=Origin(country="VN", asn=9)),
        ],
        hit(100, severity="critical"),
    ),
    case(
        "the owner mistypes often on such a device",
        [
            *attack(account=NEWCOMER, device_id="d"),
            entered(100, account=NEWCOMER, device_id="d", origin=Origin(country="VN", asn=9)),
        ],
        hit(100, subject=NAMES.account(NEWCOMER)),
    ),
    case(
        "on a new device at home", [*attack(), entered(100, device_id="d", origin=HOME)], hit(100)
    ),
    case("at its very instant", [*attack(), entered(LAST)], hit(LAST)),
    case("before the limit was crossed", [*attack(), entered(LAST - 1)]),
    case("just within a day", [*attack(), entered(LAST + DAY - 0.001)], hit(LAST + DAY - 0.001)),
    case("a day later", [*attack(), entered(LAST + DAY)]),
    case("from another address of the network", [*attack(), entered(100, ip="192.0.2.8")]),
    case("from another network", [*attack(), entered(100, ip=OTHER_IP)]),
    case("in another system", [*attack(), entered(100, system="app")]),
    case("a phone with an account and no address", [*attack(), entered(100, ip=None)]),
    case("on a device known to the account", [*attack(), entered(100, device_id=PHONE)]),
    case("no device is told", [*attack(), entered(100)], hit(100)),
    case(
        "on a device of another account",
        [*attack(), entered(100, device_id=PHONE, account="dora")],
        hit(100, subject=NAMES.account("dora")),
    ),
    case("a login without an account", [*attack(), entered(100, account=None)]),
    case(
        "while memory is cold",
        [*attack(system=YOUNG), entered(100, system=YOUNG, account=NEWCOMER)],
        hit(100, subject=NAMES.account(NEWCOMER), system=YOUNG),
    ),
    case("an order is no login", [*attack(), entered(100, action="order")]),
    case(
        "each account is a takeover of its own",
        [*attack(), entered(100), entered(101, "b", account="bob"), entered(102, "again")],
        hit(100, updated=102, successes=2),
        hit(101, subject=BOB),
    ),
    case(
        "another address of the /64",
        [*attack(ip=f"{NETWORK}1"), entered(100, ip=f"{NETWORK}ffff")],
        hit(100),
    ),
    case("another /64", [*attack(ip=f"{NETWORK}1"), entered(100, ip="2001:db8:0:8::1")]),
    case("an address mapped into IPv6", [*attack(), entered(100, ip=f"::ffff:{IP}")], hit(100)),
    case("nine failures flag nothing", [*attack()[:-1], entered(100)]),
    case("the login came first", [entered(LAST + 5), *attack()], hit(LAST + 5)),
    case(
        "many customers log in while the attack is on",
        [
            *attack(),
            *(entered(100 + n, f"in{n}", account=f"c{n}", device_id=PHONE) for n in range(30)),
        ],
        *(hit(100 + n, subject=NAMES.account(f"c{n}")) for n in range(30)),
    ),
]
TWO_TIMELINES = [
    case("one login is one too few", [*attack(), entered(100)]),
    case("two are enough", [*attack(), entered(100), entered(101, "b")], hit(101, successes=2)),
    case("two of two accounts", [*attack(), entered(100), entered(101, "b", account="bob")]),
    case(
        "evidence is the account's own",
        [*attack(), entered(100), entered(101, "b", account="bob"), entered(102, "c")],
        hit(102, successes=2),
    ),
]


@pytest.mark.parametrize(("events", "expected"), TIMELINES)
def test_own_timeline(events: list[LoginEvent], expected: list[Seen]) -> None:
    """Three failures, then a login on a new device: each timeline as its name says."""
    assert OWN.judged(events) == expected


@pytest.mark.parametrize(("events", "expected"), FLAGGED_TIMELINES)
@pytest.mark.parametrize("cut", [1, 100])
def test_flagged_timeline(events: list[LoginEvent], expected: list[Seen], cut: int) -> None:
    """A login from an attacking address, each timeline as its name says."""
    assert FLAGGED.judged(events, cut) == expected


@pytest.mark.parametrize(("events", "expected"), TWO_TIMELINES)
def test_flagged_timeline_of_two(events: list[LoginEvent], expected: list[Seen]) -> None:
    """The same with the limit set to two logins of an account."""
    assert TWO.judged(events) == expected


def subnet(start: float = 0) -> list[LoginEvent]:
    """Five addresses of a /24 are flagged within five minutes."""
    return [
        event
        for n in range(5)
        for event in attack(start + 60 * n, ip=f"203.0.113.{n}", name=f"n{n}-")
    ]


SUBNET_LAST = 4 * 60 + LAST
SUBNET = replace(FLAGGED, beside=("ip_fail_burst", "subnet_attack"))
SUBNET_TIMELINES = [
    case(
        "from a quiet address of the network",
        [*subnet(), entered(400, ip="203.0.113.200")],
        hit(400, severity="critical"),
    ),
    case("before the fifth address", [*subnet(), entered(SUBNET_LAST - 1, ip="203.0.113.200")]),
    case("from another network", [*subnet(), entered(400, ip="203.0.112.200")]),
    case("on a known device", [*subnet(), entered(400, ip="203.0.113.200", device_id=PHONE)]),
    case("a day later", [*subnet(), entered(SUBNET_LAST + DAY, ip="203.0.113.200")]),
    case(
        "the login came first",
        [entered(400, ip="203.0.113.200"), *subnet()],
        hit(400, severity="critical"),
    ),
    case("four addresses are no network", [*subnet()[:40], entered(400, ip="203.0.113.200")]),
]


@pytest.mark.parametrize(("events", "expected"), SUBNET_TIMELINES)
@pytest.mark.parametrize("cut", [1, 100])
def test_subnet_timeline(events: list[LoginEvent], expected: list[Seen], cut: int) -> None:
    """A login from an attacking network, each timeline as its name says."""
    assert SUBNET.judged(events, cut) == expected


def test_the_takeover_is_told_to_soc_and_customer() -> None:
    """The alert names account and address; the verdict is `high`, with what is known of it."""
    events = [*attack(), entered(100, channel="web", device_id="d")]
    active = (*rules(only=RULE), *rules(only="ip_fail_burst"))

    store = judged(arrivals(events), active=active, store=warm())

    (alert,) = [one for one in final(store) if one.rule == RULE]
    assert (alert.subject.type, alert.subject.value) == ("account", ALICE)
    assert (alert.part, alert.ips, alert.event_ids) == (f"ip {IP}", [IP], ["in"])
    assert alert.summary == (
        f"{ALICE} logged in from {IP}, which had been attacking: "
        "1 logins, at least 1 within 24 hours of the attack"
    )
    (word,) = words(store)
    assert (word.notice_risk, word.rules, word.event_id) == ("high", [RULE], "in")
    assert (word.channel, word.late, word.system) == ("web", False, "web")


def test_after_failures_of_ones_own_says_so() -> None:
    """Another sentence, and the failures are the evidence."""
    store = judged(arrivals(crossing(0)), active=rules(only=RULE), store=warm())

    (alert,) = final(store)
    assert alert.summary == (
        f"{ALICE} logged in on a new device after 3 failures: at least 3 within 30 minutes"
    )
    assert alert.event_ids == ["e0", "e1", "e2", "ein"]
    assert [word.notice_risk for word in words(store)] == ["high"]
