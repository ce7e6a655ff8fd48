"""Canaries change nothing: the same day with and without them."""

from __future__ import annotations

import asyncio
from pathlib import Path
from zoneinfo import ZoneInfo

from config.rules import load_rules
from detectors.alerts import Alert
from detectors.daily import CANARY, Daily, Day
from detectors.engine import Engine
from detectors.events import LoginEvent, milliseconds
from detectors.incidents import Incident, incidents
from detectors.verdicts import Verdict
from detectors.wire import encode
from stream.replay import replay
from stream.watch.canaries import Beat, events
from tests.builders import NAMES, login

Judged = tuple[list[Alert], list[Verdict], list[Day], list[Incident]]


def day() -> list[LoginEvent]:
    """An hour with customers, and an attack from one network in its middle."""
    customers = [
        login(
            30 * n,
            f"good-{n}",
            account=f"customer-{n % 20}",
            ip="198.51.100.7",
            outcome="success",
            device_id=f"device-{n % 20}",
        )
        for n in range(120)
    ]
    attack = [
        login(1800 + n, f"bad-{n}", account=f"name-{n}", ip=f"192.0.2.{1 + n % 8}")
        for n in range(300)
    ]
    return [*customers, *attack]


def canaries(of: list[LoginEvent]) -> list[LoginEvent]:
    """A beat a minute through the whole time."""
    first = milliseconds(min(event.occurred_at for event in of))
    last = milliseconds(max(event.occurred_at for event in of))
    return [
        event
        for number, at in enumerate(range(first, last, 60_000))
        for event in events(Beat(number=number, sent_ms=at), 24)
    ]


def judged(folder: Path, given: list[LoginEvent]) -> Judged:
    """What replay says of the day."""
    file = folder / "events.jsonl"
    file.write_bytes(b"".join(encode(event) + b"\n" for event in given))
    counts = Daily(ZoneInfo("Asia/Taipei"), "Asia/Taipei")
    found = asyncio.run(replay([file], Engine(load_rules().active(), NAMES), watch=counts.add))
    for alert in found.alerts:
        counts.add_alert(alert)
    return found.alerts, found.verdicts, counts.rows(), incidents(found.alerts)


def test_a_day_with_canaries_is_the_day_without(tmp_path: Path) -> None:
    """Alerts, verdicts, incidents and the daily record are equal; each canary was found."""
    given = day()
    beats = canaries(given)

    without = judged(tmp_path, given)
    alerts, *rest = judged(tmp_path, [*given, *beats])

    assert without[0]
    assert [one for one in alerts if one.system != CANARY] == without[0]
    assert rest == list(without[1:])
    own = [one for one in alerts if one.system == CANARY]
    assert {one.subject.type for one in own} == {"ip"}
    assert len({one.subject.value for one in own}) == len(beats) // 24
