"""Alerts, logins and batches for the console's tests, each with one call."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from console.picture import AddressRow, AlertRow, Counts, LoginRow, PartitionRow, Picture, Rates
from console.read_model import JudgedBatch
from detectors.alerts import Alert, AlertSubject
from detectors.events import LoginEvent, instant, rfc3339
from detectors.incidents import Incident

NOON_MS = int(datetime(2026, 11, 22, 12, tzinfo=UTC).timestamp() * 1000)


def login(**changed: Any) -> LoginEvent:
    """A customer's successful login at noon."""
    facts: dict[str, Any] = {
        "schema": 1,
        "event_id": "e1",
        "occurred_at": instant(NOON_MS),
        "system": "trading-web",
        "account": "A000000001",
        "ip": "192.0.2.1",
        "outcome": "success",
    }
    return LoginEvent(**(facts | changed))


def alert(**changed: Any) -> Alert:
    """A high alert on one address, opened at noon."""
    facts: dict[str, Any] = {
        "alert_id": "a1",
        "revision": 10,
        "system": "trading-web",
        "rule": "ip_account_spray",
        "rule_version": "1-0000",
        "severity": "high",
        "opened_at": rfc3339(instant(NOON_MS)),
        "updated_at": rfc3339(instant(NOON_MS)),
        "subject": AlertSubject("ip", "198.51.100.7"),
        "counts": {"failures": 10, "accounts": 9, "ips": 1},
        "window_s": 300,
        "threshold": 10,
        "accounts": [],
        "ips": ["198.51.100.7"],
        "event_ids": [],
        "attack_ids": [],
        "checklist_item": "15",
        "summary": "9 accounts failed from 198.51.100.7",
    }
    return Alert(**(facts | changed))


def incident(**changed: Any) -> Incident:
    """A campaign from one address that hit an account."""
    facts: dict[str, Any] = {
        "incident_id": "1c" * 16,
        "kind": "stuffing",
        "system": "trading-web",
        "severity": "critical",
        "reasons": ["1 ip_account_spray"],
        "first_seen": rfc3339(instant(NOON_MS)),
        "last_seen": rfc3339(instant(NOON_MS)),
        "alerts": ["a1"],
        "ips": ["198.51.100.7"],
        "accounts_tried": 2_100,
        "accounts_hit": ["ab12-0123456789abcdef01234567"],
        "status": "open",
        "counts": {"alerts": 1, "ips": 1, "hit": 1},
    }
    return Incident(**(facts | changed))


def batch(first: int, end: int, *, partition: int = 0, **changed: int) -> JudgedBatch:
    """A batch over offsets [first, end), all of it judged."""
    facts = {"read": end - first, "judged": end - first, "duplicates": 0, "rejected": 0}
    return JudgedBatch(
        partition=partition, first_offset=first, next_offset=end, **(facts | changed)
    )


def alert_row(**changed: Any) -> AlertRow:
    """A high alert as the screen shows it."""
    facts: dict[str, Any] = {
        "alert_id": "a1",
        "severity": "high",
        "rule": "ip_account_spray",
        "subject": "198.51.100.7",
        "system": "trading-web",
        "failures": 41,
        "accounts": 40,
        "addresses": 1,
        "at_least": False,
        "opened_s": 12.0,
        "grew_s": 1.0,
        "revision": 41,
        "staged": False,
        "summary": "40 accounts failed from 198.51.100.7",
    }
    return AlertRow(**(facts | changed))


def picture(**changed: Any) -> Picture:
    """A busy moment: an attack from one address, customers beside it."""
    facts: dict[str, Any] = {
        "rates": Rates(
            failed=38.2,
            succeeded=22.0,
            unknown=34.4,
            failed_history=(0,) * 50 + (5, 40, 41, 39, 38, 40, 38, 39, 41, 40),
            succeeded_history=(20, 22) * 30,
        ),
        "counts": Counts(read=1230, judged=1215, duplicates=10, rejected=5),
        "partitions": tuple(
            PartitionRow(partition=number, end=310, judged=307, sealed=250) for number in range(4)
        ),
        "addresses": (
            AddressRow(address="198.51.100.7", failed=41, succeeded=0, severity="high"),
            AddressRow(address="203.0.113.9", failed=3, succeeded=20, severity=None),
        ),
        "alerts": (alert_row(),),
        "logins": (
            LoginRow(
                at="2026-11-22T12:00:00.125Z",
                system="trading-web",
                address="192.0.2.1",
                account="ab12-0123456789abcdef01234567",
                outcome="success",
            ),
        ),
    }
    return Picture(**(facts | changed))
