"""origin_many_first_successes: five accounts, each for the first time, on a device or address."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from detectors.attempts import short_hash
from detectors.events import LoginEvent
from detectors.memory import MemoryStore
from tests.builders import (
    DAY,
    HOUR,
    IP,
    MINUTE,
    OTHER_IP,
    QUIET,
    arrivals,
    changed,
    final,
    judged,
    login,
    rules,
    words,
)
from tests.detectors.warm import NEWCOMER, OLD_PHONE, PHONE, YOUNG, warm

from .timelines import NETWORK, SUBJECT, Seen, Shape, basic, case

RULE = "origin_many_first_successes"
ACCOUNTS = tuple(f"c{n}" for n in range(20))
DEVICE = short_hash("one").hex()
LAST = 4 * MINUTE


def remembered() -> MemoryStore:
    """Twenty accounts that have logged in from home for a month."""
    return warm(ACCOUNTS)


def entered(at: float, name: str, number: int, **fields: Any) -> LoginEvent:
    """Account `c<number>` logs in."""
    return login(at, name, **{"outcome": "success", "account": f"c{number}"} | fields)


def on_device(start: float, *, name: str = "e", first: int = 0, **fields: Any) -> list[LoginEvent]:
    """Five accounts log in on one device, a minute apart, each from an address of its own."""
    return [
        entered(
            start + MINUTE * n,
            f"{name}{n}",
            first + n,
            **{"device_id": "one", "ip": f"203.0.{first + n}.7"} | fields,
        )
        for n in range(5)
    ]


def from_address(
    start: float, *, name: str = "e", first: int = 0, **fields: Any
) -> list[LoginEvent]:
    """Five accounts log in from IP, a minute apart, each on a new device of its own."""
    return [
        entered(
            start + MINUTE * n, f"{name}{n}", first + n, **{"device_id": f"new{first + n}"} | fields
        )
        for n in range(5)
    ]


def over(events: list[LoginEvent], seconds: float) -> list[LoginEvent]:
    """The same over `seconds`."""
    for index in range(1, 5):
        when = login(seconds - (4 - index), "x").occurred_at
        events = changed(events, index, occurred_at=when)
    return events


ON_DEVICE = Shape(
    rule=RULE,
    threshold=5,
    severity="critical",
    window=DAY,
    accounts=5,
    crossing=on_device,
    stretched=lambda seconds: over(on_device(0), seconds),
    subject=DEVICE,
    counts=lambda events: {"successes": events},
    store=remembered,
)
FROM_ADDRESS = replace(
    ON_DEVICE,
    crossing=from_address,
    stretched=lambda seconds: over(from_address(0), seconds),
    subject=IP,
)


def found(at: float, **other: Any) -> Seen:
    """The alert of a fifth account at `at`."""
    return Seen("critical", at, at, 0, 5, DEVICE, successes=5)._replace(**other)


def with_last(**fields: Any) -> list[LoginEvent]:
    """Five on one device, the fifth told differently."""
    return changed(on_device(0), -1, **fields)


TIMELINES = [
    *basic(ON_DEVICE),
    case(
        "a second quiet time is a second alert",
        [*on_device(0), *on_device(QUIET, name="later", first=5)],
        found(LAST),
        found(QUIET, updated=QUIET + LAST, accounts=10, successes=10),
    ),
    case(
        "one alert grows within a quiet time",
        [*on_device(0), *on_device(HOUR, name="later", first=5)],
        found(LAST, updated=HOUR + LAST, accounts=10, successes=10),
    ),
    case("two accounts are two subjects", with_last(account="c0")),
    case("a login without an account", with_last(account=None)),
    case("on a device known to the account", on_device(0, device_id=PHONE)),
    case(
        "on a device known for less than a minute",
        [entered(LAST - 59.999, "own", 4, device_id="one"), *on_device(0)],
        found(LAST - 59.999, updated=LAST, successes=6),
    ),
    case("on a device known for a minute", on_device(0), found(LAST)),
    case(
        "on a device last used more than 180 days ago",
        on_device(0, device_id=OLD_PHONE),
        found(LAST, subject=short_hash(OLD_PHONE).hex()),
    ),
    case("no device is told", on_device(0, device_id=None)),
    case("the account has had two successes", with_last(account=NEWCOMER)),
    case("the system has had 999 successes", on_device(0, system=YOUNG)),
    case("one failed", with_last(outcome="failure")),
    case("four on the device, one on another", with_last(device_id="two")),
    case("without an address", on_device(0, ip=None), found(LAST)),
]


def known(start: float, count: int = 5) -> list[LoginEvent]:
    """So many other accounts log in from IP on the telephones they have had for a month."""
    return [
        entered(start + n, f"own{n}", 10 + n, account=f"c{10 + n}", device_id=PHONE)
        for n in range(count)
    ]


ADDRESS_TIMELINES = [
    *basic(FROM_ADDRESS),
    case("many users behind one address", [*known(-HOUR), *from_address(0)]),
    case("one known customer less", [*known(-HOUR, 4), *from_address(0)], found(LAST, subject=IP)),
    case("an office's customers on the Friday before", [*known(-3 * DAY), *from_address(0)]),
    case(
        "customers who came four days before",
        [*known(-4 * DAY), *from_address(0)],
        found(LAST, subject=IP),
    ),
    case(
        "customers who came within the last minute",
        [*known(LAST - 50), *from_address(0)],
        found(LAST, subject=IP),
    ),
    case("two addresses", changed(from_address(0), 1, ip=OTHER_IP)),
    case(
        "two addresses of one /64",
        changed(from_address(0, ip=f"{NETWORK}1"), 1, ip=f"{NETWORK}ffff"),
        found(LAST, subject=SUBJECT),
    ),
    case("two /64", changed(from_address(0, ip=f"{NETWORK}1"), 1, ip="2001:db8:0:8::1")),
    case(
        "an address mapped into IPv6",
        changed(from_address(0), 1, ip=f"::ffff:{IP}"),
        found(LAST, subject=IP),
    ),
    case("on their own devices", from_address(0, device_id=PHONE)),
    case("no device is told", from_address(0, device_id=None)),
]


@pytest.mark.parametrize(("events", "expected"), TIMELINES)
@pytest.mark.parametrize("cut", [1, 100])
def test_device_timeline(events: list[LoginEvent], expected: list[Seen], cut: int) -> None:
    """Five accounts on one device: each timeline as its name says."""
    assert ON_DEVICE.judged(events, cut) == expected


@pytest.mark.parametrize(("events", "expected"), ADDRESS_TIMELINES)
@pytest.mark.parametrize("cut", [1, 100])
def test_address_timeline(events: list[LoginEvent], expected: list[Seen], cut: int) -> None:
    """Five accounts on new devices from one address: each timeline as its name says."""
    assert FROM_ADDRESS.judged(events, cut) == expected


@pytest.mark.parametrize("days", [6, 8])
def test_addresses_wait_until_a_nat_can_be_known(days: int) -> None:
    """In a system's first week no customer is old enough to say that an address is a NAT."""
    young = replace(FROM_ADDRESS, store=lambda: warm(ACCOUNTS, watched_days=days))

    assert bool(young.judged(from_address(0))) == (days == 8)


@pytest.mark.parametrize("events", [on_device(0), from_address(0)], ids=["device", "address"])
def test_every_one_of_the_customers_is_told(events: list[LoginEvent]) -> None:
    """Not only who came fifth: the verdict of each of the logins is `high`."""
    store = judged(arrivals(events), active=rules(only=RULE), store=remembered())

    (alert,) = final(store)
    assert [(word.event_id, word.notice_risk) for word in words(store)] == [
        (event.event_id, "high") for event in events
    ]
    assert alert.event_ids == [event.event_id for event in events]
    assert "5 accounts logged in" in alert.summary


def test_a_nat_stays_one_when_its_customers_are_trimmed() -> None:
    """What was no alert with the customers of the days before is none days later without them."""
    later = [entered(DAY * n, f"day{n}", 19, device_id=PHONE) for n in range(1, 14)]
    events = [*known(-3 * DAY), *from_address(0), *later]

    store = judged(arrivals(events), active=rules(only=RULE), store=remembered())

    assert final(store) == []
