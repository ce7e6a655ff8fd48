"""Which alerts of the queue belong to an open incident, and what people were told of it.

The same fold as `run incidents`, over what stands in the queue: no page waits for another process,
and none is missing where that one is down.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import structlog

from detectors.alerts import Alert
from detectors.errors import escaped
from detectors.incidents import is_over
from detectors.incidents.fold import Fold
from detectors.incidents.pages import Told, told_after
from detectors.incidents.sums import Sum
from detectors.rule import SEVERITIES

from .item import item_of

_FORGET_MS: Final = 3_600_000

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Paged:
    """The last page of an incident, and what people know of it."""

    told: Told
    page: int


class Campaigns:
    """Over one store; its alerts are read at the start. Times in milliseconds."""

    def __init__(self, store: sqlite3.Connection) -> None:
        self._store = store
        self._fold = Fold()
        self._forgot = 0
        for kind, body in store.execute("SELECT kind, body FROM items WHERE kind = 'alert'"):
            self.add([item_of(kind, body).alert])

    def add(self, alerts: Iterable[Alert]) -> None:
        """These have come."""
        for alert in alerts:
            try:
                self._fold.add(alert)
            except ValueError as failure:
                log.info(
                    "alert belongs to no incident",
                    alert=alert.alert_id,
                    reason=escaped(str(failure), 300),
                )

    def of(self, alert: Alert, now: int) -> Sum | None:
        """The open incident of an alert."""
        if now - self._forgot >= _FORGET_MS:
            self._forgot = now
            self._fold.forget(now)
        total = self._fold.group_of(alert.alert_id)
        return (
            total if total is not None and total.is_campaign and not is_over(total, now) else None
        )

    def paged(self, incident: Sum) -> Paged | None:
        """What was told of an incident, by any name that it had."""
        rows = self._store.execute(
            "SELECT name, severity, hit, page FROM campaigns ORDER BY page"
        ).fetchall()
        known = [row for row in rows if row[0] in incident.alerts]
        if not known:
            return None
        worst = max((severity for _, severity, _, _ in known), key=SEVERITIES.index)
        told = Told(severity=worst, hit=any(hit for _, _, hit, _ in known))
        return Paged(told=told, page=int(known[-1][3]))

    def note(self, incident: Sum, alert: Alert, before: Paged | None, page: int, now: int) -> None:
        """People were told of this alert of an incident by `page`."""
        told = told_after(alert.rule, alert.severity, None if before is None else before.told)
        self._store.execute(
            "INSERT INTO campaigns VALUES (?, ?, ?, ?, ?) ON CONFLICT (name) DO UPDATE SET "
            "severity = excluded.severity, hit = excluded.hit, page = excluded.page, "
            "made = excluded.made",
            (incident.first[1], told.severity, told.hit, page, now),
        )
