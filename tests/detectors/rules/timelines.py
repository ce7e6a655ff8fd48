"""The timelines every detection must stand: from the smallest set of events that makes it fire."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, NamedTuple

import pytest
from _pytest.mark.structures import ParameterSet

from detectors.alerts import Alert
from detectors.attempts import HEAD_BYTES
from detectors.events import LoginEvent
from detectors.facts import Joiner
from detectors.memory import MemoryStore
from detectors.rule import Rule
from tests.builders import IP, OTHER_IP, START, changed, found, rules

NETWORK = "2001:db8:0:7::"
SUBJECT = f"{NETWORK}/64"

_ALL = (
    "fires exactly at the limit",
    "stays quiet one below the limit",
    "stays quiet when the first has just left the window",
    "fires when the first is still inside the window",
    "a late event is counted where it belongs",
    "duplicates count once",
    "a redelivered crossing is one alert",
    "a second quiet time is a second alert",
    "one alert grows within a quiet time",
    "two systems are two subjects",
    "an action that is no login does not count",
)
_ADDRESSES = (
    "two addresses of one /64 are one subject",
    "two /64 are two subjects",
    "an address mapped into IPv6 is the IPv4 address",
)
_MEMORY = (
    "two accounts are two subjects",
    "a login without an account",
    "on a device known to the account",
    "on a device known for less than a minute",
    "on a device last used more than 180 days ago",
    "no device is told",
    "the account has had two successes",
    "the system has had 999 successes",
)
COMPULSORY: dict[str, tuple[str, ...]] = {
    "ip": (
        *_ALL,
        *_ADDRESSES,
        "two addresses are two subjects",
        "an event without an address counts for nobody",
        "a success does not count",
        "a login without an account",
        "many users behind one address",
    ),
    "account": (
        *_ALL,
        "two accounts are two subjects",
        "two addresses of one /64 are one address",
        "an address mapped into IPv6 is the IPv4 address",
        "an event without an address is no further address",
        "a success does not count",
        "a failure on a known device does not count",
        "a failure on a name that is no customer's does not count",
        "a login without an account",
        "many addresses of one carrier",
    ),
    "login": (*_ALL, *_MEMORY),
    "global": (
        "fires exactly at the limit",
        "stays quiet one below the limit",
        "stays quiet when the first has just left the window",
        "duplicates count once",
        "a redelivered crossing is one alert",
        "a second quiet time is a second alert",
        "two systems are two subjects",
        "an action that is no login does not count",
        "a flood from one address",
        "a flood on one account",
        "many users behind one address",
    ),
    "deeds": (
        *_ALL,
        "two accounts are two subjects",
        "a change that was refused",
        "a change after an ordinary login",
        "many customers behind one address",
        "an address of IPv6",
    ),
    "paper": (
        *_ALL,
        "one account that orders three times",
        "two papers are two subjects",
        "accounts that are not at risk",
        "many customers behind one address",
        "an address of IPv6",
    ),
    "success": (
        *_ALL,
        "two accounts are two subjects",
        "a failure does not count",
        "a second factor was used",
        "nobody tells whether there was one",
        "the system does not demand it",
        "a login without an account",
        "an address of IPv6",
        "many users behind one address",
    ),
    "locked": (
        *_ALL,
        "two networks are two subjects",
        "addresses of one network are one subject",
        "many /64 of one /48 are one subject",
        "an address mapped into IPv6 is the IPv4 address",
        "an event without an address counts for nobody",
        "one account that is tried again and again",
        "a wrong password does not count",
        "a success does not count",
        "a login without an account",
        "many users behind one address",
    ),
    "asn": (
        *_ALL,
        "two networks are two subjects",
        "nobody tells the network",
        "too few accounts",
        "too few addresses",
        "many /64 of one /48 are many addresses",
        "an address mapped into IPv6 is the IPv4 address",
        "an event without an address is no further address",
        "a login without an account",
        "a success does not count",
        "a failure on a known device does not count",
        "a carrier whose customers log in beside",
        "as bad as everywhere",
        "bad beyond doubt though it is so everywhere",
        "many users behind one address",
    ),
    "tool": (
        *_ALL,
        "two programs are two subjects",
        "nobody tells the program",
        "too few accounts",
        "too few addresses",
        "many /64 of one /48 are many addresses",
        "an address mapped into IPv6 is the IPv4 address",
        "an event without an address is no further address",
        "a login without an account",
        "a success does not count",
        "a failure on a known device does not count",
        "a common program, with which customers log in",
        "as bad as everywhere",
        "bad beyond doubt though it is so everywhere",
        "many users behind one address",
    ),
    "subnet": (
        *_ALL,
        "two networks are two subjects",
        "one address flagged again and again is one address",
        "addresses of low severity do not count",
        "many /64 of one /48 are one subject",
        "an address mapped into IPv6 is the IPv4 address",
    ),
}
"""By the kind of detection (`family`): every file has these; tests/test_all_rules.py looks."""


_BY_HAND = {"single_factor_success": "success", "impossible_travel": "login"}
"""Of detections that watch a log for something else than it or their notice tells."""


def family(rule: Rule) -> str:
    """Which timelines a detection must stand: those of logins, where a customer is told of one."""
    if rule.id in _BY_HAND:
        return _BY_HAND[rule.id]
    told = {rule.notice(entry) for entry in _ENTRIES}
    return rule.watches[0] if told == {"none"} else "login"


_ENTRIES = (bytes(HEAD_BYTES), bytes(26) + b"\xff" * 4 + bytes(HEAD_BYTES - 30))
"""An entry without any mark and one with every mark: enough to ask `notice`."""

Timeline = tuple[list[LoginEvent], list["Seen"]]


class Seen(NamedTuple):
    """What a test expects of an alert; times in seconds after START."""

    severity: str
    opened: float
    updated: float
    failures: int
    accounts: int
    subject: str = IP
    system: str = "web"
    successes: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """A part of a detection: its smallest crossing, and what the alert of it says.

    `crossing(start, **fields)` gives events that fire with the last of them, not without any one;
    `stretched(seconds)` the same events over that long a time from the first to the last.
    """

    rule: str
    threshold: int
    severity: str
    window: float
    accounts: int
    crossing: Callable[..., list[LoginEvent]]
    stretched: Callable[[float], list[LoginEvent]]
    others_off: dict[str, Any] = field(default_factory=dict)
    """Limits that keep the detection's other parts quiet."""
    subject: str = IP
    counts: Callable[[int], dict[str, int]] = field(default=lambda events: {"failures": events})
    """What the alert counts in a crossing of so many events."""
    beside: tuple[str, ...] = ()
    """Detections that flag addresses for one that follows."""
    facts: Joiner | None = None
    store: Callable[[], MemoryStore] = MemoryStore
    """What is remembered before the first event."""

    def judged(self, events: list[LoginEvent], cut: int = 1) -> list[Seen]:
        """What this part alone finds in events that arrive in this order."""
        (active,) = rules(only=self.rule)
        alone = replace(active, limits=replace(active.limits, **self.others_off))
        beside = [other for name in self.beside for other in rules(only=name)]
        alerts = [
            alert
            for alert in found(
                events, cut=cut, active=(alone, *beside), facts=self.facts, store=self.store()
            )
            if alert.rule == self.rule
        ]
        assert {(alert.threshold, alert.window_s) for alert in alerts} <= {
            (self.threshold, self.window)
        }
        return sorted(map(seen, alerts))

    def seen(self, events: list[LoginEvent], **other: Any) -> Seen:
        """The alert of one crossing made of `events`: it opens with the last of them."""
        at = (max(event.occurred_at for event in events) - START).total_seconds()
        said = {"failures": 0} | self.counts(len(events)) | other
        plain = Seen(self.severity, at, at, 0, self.accounts, self.subject)
        return plain._replace(**said)


