"""Alerts, clocks and queues for tests; times in milliseconds from START."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from prometheus_client import CollectorRegistry

from detectors import alerts
from detectors.alerts import Alert, AlertSubject
from notifier.soc import metrics
from notifier.soc.item import Item, item_of
from notifier.soc.metrics import SocMetrics
from notifier.soc.output import Refused
from notifier.soc.queue import Queue
from notifier.soc.store import open_store

START = datetime(2026, 11, 23, 6, tzinfo=UTC)
START_MS = int(START.timestamp() * 1000)
SECOND, MINUTE, HOUR, DAY = 1_000, 60_000, 3_600_000, 86_400_000

HOSTILE = 'a|b=c\\d"e]f,g;<b>&\r\n<13>1 forged\x00\x1b[2J\u202e ｆｕｌｌ　全形 😀 \u2028'
"""Everything that ends, forges or reorders something somewhere."""


OPENED: list[sqlite3.Connection] = []
"""Closed after each test (conftest.py)."""


class Clock:
    """Time that passes when it is told to."""

    def __init__(self, now: int = START_MS) -> None:
        self.now = now

    def __call__(self) -> int:
        """Milliseconds since 1970 UTC."""
        return self.now

    def pass_(self, span: int) -> None:
        """Let `span` milliseconds go by."""
        self.now += span


def alert(number: int = 1, revision: int = 1, **fields: Any) -> Alert:
    """A live alert of severity high, opened at START; `fields` win."""
    subject = fields.pop("subject", f"203.0.113.{number % 250}")
    said: dict[str, Any] = {
        "alert_id": f"{number:08x}{'0' * 24}",
        "revision": revision,
        "system": "web",
        "rule": "ip_account_spray",
        "rule_version": "1-abcd",
        "severity": "high",
        "opened_at": START.isoformat().replace("+00:00", "Z"),
        "updated_at": START.isoformat().replace("+00:00", "Z"),
        "subject": AlertSubject(type="ip", value=subject),
        "counts": {"failures": 50 * revision, "accounts": 40},
        "window_s": 60,
        "threshold": 20,
        "accounts": ["ab12-000000000000000000000001"],
        "ips": [subject],
        "event_ids": ["e1"],
        "attack_ids": ["T1110.004"],
        "checklist_item": "14",
        "summary": "50 failures on 40 accounts in 60 s",
    }
    return Alert(**said | fields)


def item(number: int = 1, revision: int = 1, **fields: Any) -> Item:
    """An alert as it came from the topic and waits in the queue."""
    return item_of("alert", body(number, revision, **fields))


def body(number: int = 1, revision: int = 1, **fields: Any) -> bytes:
    """An alert as it stands in the topic."""
    return alerts.encode(alert(number, revision, **fields))


def queue(folder: Path, clock: Clock, *outputs: str) -> Queue:
    """A queue on the disk, served to `outputs`."""
    store = open_store(folder / "queue.db")
    OPENED.append(store)
    return Queue(store, outputs or ("one",), clock)


def made_metrics() -> SocMetrics:
    """Metrics of the test's own."""
    return metrics.build(CollectorRegistry())


class Heap:
    """An output that keeps what it takes, and refuses while it is told to."""

    def __init__(self, name: str = "one", at_once: int = 10) -> None:
        self.name = name
        self.at_once = at_once
        self.down = False
        self.refuses: set[str] = set()
        self.taken: list[Item] = []
        self.doubt: list[Item] = []
        self.tries = 0

    @property
    def keys(self) -> list[str]:
        """The idempotency keys of what it took, in order."""
        return [one.key for one in self.taken]

    async def send(self, items: Sequence[Item]) -> Sequence[Refused]:
        """Take them, or not."""
        self.tries += 1
        if self.down:
            raise Refused("down")
        bad = [one for one in items if one.id in self.refuses]
        self.taken += [one for one in items if one not in bad]
        return [Refused("HTTP 400", item=one, whole=False) for one in bad]

    def doubtful(self) -> Sequence[Item]:
        """What may not have arrived."""
        told, self.doubt = self.doubt, []
        return told

    async def close(self) -> None:
        """Nothing to let go of."""
