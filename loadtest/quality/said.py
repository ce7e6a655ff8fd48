"""What the pipeline said about a run: the files of `loginward replay`, as they are read here.

Only the fields that are measured; others are left alone. A file that could not be asked for is
None: not measured, which is something else than zero.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Final, Literal, TypeVar

import msgspec

from detectors.alerts import Alert, AlertSubject

Severity = Literal["low", "medium", "high", "critical"]

PAGING: Final = frozenset({"high", "critical"})
"""A page wakes an analyst: severity high or more, live, not staged (DETECTIONS.md 5, Terms)."""


class Subject(msgspec.Struct, frozen=True):
    """Whom an alert is about."""

    type: str
    value: str


class AlertLine(msgspec.Struct, frozen=True, kw_only=True):
    """One alert in its final revision."""

    alert_id: str
    rule: str
    severity: Severity
    opened_at: datetime
    updated_at: datetime
    subject: Subject
    accounts: list[str]
    ips: list[str]
    event_ids: list[str]
    counts: dict[str, int] = {}
    system: str = ""
    mode: str = "live"

    @property
    def opened_ms(self) -> int:
        """Event time at which the limit was crossed."""
        return _ms(self.opened_at)

    @property
    def updated_ms(self) -> int:
        """Event time of the last attempt that met it."""
        return _ms(self.updated_at)

    @property
    def pages(self) -> bool:
        """Whether it may wake an analyst (which do: `pages.py`)."""
        return self.severity in PAGING and self.mode == "live"

    def whole(self) -> Alert:
        """As the core knows it, for what groups alerts; what does not matter there is empty."""
        return Alert(
            alert_id=self.alert_id,
            revision=1,
            system=self.system,
            rule=self.rule,
            rule_version="",
            severity=self.severity,
            opened_at=self.opened_at.isoformat(),
            updated_at=self.updated_at.isoformat(),
            subject=AlertSubject(self.subject.type, self.subject.value),
            counts=self.counts,
            window_s=0,
            threshold=0,
            accounts=self.accounts,
            ips=self.ips,
            event_ids=[],
            attack_ids=[],
            checklist_item="",
            summary="",
            mode=self.mode,
        )


class HitLine(msgspec.Struct, frozen=True, kw_only=True):
    """An account that an incident names as hit, and the opening of the alert by which it does."""

    account: str
    at: datetime

    @property
    def at_ms(self) -> int:
        """Event time."""
        return _ms(self.at)


class IncidentLine(msgspec.Struct, frozen=True, kw_only=True):
    """One incident: alerts that belong together, and every account it hit."""

    incident_id: str
    first_seen: datetime
    last_seen: datetime
    alerts: list[str]
    ips: list[str] = []
    accounts_hit: list[str] = []
    hits: list[HitLine] = []

    @property
    def last_ms(self) -> int:
        """Event time of what it saw last."""
        return _ms(self.last_seen)


class VerdictLine(msgspec.Struct, frozen=True, kw_only=True):
    """What one login means for its customer."""

    event_id: str
    occurred_at: datetime
    notice_risk: str

    @property
    def at_ms(self) -> int:
        """Event time of the login."""
        return _ms(self.occurred_at)

    @property
    def asks(self) -> bool:
        """Whether the customer is told or asked at once: risk ask or high."""
        return self.notice_risk in _TOLD


@dataclass(frozen=True)
class Said:
    """The files of one replay."""

    alerts: list[AlertLine]
    incidents: list[IncidentLine] | None = None
    verdicts: list[VerdictLine] | None = field(default=None)

    @cached_property
    def incident_of(self) -> dict[str, str]:
        """The incident of each alert that is in one."""
        return {
            alert: incident.incident_id
            for incident in self.incidents or ()
            for alert in incident.alerts
        }

    @cached_property
    def asked(self) -> frozenset[str]:
        """Events whose customer is told or asked at once."""
        return frozenset(v.event_id for v in self.verdicts or () if v.asks)


_TOLD: Final = frozenset({"ask", "high"})

_Line = TypeVar("_Line", AlertLine, IncidentLine, VerdictLine)


def read(alerts: Path, incidents: Path | None, verdicts: Path | None) -> Said:
    """The files of one replay. Raises msgspec.DecodeError where they are not what is agreed."""
    return Said(
        alerts=_lines(alerts, AlertLine),
        incidents=None if incidents is None else _lines(incidents, IncidentLine),
        verdicts=None if verdicts is None else _lines(verdicts, VerdictLine),
    )


def _lines(path: Path, kind: type[_Line]) -> list[_Line]:
    decode = msgspec.json.Decoder(kind).decode
    with path.open("rb") as file:
        return [decode(line) for line in file if line.strip()]


def _ms(at: datetime) -> int:
    return round(at.timestamp() * 1000)
