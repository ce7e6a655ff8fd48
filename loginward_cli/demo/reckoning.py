"""The end of a demo: does everything add up, and do the archived events give the same alerts?"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from archive.keys import load_keys
from archive.read import read_logins, segments
from archive.seal import span
from config.governance.books import governed
from config.settings import Settings
from detectors.alerts import Alert, encode
from detectors.engine import Engine
from detectors.pseudonyms import Pseudonyms
from detectors.wire import encode as encode_event
from stream.replay import replay

SETTLE_S = 12.0
"""An alert gets its last revision 3 s after the last login; the rest is patience."""

REPLAY_MOST = 150_000
"""Events replayed at the end; measured at some 15,000 a second, reading the archive included."""

_NAMED = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Replay:
    """What a replay of the archived events found, beside the live alerts."""

    events: int = 0
    alerts: int = 0
    seconds: float = 0.0
    same: bool | None = None
    """None: not run."""
    differences: list[str] = field(default_factory=list)
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Archived:
    """Offsets of `logins` in sealed segments: those that are events, those that are not."""

    events: int
    undecodable: int


def archived(settings: Settings) -> Archived:
    """Count what is sealed of `logins`."""
    rows = rejected = 0
    for _, seal in segments(settings.archive.directory, "logins"):
        rows += seal.rows
        rejected += span(seal.rejected)
    return Archived(events=rows, undecodable=rejected)


def replay_archive(
    settings: Settings,
    pseudonyms: Pseudonyms,
    events: Path,
    live: Callable[[], Mapping[str, Alert]],
) -> Replay:
    """Write the archived logins to `events`, judge them again, and compare with the live alerts.

    The live alerts may still be growing: they are asked for until they are equal, or time is up.
    """
    began = time.monotonic()
    count = _export(settings, events)
    if count > REPLAY_MOST:
        return Replay(events=count, reason=f"more than {REPLAY_MOST:,} events; run it by hand")
    engine = Engine(governed(settings).book.active(), pseudonyms)
    found = asyncio.run(replay([events], engine))
    seconds = time.monotonic() - began
    again = {alert.alert_id: alert for alert in found.alerts}
    rules = set(engine.judges.rules)

    def judged() -> dict[str, Alert]:
        # Whatever else stands in the topic (a customer's "no") no replay can know.
        return {name: alert for name, alert in live().items() if alert.rule in rules}

    differences = _settled(again, judged)
    return Replay(
        events=count,
        alerts=len(again),
        seconds=round(seconds, 2),
        same=not differences,
        differences=differences[:_NAMED],
    )


def by_rule(alerts: Mapping[str, Alert]) -> dict[str, int]:
    """How many alerts of each detection."""
    return dict(sorted(Counter(alert.rule for alert in alerts.values()).items()))


def by_severity(alerts: Mapping[str, Alert]) -> dict[str, int]:
    """How many alerts of each severity."""
    return dict(Counter(alert.severity for alert in alerts.values()).most_common())


def _export(settings: Settings, events: Path) -> int:
    keys = load_keys(settings.archive.key_file)
    partial = events.with_name(events.name + ".partial")
    count = 0
    with partial.open("wb") as file:
        for login in read_logins(settings.archive.directory, keys):
            file.write(encode_event(login.event) + b"\n")
            count += 1
    partial.replace(events)
    return count


def _settled(again: Mapping[str, Alert], live: Callable[[], Mapping[str, Alert]]) -> list[str]:
    until = time.monotonic() + SETTLE_S
    while (differences := compare(live(), again)) and time.monotonic() < until:
        time.sleep(0.2)
    return differences


def compare(live: Mapping[str, Alert], again: Mapping[str, Alert]) -> list[str]:
    """Every alert that is not, byte for byte, the same in both; a sentence each."""
    said = [
        f"{name}: raised live, not by the replay ({live[name].rule} {live[name].subject.value})"
        for name in sorted(live.keys() - again.keys())
    ]
    said += [
        f"{name}: raised by the replay, not live ({again[name].rule} {again[name].subject.value})"
        for name in sorted(again.keys() - live.keys())
    ]
    said += [
        f"{name}: revision {live[name].revision} live, {again[name].revision} by the replay"
        for name in sorted(live.keys() & again.keys())
        if encode(live[name]) != encode(again[name])
    ]
    return said
