"""success_after_attack, looking back: what an address let in before it turned bad."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from detectors.alerts import Alert
from detectors.events import LoginEvent, Origin
from detectors.look_back import turns
from tests.builders import (
    DAY,
    HOUR,
    IP,
    NAMES,
    arrivals,
    final,
    found,
    judged,
    login,
    rules,
    series,
    words,
)
from tests.detectors.logs import entry, log_of
from tests.detectors.warm import HOME, PHONE, warm

from .test_success_after_attack import LAST, RULE, SUBNET_LAST, attack, entered, subnet
from .timelines import NETWORK

ALICE = NAMES.account("alice")
AWAY = Origin(country="VN", asn=9)
WARM = tuple(f"c{n}" for n in range(12))
Turned = tuple[str, float, int]


def told(
    events: list[LoginEvent], cut: int = 1, watched_days: float = 60, **limits: int
) -> list[Alert]:
    """The alerts of looking back that these events raise, arriving in this order."""
    (active,) = rules(only=RULE)
    mine = replace(active, limits=replace(active.limits, **limits))
    beside = (*rules(only="ip_fail_burst"), *rules(only="subnet_attack"))
    store = warm(("alice", "bob", *WARM), watched_days=watched_days)
    alerts = found(events, cut=cut, active=(mine, *beside), store=store)
    return [one for one in alerts if one.part.startswith("look-back")]


def brief(alerts: list[Alert]) -> list[Turned]:
    """Of each alert its subject, the seconds from START to the turn, and its logins."""
    at = [(one, one.opened_at.partition("T")[2]) for one in alerts]
    assert {one.severity for one in alerts} <= {"high"}
    return sorted((one.subject.value, _seconds(when), one.counts["successes"]) for one, when in at)


def _seconds(clock: str) -> float:
    hours, minutes, seconds = clock.removesuffix("Z").split(":")
    return (int(hours) - 6) * HOUR + int(minutes) * 60 + float(seconds)


def strange(at: float, name: str = "in", **fields: Any) -> LoginEvent:
    """Alice logs in on a device that she does not know."""
    return entered(at, name, **{"device_id": "strange"} | fields)


HIT: Turned = (ALICE, LAST, 1)
CUSTOMERS = [
    entered(-HOUR - n, f"own{n}", account=f"c{n}", device_id=PHONE, origin=HOME) for n in range(12)
]
LONGER = series(20, every=10, accounts=3)
"""Twenty failures: an attack also where the guard takes a step off (at 190 s)."""
TIMELINES = [
    pytest.param([strange(LAST - 1), *attack()], [HIT], id="just before the turn"),
    pytest.param([strange(LAST), *attack()], [], id="at the turn it is no look-back"),
    pytest.param([strange(LAST + 1), *attack()], [], id="after the turn neither"),
    pytest.param([strange(LAST - 5 * DAY + 0.001), *attack()], [HIT], id="just within five days"),
    pytest.param([strange(LAST - 5 * DAY), *attack()], [], id="has just left the five days"),
    pytest.param([*attack(), strange(-DAY)], [HIT], id="a late login"),
    pytest.param([*attack()[1:], strange(-DAY), attack()[0]], [HIT], id="a late failure"),
    pytest.param([strange(-DAY), strange(-DAY), *attack()], [HIT], id="duplicates count once"),
    pytest.param(
        [strange(-DAY), strange(-HOUR, "b", device_id="other"), *attack()],
        [(ALICE, LAST, 2)],
        id="one alert an account",
    ),
    pytest.param([strange(-DAY, device_id=PHONE), *attack()], [], id="on a known device"),
    pytest.param([strange(-DAY, account=None), *attack()], [], id="without an account"),
    pytest.param([strange(-DAY, ip="192.0.2.8"), *attack()], [], id="from another address"),
    pytest.param([strange(-DAY, system="app"), *attack()], [], id="in another system"),
    pytest.param([strange(-DAY), *attack()[:-1]], [], id="nine failures turn nothing"),
    pytest.param(
        [strange(-DAY, ip=f"{NETWORK}1"), *attack(ip=f"{NETWORK}ffff")],
        [HIT],
        id="another address of the /64",
    ),
    pytest.param(
        [strange(-DAY, ip="2001:db8:0:8::1"), *attack(ip=f"{NETWORK}1")], [], id="another /64"
    ),
    pytest.param(
        [strange(-DAY), *attack(), *attack(12 * HOUR), *attack(20 * HOUR)],
        [HIT],
        id="an address that stays bad turns once",
    ),
    pytest.param(
        [*CUSTOMERS, strange(-DAY, origin=HOME), *LONGER],
        [],
        id="a new telephone behind a NAT",
    ),
    pytest.param(
        [*CUSTOMERS, strange(-DAY, origin=AWAY), *LONGER],
        [(ALICE, 190, 1)],
        id="a new telephone in a new place behind a NAT",
    ),
    pytest.param([entered(-DAY), *attack()], [HIT], id="no device is told, few log in there"),
    pytest.param(
        [
            *(entered(-DAY - n, f"own{n}", account=f"c{n}", origin=HOME) for n in range(12)),
            *attack(),
        ],
        [],
        id="no device is told, many log in there",
    ),
    pytest.param(
        [
            *(entered(-DAY - n, f"own{n}", account=f"c{n}", origin=HOME) for n in range(12)),
            entered(-DAY, origin=AWAY),
            *attack(),
        ],
        [HIT],
        id="no device is told, many log in there, one from a new country",
    ),
    pytest.param(
        [strange(-DAY, ip="203.0.113.200"), *subnet()],
        [],
        id="five of six addresses are no bad network",
    ),
    pytest.param(
        [strange(-DAY, ip="203.0.113.200"), *subnet(), *attack(-HOUR, ip="203.0.113.3")],
        [],
        id="an address that turned bad twice is one",
    ),
]


@pytest.mark.parametrize(("events", "expected"), TIMELINES)
@pytest.mark.parametrize("cut", [1, 100])
def test_look_back_timeline(events: list[LoginEvent], expected: list[Turned], cut: int) -> None:
    """A login before its address turned bad: each timeline as its name says."""
    assert brief(told(events, cut)) == expected


@pytest.mark.parametrize("days", [6, 8])
def test_in_the_first_week_any_address_may_be_a_nat(days: int) -> None:
    """Nobody is known well enough, so only device and place together are reopened."""
    events = [strange(-HOUR), strange(-HOUR, "b", account="bob", origin=AWAY), *attack()]

    named = {one.event_ids[0] for one in told(events, watched_days=days)}

    assert named == ({"b"} if days == 6 else {"in", "b"})


@pytest.mark.parametrize("percent", [83, 84])
def test_a_network_is_reopened_where_enough_of_it_is_bad(percent: int) -> None:
    """Five bad addresses and one that let somebody in are five sixths: enough for 83, not 84."""
    events = [strange(-DAY, ip="203.0.113.200"), *subnet()]

    alerts = told(events, bad_percent=percent)

    assert brief(alerts) == ([(ALICE, SUBNET_LAST, 1)] if percent == 83 else [])
    assert {one.part for one in alerts} <= {"look-back subnet 203.0.113.200"}


def test_beyond_the_gravest_there_is_one_alert_with_a_count() -> None:
    """Device and place new comes first; who has no alert of his own is counted in one line."""
    events = [
        *(strange(-DAY - n, f"s{n}", account=f"c{n}", origin=HOME) for n in range(7)),
        strange(-DAY, origin=AWAY),
        *attack(),
    ]

    rest, *named = sorted(told(events, reopened=2), key=lambda one: one.subject.type != "ip")

    assert (rest.part, rest.subject.value, rest.threshold) == ("look-back rest", IP, 2)
    assert (rest.counts["accounts"], rest.counts["successes"]) == (6, 6)
    assert rest.summary == (
        f"at least 2 accounts logged in from {IP} within 120 hours before it turned bad; these 6 "
        "come on top of them and have no alert of their own"
    )
    assert ALICE in {one.subject.value for one in named}
    assert len(named) == 2


def test_the_soc_is_told_and_not_the_customer() -> None:
    """The alert names account, address and login; looking back alone sends nothing."""
    store = judged(arrivals([strange(-DAY), *attack()]), store=warm())

    (alert,) = [one for one in final(store) if one.part.startswith("look-back")]
    assert (alert.part, alert.ips, alert.event_ids) == (f"look-back ip {IP}", [IP], ["in"])
    assert alert.summary == (
        f"{ALICE} logged in, not on a device of its own, before {IP} turned bad: "
        "1 logins, at least 1 within 120 hours"
    )
    assert [word for word in words(store) if RULE in word.rules] == []


def test_a_turn_waits_until_nothing_earlier_can_come() -> None:
    """In every order of arrival and every cut the alerts are the same."""
    events = [strange(-DAY), *attack(), strange(-HOUR, "b", account="bob"), login(LAST + 61, "z")]

    orders = [told(order, cut) for order in (events, events[::-1]) for cut in (1, 3, 100)]

    assert all(order == orders[0] for order in orders)
    assert len(orders[0]) == 2


def test_a_bad_address_is_not_reopened_again_with_its_network() -> None:
    """What it let in is reopened at its own turn; the network adds its quiet addresses."""
    events = [strange(-DAY, ip="203.0.113.3"), *subnet()]

    assert [one.part for one in told(events, bad_percent=50)] == ["look-back ip 203.0.113.3"]


@pytest.mark.parametrize(
    ("hours", "whole", "expected"), [(11, False, 1), (13, False, 0), (13, True, 1)]
)
def test_trimming_makes_no_turn(hours: int, whole: bool, expected: int) -> None:
    """Of a trimmed log a flagged instant is a turn only if the day before it is sure to be kept."""
    kept = log_of(
        entry(event) for event in [login(0, "first"), *series(8, start=hours * HOUR, every=1)]
    )

    log = replace(kept, flagged=(kept.at[0],), whole=whole)

    assert len(turns(log)) == expected
