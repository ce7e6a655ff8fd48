"""Hand-made runs: a ledger of a few lines, and what was said about it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from loadtest.ledger import LedgerLine
from loadtest.quality.said import AlertLine, IncidentLine, Subject, VerdictLine

START = datetime(2026, 11, 23, 6, tzinfo=UTC)
BAD, OTHER, GOOD = "192.0.2.1", "192.0.2.2", "198.51.100.1"


def at(second: float) -> datetime:
    """START plus so many seconds."""
    return START + timedelta(seconds=second)


def ms(second: float) -> int:
    """The same moment as a ledger writes it."""
    return round(at(second).timestamp() * 1000)


def attack(second: float, name: str, **fields: Any) -> LedgerLine:
    """A failed attempt of campaign A-1 from BAD on `victim`; `fields` win."""
    said: dict[str, Any] = {
        "event_id": name,
        "profile": "A",
        "label": "attack",
        "campaign": "A-1",
        "kind": "stuffing",
        "account": "victim",
        "ip": BAD,
        "at_ms": ms(second),
        "outcome": "failure",
    }
    return LedgerLine(**said | fields)


def takeover(second: float, name: str, **fields: Any) -> LedgerLine:
    """The attacker lets himself in."""
    return attack(second, name, **{"kind": "takeover", "outcome": "success"} | fields)


def login(second: float, name: str, **fields: Any) -> LedgerLine:
    """A customer's good login."""
    said: dict[str, Any] = {
        "label": "benign",
        "campaign": "",
        "profile": "G",
        "kind": "login",
        "outcome": "success",
        "account": "customer",
        "ip": GOOD,
    }
    return attack(second, name, **said | fields)


def alert(second: float, *evidence: str, **fields: Any) -> AlertLine:
    """An alert of severity high on BAD, open for ten minutes; `fields` win."""
    said: dict[str, Any] = {
        "alert_id": f"alert-{second}",
        "rule": "ip_fail_burst",
        "severity": "high",
        "opened_at": at(second),
        "updated_at": at(second + 600),
        "subject": Subject("ip", BAD),
        "accounts": [],
        "ips": [],
        "event_ids": list(evidence),
    }
    return AlertLine(**said | fields)


def incident(*alerts: AlertLine, **fields: Any) -> IncidentLine:
    """An incident of these alerts."""
    said: dict[str, Any] = {
        "incident_id": "incident-1",
        "first_seen": min(a.opened_at for a in alerts),
        "last_seen": max(a.updated_at for a in alerts),
        "alerts": [a.alert_id for a in alerts],
    }
    return IncidentLine(**said | fields)


def verdict(event: str, risk: str, second: float = 0) -> VerdictLine:
    """What a login means for its customer."""
    return VerdictLine(event_id=event, occurred_at=at(second), notice_risk=risk)
