"""Two replays of the same past: the alerts of only one of them, and those of another weight."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from detectors.alerts import Alert
from detectors.rule import SEVERITIES

Story = tuple[str, str, str, str, str]


@dataclass(slots=True)
class Compared:
    """What becomes of the alerts of one detection. `changed`: pairs of one story, other weight."""

    gained: list[Alert] = field(default_factory=list)
    lost: list[Alert] = field(default_factory=list)
    kept: int = 0
    changed: list[tuple[Alert, Alert]] = field(default_factory=list)


def compare(old: Iterable[Alert], new: Iterable[Alert]) -> dict[str, Compared]:
    """By detection. Two alerts are one story where rule, part and subject are equal and their
    times overlap: another limit gives another id and another opening, but no other attack.
    """
    before, after = _stories(old), _stories(new)
    found: dict[str, Compared] = defaultdict(Compared)
    for story in sorted(before.keys() | after.keys()):
        result = found[story[0]]
        waiting = list(before.get(story, []))
        for alert in after.get(story, []):
            same = next((one for one in waiting if _overlap(one, alert)), None)
            if same is None:
                result.gained.append(alert)
                continue
            waiting.remove(same)
            if (same.severity, same.mode) == (alert.severity, alert.mode):
                result.kept += 1
            else:
                result.changed.append((same, alert))
        result.lost += waiting
    return dict(found)


def _stories(alerts: Iterable[Alert]) -> dict[Story, list[Alert]]:
    found: dict[Story, list[Alert]] = defaultdict(list)
    for alert in sorted(alerts, key=lambda alert: (alert.opened_at, alert.alert_id)):
        subject = alert.subject
        found[alert.rule, alert.part, alert.system, subject.type, subject.value].append(alert)
    return found


def _overlap(one: Alert, other: Alert) -> bool:
    return one.opened_at <= other.updated_at and other.opened_at <= one.updated_at


def pages(alerts: Sequence[Alert]) -> int:
    """How many would wake an analyst (DETECTIONS.md 5, Terms), mutes aside."""
    grave = SEVERITIES.index("high")
    return sum(a.mode == "live" and SEVERITIES.index(a.severity) >= grave for a in alerts)