def seen(alert: Alert) -> Seen:
    """What of an alert the timelines compare."""
    return Seen(
        alert.severity,
        _offset(alert.opened_at),
        _offset(alert.updated_at),
        alert.counts["failures"],
        alert.counts["accounts"],
        alert.subject.value,
        alert.system,
        alert.counts.get("successes", 0),
    )


def _offset(text: str) -> float:
    return (datetime.fromisoformat(text) - START).total_seconds()


def case(name: str, events: list[LoginEvent], *expected: Seen) -> ParameterSet:
    """A named timeline."""
    return pytest.param(events, sorted(expected), id=name)


def basic(shape: Shape) -> list[ParameterSet]:
    """The compulsory timelines that follow from the crossing alone, whatever it is about."""
    events = shape.crossing(0)
    inside = shape.stretched(shape.window - 0.001)
    return [
        case("fires exactly at the limit", events, shape.seen(events)),
        case("stays quiet one below the limit", events[:-1]),
        case("stays quiet when the first has just left the window", shape.stretched(shape.window)),
        case("fires when the first is still inside the window", inside, shape.seen(inside)),
        case(
            "a late event is counted where it belongs",
            [*events[1:], events[0]],
            shape.seen(events),
        ),
        case("duplicates count once", [*events[:-1] * 3]),
        case("a redelivered crossing is one alert", events * 2, shape.seen(events)),
        case("two systems are two subjects", changed(events, -1, system="app")),
        case(
            "each system has its own alert",
            [*shape.crossing(0, name="w"), *shape.crossing(0, name="a", system="app")],
            shape.seen(events),
            shape.seen(events, system="app"),
        ),
        case(
            "an action that is no login does not count", changed(events, -1, action="order_refused")
        ),
    ]


def common(shape: Shape) -> list[ParameterSet]:
    """The compulsory timelines of an address that follow from the crossing alone."""
    events = shape.crossing(0)
    return [
        *basic(shape),
        *_subjects(shape, events),
        case("an event without an address counts for nobody", changed(events, 1, ip=None)),
        case("a success does not count", changed(events, 1, outcome="success")),
    ]


def _subjects(shape: Shape, events: list[LoginEvent]) -> list[ParameterSet]:
    half = len(events) // 2
    mixed, apart, mapped = events, events, events
    for index in range(half):
        mixed = changed(mixed, index, ip=f"{NETWORK}1")
        apart = changed(apart, index, ip="2001:db8:0:8::1")
        mapped = changed(mapped, index, ip=f"::ffff:{IP}")
    for index in range(half, len(events)):
        mixed = changed(mixed, index, ip="2001:db8:0:7:ffff::2")
        apart = changed(apart, index, ip=f"{NETWORK}1")
    other_ip = events
    for index in range(half):
        other_ip = changed(other_ip, index, ip=OTHER_IP)
    return [
        case("two addresses are two subjects", other_ip),
        case(
            "two addresses of one /64 are one subject", mixed, shape.seen(events, subject=SUBJECT)
        ),
        case("two /64 are two subjects", apart),
        case("an address mapped into IPv6 is the IPv4 address", mapped, shape.seen(events)),
    ]
