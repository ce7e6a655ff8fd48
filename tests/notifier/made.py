"""Verdicts and notices for tests, each with one call."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from detectors.events import rfc3339
from detectors.verdicts import Verdict
from notifier.ledger import Ledger, Notice

NOON = datetime(2026, 11, 22, 4, 0, tzinfo=UTC)
"""Noon in Taipei."""
ACCOUNT = "k1k1-0123456789abcdef01234567"


def verdict(number: int = 1, **changed: Any) -> Verdict:
    """An `ask` on a new device in Japan, a minute before NOON."""
    facts: dict[str, Any] = {
        "event_id": f"e{number}",
        "verdict_id": f"{number:016x}",
        "occurred_at": rfc3339(NOON - timedelta(minutes=1)),
        "account": ACCOUNT,
        "notice_risk": "ask",
        "rules": ["new_device_and_place"],
        "system": "trading-web",
        "channel": "web",
        "country": "JP",
        "device": "d1",
    }
    return Verdict(**(facts | changed))


def notice(ledger: Ledger, number: int = 1, at: datetime = NOON, **changed: Any) -> Notice:
    """A planned notice in `ledger`."""
    facts: dict[str, Any] = {
        "verdict_id": f"{number:016x}",
        "event_id": f"e{number}",
        "account": ACCOUNT,
        "system": "trading-web",
        "notice_risk": "ask",
        "occurred_at": at - timedelta(minutes=1),
        "at": at,
        "channel": "web",
        "country": "JP",
        "device": "d1",
    }
    return ledger.create(**(facts | changed))
