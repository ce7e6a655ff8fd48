"""CrowdSec's hub tests as they lie in a folder: events, what must be named, under which buckets.

An address is graded if the test's own buckets, on these events, say of it what the test says: some
filter on facts that the events do not carry, or count in the order of a log whose times go back.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Final, NamedTuple

from detectors.events import milliseconds

from .crowdsec import CrowdSec, Leaky
from .peers import PeerAlert

_UNITS: Final = {"h": 3_600_000, "m": 60_000, "s": 1_000}
_BY_ADDRESS: Final = "evt.Meta.source_ip"


class Point(NamedTuple):
    """So many attempts within so many ms."""

    attempts: int
    window_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class HubTest:
    """One test of the hub. `other`: why it is no leaky bucket on one address, empty if it is."""

    name: str
    events: list[dict[str, Any]]
    must: frozenset[str]
    must_not: frozenset[str]
    failures: tuple[Point, ...] = ()
    names: tuple[Point, ...] = ()
    excused: dict[str, str] = field(default_factory=dict)
    """Addresses that are not graded, and why; they stand in neither `must` nor `must_not`."""
    other: str = ""


def read_tests(folder: Path) -> list[HubTest]:
    """All tests of a folder, in its order."""
    events, expected = defaultdict(list), defaultdict(list)
    for event in _lines(folder / "events.jsonl"):
        events[event["source"].partition(":")[2]].append(event)
    for line in _lines(folder / "expected.jsonl"):
        expected[line["test"]].append(line)
    return [
        _test(line, events[line["test"]], expected[line["test"]])
        for line in _lines(folder / "tests.jsonl")
    ]


def _test(
    line: dict[str, Any], events: list[dict[str, Any]], expected: list[dict[str, Any]]
) -> HubTest:
    definitions = [one["scenario_def"] for one in expected if one["authentic_login_test"]]
    must, must_not = set(line["must_detect_ips"]), set(line["must_not_detect_ips"])
    other = _other(line, events, definitions)
    excused = {} if other else _excused(must, must_not, events, [d for d in definitions if d])
    if not other and not (must | must_not) - set(excused):
        other = "; ".join(f"{ip}: {why}" for ip, why in excused.items())
    return HubTest(
        name=line["test"],
        events=events,
        must=frozenset(must - set(excused)),
        must_not=frozenset(must_not - set(excused)),
        failures=_points(d for d in definitions if d and not d.get("distinct")),
        names=_points(d for d in definitions if d and d.get("distinct")),
        excused=excused,
        other=other,
    )


def _other(
    line: dict[str, Any], events: list[dict[str, Any]], definitions: list[dict[str, Any] | None]
) -> str:
    """Why a test is not about leaky buckets on one address; empty if it is."""
    if not line["scenarios"]:
        return "tests a parser: names no scenario, so no limit"
    if not definitions or None in definitions:
        return "names no definition of its scenario, so no limit"
    for one in definitions:
        if one and one["type"] != "leaky":
            return f"scenario of type {one['type']}, not leaky"
        if one and one["groupby"] != _BY_ADDRESS:
            return f"buckets by {one['groupby']}, not by address"
    absent = set(line["must_detect_ips"]) - {event["ip"] for event in events}
    if absent:
        return f"must name {', '.join(sorted(absent))}, which no event carries"
    return ""


def _excused(
    must: set[str],
    must_not: set[str],
    events: list[dict[str, Any]],
    definitions: list[dict[str, Any]],
) -> dict[str, str]:
    """Addresses of which the buckets themselves say something else on these events."""
    overflowing = {alert.ip for one in definitions for alert in _poured(one, events)}
    quiet = "its own bucket does not overflow by these times"
    wrong = "its own bucket overflows, too: what it filters by is not in the events"
    return dict.fromkeys(sorted(must - overflowing), quiet) | dict.fromkeys(
        sorted(must_not & overflowing), wrong
    )


def _poured(definition: dict[str, Any], events: list[dict[str, Any]]) -> list[PeerAlert]:
    scenario = Leaky(
        name="hub",
        capacity=definition["capacity"],
        leak_ms=round(_ms(definition["leakspeed"])),
        distinct=bool(definition.get("distinct")),
    )
    peer = CrowdSec((scenario,))
    return [
        alert
        for event in sorted(events, key=lambda event: str(event["ts"]))
        for alert in peer.feed(
            milliseconds(datetime.fromisoformat(event["ts"])),
            event["ip"],
            event["user"],
            failed=event["outcome"] == "failure",
        )
    ]


def _points(definitions: Iterable[dict[str, Any]]) -> tuple[Point, ...]:
    """The points of all leaky buckets, the fast ones first."""
    buckets = sorted(
        {
            (one["capacity"], round(_ms(one["leakspeed"])))
            for one in definitions
            if one["type"] == "leaky"
        }
    )
    fast = [Point(capacity + 1, leak) for capacity, leak in buckets]
    slower = [
        Point(capacity + 1 + k, (k + 1) * leak)
        for share in (0.5, 1.0)
        for capacity, leak in reversed(buckets)
        if (k := round(capacity * share) + (share == 1.0))
    ]
    return (*fast, *slower)


def _ms(text: str) -> float:
    return sum(float(n) * _UNITS[unit] for n, unit in re.findall(r"([\d.]+)([hms])", text))


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    with path.open(encoding="utf-8") as file:
        for line in file:
            yield json.loads(line)
