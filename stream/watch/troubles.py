"""What the watchdog finds, and the alerts it becomes: opened once, revised when it doubles, closed.

Alerts are of the system `_loginward`, in the topic `alerts`. An id is made of rule, subject and the
time it was found, which is kept: a restart opens nothing twice.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

import msgspec

from detectors.alerts import Alert, AlertSubject, alert_id
from detectors.events import instant, rfc3339
from detectors.rule import SEVERITIES, Severity

OWN_SYSTEM: Final = "_loginward"
VERSION: Final = "1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """One thing that is wrong now. `size` tells when it has doubled; counts are whole numbers."""

    rule: str
    subject: str
    severity: Severity
    summary: str
    size: int
    counts: dict[str, int] = field(default_factory=dict)
    window_s: int = 0
    threshold: int = 1

    @property
    def key(self) -> str:
        """What stays one alert for as long as it lasts."""
        return f"{self.rule}|{self.subject}"


class Open(msgspec.Struct, kw_only=True):
    """An alert that has not been closed; `told` is the size last told."""

    rule: str
    subject: str
    since_ms: int
    revision: int
    told: int
    severity: Severity


def take(known: dict[str, Open], found: Iterable[Trouble], now_ms: int) -> list[Alert]:
    """The alerts that must be told now; `known` (by `Trouble.key`) is brought up to date."""
    alerts: list[Alert] = []
    now = {trouble.key: trouble for trouble in found}
    for key, trouble in sorted(now.items()):
        one = known.get(key)
        if one is None:
            one = Open(
                rule=trouble.rule,
                subject=trouble.subject,
                since_ms=now_ms,
                revision=1,
                told=trouble.size,
                severity=trouble.severity,
            )
        elif trouble.size >= 2 * max(one.told, 1) or _worse(trouble.severity, one.severity):
            one.revision += 1
            one.told = trouble.size
            one.severity = max(trouble.severity, one.severity, key=SEVERITIES.index)
        else:
            continue
        known[key] = one
        alerts.append(_alert(one, trouble, now_ms))
    gone = sorted(set(known) - set(now))
    return alerts + [_closed(known.pop(key), now_ms) for key in gone]


def _worse(severity: Severity, than: Severity) -> bool:
    return SEVERITIES.index(severity) > SEVERITIES.index(than)


def _closed(one: Open, now_ms: int) -> Alert:
    lasted = (now_ms - one.since_ms) // 1000
    over = Trouble(
        rule=one.rule,
        subject=one.subject,
        severity=one.severity,
        summary=f"{one.rule}: {one.subject} is in order again, after {lasted} s",
        size=0,
    )
    one.revision += 1
    return _alert(one, over, now_ms)


def _alert(one: Open, trouble: Trouble, now_ms: int) -> Alert:
    # `waiting` 0 says to whoever pages people that all is well again (notifier/soc/paging.py).
    counts = {"waiting": int(trouble.size > 0), "lasted_s": (now_ms - one.since_ms) // 1000}
    return Alert(
        alert_id=alert_id(
            one.rule, VERSION, "", (OWN_SYSTEM, "global", one.subject), one.since_ms // 1000
        ),
        revision=one.revision,
        system=OWN_SYSTEM,
        rule=one.rule,
        rule_version=VERSION,
        severity=one.severity,
        opened_at=rfc3339(instant(one.since_ms)),
        updated_at=rfc3339(instant(now_ms)),
        subject=AlertSubject(type="global", value=one.subject),
        counts=counts | trouble.counts,
        window_s=trouble.window_s,
        threshold=trouble.threshold,
        accounts=[],
        ips=[],
        event_ids=[],
        attack_ids=[],
        checklist_item="",
        summary=trouble.summary,
    )
