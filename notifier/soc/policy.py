"""Whether people are to be left alone about an alert: mutes and allow-lists, asked before a page.

Outputs get every alert all the same: who is not woken must still be able to look.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import structlog

from config import suppressions
from config.governance.books import folder_of, governed
from config.governance.ledger import FILE
from config.settings import Settings
from detectors.alerts import Alert
from detectors.errors import LoginwardError, escaped

UNKNOWN_QUIET: Final = timedelta(hours=6)
"""Quiet time of a rule that the rule book does not name: ours, or one of a newer detect."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """Why nobody is paged: the entry of the ledger, who made it, what they wrote.

    `instead` is the alert that is due in its place, where an allow-list hides an attack.
    """

    entry: str
    by: str
    text: str
    instead: Alert | None = None


Policy = Callable[[Alert, datetime], Reason | None]


def nothing_muted(_alert: Alert, _now: datetime) -> Reason | None:
    """Page for everything."""
    return None


class Governance:
    """The ledger of rule changes and mutes as it stands now; read again whenever it has grown."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._file = folder_of(settings) / FILE
        self._seen: tuple[int, int] | None = None
        self._suppressions = suppressions.Suppressions()
        self._quiet: dict[str, timedelta] = {}
        self._read()

    def suppressed(self, alert: Alert, now: datetime) -> Reason | None:
        """Why nobody is paged for `alert` at `now` (aware); None: page."""
        self._refresh()
        found = self._suppressions.covering(alert, now)
        if found is None:
            return None
        hides = suppressions.hides_attack(alert, found)
        return Reason(
            entry=found.id,
            by=found.by,
            text=found.reason,
            instead=suppressions.hidden_attack(alert, found) if hides else None,
        )

    def quiet(self, rule: str) -> timedelta:
        """How long one page is enough for a rule and a subject."""
        return self._quiet.get(rule, UNKNOWN_QUIET)

    def _refresh(self) -> None:
        if self._stamp() != self._seen:
            try:
                self._read()
            except (LoginwardError, OSError) as failure:
                # What held before holds on: no alert is lost, and none is muted by accident.
                log.warning("rule ledger cannot be read", error=escaped(str(failure), 300))

    def _read(self) -> None:
        stamp = self._stamp()
        found = governed(self._settings)
        for trouble in found.troubles:
            log.error("rule ledger is damaged", trouble=escaped(trouble, 300))
        self._suppressions = suppressions.load(found.ledger.lines)
        self._quiet = {rule: entry.quiet for rule, entry in found.book.entries.items()}
        self._seen = stamp

    def _stamp(self) -> tuple[int, int] | None:
        try:
            told = self._file.stat()
        except OSError:
            return None
        return told.st_mtime_ns, told.st_size
