"""What was told on a day: alerts to the SOC, notices to customers, and what customers answered."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeVar

import msgspec

from detectors import alerts, notices
from detectors.alerts import Alert
from detectors.daily import CANARY
from detectors.notices import Confirmation, NoticeStep
from detectors.rule import SEVERITIES

from .files import Kept
from .record import AlertDay, AnswerCount, NoticeCount
from .span import DaySpan

T = TypeVar("T")


@dataclass(slots=True)
class Told:
    """Records that could be read, with Kafka's time (ms), and how many could not."""

    alerts: dict[str, tuple[int, Alert]] = field(default_factory=dict)
    steps: dict[str, dict[int, tuple[int, NoticeStep]]] = field(default_factory=dict)
    answers: dict[str, tuple[int, Confirmation]] = field(default_factory=dict)
    unreadable: list[int] = field(default_factory=list)
    """Kafka's time (ms) of each record that could not be read."""
    newest: int | None = None
    """Kafka's time of the newest record that was shown."""

    def shown(self, timestamp: int) -> None:
        """A record of this time stands in the daily record."""
        self.newest = timestamp if self.newest is None else max(self.newest, timestamp)


def read_told(
    alert_records: Iterable[Kept], notice_records: Iterable[Kept], answer_records: Iterable[Kept]
) -> Told:
    """All of them; of an alert the highest revision, of a notice each step once."""
    told = Told()
    for kept, alert in _decoded(alert_records, alerts.decode, told):
        held = told.alerts.get(alert.alert_id)
        if held is None or alert.revision > held[1].revision:
            told.alerts[alert.alert_id] = (kept.timestamp, alert)
    for kept, step in _decoded(notice_records, notices.decode_step, told):
        told.steps.setdefault(step.notice_id, {}).setdefault(step.seq, (kept.timestamp, step))
    for kept, answer in _decoded(answer_records, notices.decode_confirmation, told):
        told.answers.setdefault(answer.confirmation_id, (kept.timestamp, answer))
    return told


def _decoded(
    records: Iterable[Kept], decode: Callable[[bytes], T], told: Told
) -> Iterable[tuple[Kept, T]]:
    for kept in records:
        if kept.value is None:
            continue  # a tombstone of a compacted topic
        try:
            yield kept, decode(kept.value)
        except (msgspec.DecodeError, UnicodeDecodeError):
            told.unreadable.append(kept.timestamp)


def opened(told: Told, span: DaySpan) -> Counter[str]:
    """How many alerts opened on the day, by system; canaries left out."""
    return Counter(
        alert.system
        for _, alert in told.alerts.values()
        if alert.system != CANARY and _on(span, alert.opened_at)
    )


def alerts_of(told: Told, span: DaySpan) -> list[AlertDay]:
    """The alerts that opened on the day: the gravest first, then by time."""
    found = []
    for timestamp, alert in told.alerts.values():
        if alert.system != CANARY and _on(span, alert.opened_at):
            told.shown(timestamp)
            found.append(alert)
    found.sort(key=lambda a: (-SEVERITIES.index(a.severity), a.opened_at, a.alert_id))
    return [_alert(alert, span) for alert in found]


def _alert(alert: Alert, span: DaySpan) -> AlertDay:
    opened_at = datetime.fromisoformat(alert.opened_at).astimezone(span.zone)
    updated = _time(alert.updated_at)
    return AlertDay(
        alert_id=alert.alert_id,
        system=alert.system,
        rule=alert.rule,
        part=alert.part,
        rule_version=alert.rule_version,
        severity=alert.severity,
        opened=opened_at.strftime("%H:%M:%S"),
        updated_at=alert.updated_at,
        state="went_on" if updated is not None and updated >= span.end else "at_rest",
        subject_type=alert.subject.type,
        subject=alert.subject.value,
        counts=dict(sorted(alert.counts.items())),
        mode=alert.mode,
        checklist_item=alert.checklist_item,
    )


def notices_of(told: Told, span: DaySpan) -> list[NoticeCount]:
    """The notices planned on the day, by system, risk, channel and the state they have reached."""
    counts: Counter[tuple[str, str, str, str]] = Counter()
    for steps in told.steps.values():
        ordered = [steps[seq] for seq in sorted(steps)]
        if not _on(span, ordered[0][1].at):
            continue
        for timestamp, _ in ordered:
            told.shown(timestamp)
        last = ordered[-1][1]
        channel = next((s.channel for _, s in reversed(ordered) if s.channel is not None), "")
        counts[last.system, last.notice_risk, channel, last.state] += 1
    return [
        NoticeCount(system=a, risk=b, channel=c, state=d, notices=n)
        for (a, b, c, d), n in sorted(counts.items())
    ]


def answers_of(told: Told, span: DaySpan) -> list[AnswerCount]:
    """The answers given on the day."""
    counts: Counter[tuple[str, str, str, str]] = Counter()
    for timestamp, answer in told.answers.values():
        if _on(span, answer.at):
            told.shown(timestamp)
            counts[answer.system, answer.answer, answer.via, answer.strength or ""] += 1
    return [
        AnswerCount(system=a, answer=b, via=c, strength=d, answers=n)
        for (a, b, c, d), n in sorted(counts.items())
    ]


def _on(span: DaySpan, text: str) -> bool:
    at = _time(text)
    return at is not None and span.holds(at)


def _time(text: str) -> datetime | None:
    """An aware time; None where the text is none (it then belongs to no day)."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return None
    return at if at.tzinfo is not None else None
