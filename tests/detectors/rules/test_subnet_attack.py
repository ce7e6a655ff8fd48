"""subnet_attack: five addresses of one /24 or /48 are flagged within an hour."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from detectors.events import LoginEvent
from tests.builders import (
    HOUR,
    QUIET,
    arrivals,
    final,
    found,
    judged,
    login,
    rules,
    series,
    words,
)
from tests.detectors.warm import PHONE, warm

from .timelines import Seen, Shape, basic, case

RULE = "subnet_attack"
NET = "203.0.113.0/24"
LAST = 90


def attack(number: int, start: float, **fields: Any) -> list[LoginEvent]:
    """Ten failures of one address of NET, which flag it 90 s after `start`."""
    name = fields.pop("name", "e")
    said = {"ip": f"203.0.113.{number}"} | fields
    return series(10, every=10, start=start, name=f"{name}{number}-", **said)


def attacks(*numbers: int, every: float = 60, start: float = 0, **fields: Any) -> list[LoginEvent]:
    """One address after the other."""
    return [
        event
        for index, number in enumerate(numbers)
        for event in attack(number, start + every * index, **fields)
    ]


def crossing(start: float, **fields: Any) -> list[LoginEvent]:
    """Five addresses, a minute apart."""
    return attacks(0, 1, 2, 3, 4, start=start, **fields)


def stretched(seconds: float) -> list[LoginEvent]:
    """Five addresses over `seconds` from the first flag to the last."""
    return [*attack(0, 0), *attacks(1, 2, 3, every=60, start=60), *attack(4, seconds)]


SHAPE = Shape(
    rule=RULE,
    threshold=5,
    severity="high",
    window=HOUR,
    accounts=0,
    crossing=crossing,
    stretched=stretched,
    subject=NET,
    counts=lambda _: {"failures": 5},
    beside=("ip_fail_burst",),
    store=lambda: warm([f"c{n}" for n in range(10)]),
)
END = 4 * 60 + LAST


def alert(at: float = END, **other: Any) -> Seen:
    """The alert of five addresses."""
    return Seen("high", at, at, 5, 0, NET)._replace(**other)


def ipv6(site: str, *hosts: str, start: float = 0) -> list[LoginEvent]:
    """These addresses of a site, one after the other."""
    return [
        event
        for n, host in enumerate(hosts)
        for event in attack(n, start + 60 * n, ip=f"2001:db8:{site}:{host}", name=site)
    ]


TIMELINES = [
    *basic(SHAPE),
    case(
        "a second quiet time is a second alert",
        crossing(0) + crossing(QUIET, name="again"),
        alert(),
        alert(QUIET + END),
    ),
    case(
        "one alert grows within a quiet time",
        crossing(0) + attacks(5, 6, start=HOUR - 300),
        alert(updated=HOUR - 300 + 60 + LAST, failures=7),
    ),
    case(
        "two networks are two subjects", [*attacks(0, 1, 2, 3), *attack(4, 240, ip="203.0.112.4")]
    ),
    case(
        "one address flagged again and again is one address",
        [
            *attacks(0, 1, 2, 3),
            *attack(3, 300, account="x", name="more"),
            *attack(3, 360, name="spray", account=None),
        ],
    ),
    case(
        "addresses of low severity do not count",
        # Ten failures are medium; ten known customers of the address lower it to low.
        [
            *(
                login(
                    -600 + n,
                    f"own{n}",
                    account=f"c{n}",
                    outcome="success",
                    device_id=PHONE,
                    ip="203.0.113.4",
                )
                for n in range(10)
            ),
            *crossing(0),
        ],
    ),
    case(
        "many /64 of one /48 are one subject",
        ipv6("7", "1::1", "2::1", "3::1", "4::1", "5::1"),
        alert(subject="2001:db8:7::/48"),
    ),
    case(
        "many addresses of one /64 are one address",
        ipv6("7", "1::1", "1::2", "1::3", "1::4", "1::5"),
    ),
    case(
        "two /48 are two subjects", [*ipv6("7", "1::1", "2::1"), *ipv6("8", "1::1", "2::1", "3::1")]
    ),
    case(
        "an address mapped into IPv6 is the IPv4 address",
        [*attacks(0, 1, 2), *attack(3, 180), *attack(3, 240, ip="::ffff:203.0.113.3", name="m")],
    ),
    case(
        "an event without an address counts for nobody",
        [*attacks(0, 1, 2, 3), *attack(4, 240, ip=None)],
    ),
]


@pytest.mark.parametrize(("events", "expected"), TIMELINES)
def test_timeline(events: list[LoginEvent], expected: list[Seen]) -> None:
    """Five flagged addresses in an hour, each timeline as its name says."""
    assert SHAPE.judged(events) == expected


def test_the_alert_lists_its_addresses() -> None:
    """The SOC reads which addresses attacked, and from which network."""
    alerts = found(crossing(0), active=(*rules(only=RULE), *rules(only="ip_fail_burst")))

    (one,) = [alert for alert in alerts if alert.rule == RULE]
    assert (one.subject.type, one.subject.value) == ("subnet", NET)
    assert one.ips == [f"203.0.113.{n}" for n in range(5)]
    assert one.summary == f"5 addresses of {NET} attack: at least 5 within 1 hour"


def test_a_staged_detection_flags_too_and_pages_nobody() -> None:
    """Modes say who is woken, not what is bad: an address flagged by a staged rule is flagged."""
    staged = [
        replace(active, mode="staged")
        for name in (RULE, "ip_fail_burst")
        for active in rules(only=name)
    ]

    store = judged(arrivals(crossing(0)), active=staged)

    assert words(store) == []
    assert {(one.rule, one.mode) for one in final(store)} == {
        (RULE, "staged"),
        ("ip_fail_burst", "staged"),
    }
