"""The timelines every detection must stand: from the smallest set of events that makes it fire."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, NamedTuple

import pytest
from _pytest.mark.structures import ParameterSet

from detectors.alerts import Alert
from detectors.events import LoginEvent
from tests.builders import IP, OTHER_IP, START, changed, found, rules

NETWORK = "2001:db8:0:7::"
SUBJECT = f"{NETWORK}/64"

COMPULSORY = (
    "fires exactly at the limit",
    "stays quiet one below the limit",
    "stays quiet when the first has just left the window",
    "fires when the first is still inside the window",
    "a late event is counted where it belongs",
    "duplicates count once",
    "a redelivered crossing is one alert",
    "a second quiet time is a second alert",
    "one alert grows within a quiet time",
    "two addresses are two subjects",
    "two systems are two subjects",
    "two addresses of one /64 are one subject",
    "two /64 are two subjects",
    "an address mapped into IPv6 is the IPv4 address",
    "an event without an address counts for nobody",
    "an action that is no login does not count",
    "a success does not count",
    "a login without an account",
    "many users behind one address",
)
"""Every detection's file has these by name; tests/test_all_rules.py looks."""

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
    others_off: dict[str, int] = field(default_factory=dict)
    """Limits that keep the detection's other parts quiet."""

    def judged(self, events: list[LoginEvent], cut: int = 1) -> list[Seen]:
        """What this part alone finds in events that arrive in this order."""
        (active,) = rules(only=self.rule)
        alone = replace(active, limits=replace(active.limits, **self.others_off))
        alerts = found(events, cut=cut, active=(alone,))
        assert {(alert.threshold, alert.window_s) for alert in alerts} <= {
            (self.threshold, self.window)
        }
        return sorted(map(seen, alerts))

    def seen(self, events: list[LoginEvent], **other: Any) -> Seen:
        """The alert of one crossing made of `events`: it opens with the last of them."""
        at = (max(event.occurred_at for event in events) - START).total_seconds()
        return Seen(self.severity, at, at, len(events), self.accounts)._replace(**other)


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
    )


def _offset(text: str) -> float:
    return (datetime.fromisoformat(text) - START).total_seconds()


def case(name: str, events: list[LoginEvent], *expected: Seen) -> ParameterSet:
    """A named timeline."""
    return pytest.param(events, sorted(expected), id=name)


def common(shape: Shape) -> list[ParameterSet]:
    """The compulsory timelines that follow from the crossing alone."""
    crossing = shape.crossing
    events = crossing(0)
    inside = shape.stretched(shape.window - 0.001)
    return [
        case("fires exactly at the limit", events, shape.seen(events)),
        case("stays quiet one below the limit", events[:-1]),
        case("stays quiet when the first has just left the window", shape.stretched(shape.window)),
        case("fires when the first is still inside the window", inside, shape.seen(inside)),
        case(
            "a late event is counted where it belongs",
            [events[0], *events[2:], events[1]],
            shape.seen(events),
        ),
        case("duplicates count once", [*events[:-1] * 3]),
        case("a redelivered crossing is one alert", events * 2, shape.seen(events)),
        *_subjects(shape, events),
        *(
            case(name, changed(events, 1, **fields))
            for name, fields in (
                ("an event without an address counts for nobody", {"ip": None}),
                ("an action that is no login does not count", {"action": "order_refused"}),
                ("a success does not count", {"outcome": "success"}),
            )
        ),
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
    other_ip, other_system = events, events
    for index in range(half):
        other_ip = changed(other_ip, index, ip=OTHER_IP)
        other_system = changed(other_system, index, system="app")
    both = [*shape.crossing(0, name="w"), *shape.crossing(0, name="a", system="app")]
    return [
        case("two addresses are two subjects", other_ip),
        case("two systems are two subjects", other_system),
        case(
            "each system has its own alert",
            both,
            shape.seen(events),
            shape.seen(events, system="app"),
        ),
        case(
            "two addresses of one /64 are one subject", mixed, shape.seen(events, subject=SUBJECT)
        ),
        case("two /64 are two subjects", apart),
        case("an address mapped into IPv6 is the IPv4 address", mapped, shape.seen(events)),
    ]
