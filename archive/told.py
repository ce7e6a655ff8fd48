"""Alerts as the archive keeps them: of each the highest revision."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

import msgspec

from detectors import alerts
from detectors.alerts import Alert

from . import times
from .daily.files import kept_since


def archived_alerts(root: Path, since: datetime) -> list[Alert]:
    """Every alert of which Kafka took a revision at `since` or later. Raises ArchiveError.

    What this release cannot read is left out; the daily record counts it.
    """
    kept = kept_since(root, "alerts", times.microseconds(since))
    return newest(record.value for record in kept)


def newest(records: Iterable[bytes | None]) -> list[Alert]:
    """Of each alert the highest revision, in the order in which they first came."""
    found: dict[str, Alert] = {}
    for record in records:
        if record is None:
            continue  # a tombstone of a compacted topic
        try:
            alert = alerts.decode(record)
        except (msgspec.DecodeError, UnicodeDecodeError):
            continue
        held = found.get(alert.alert_id)
        if held is None or alert.revision > held.revision:
            found[alert.alert_id] = alert
    return list(found.values())
