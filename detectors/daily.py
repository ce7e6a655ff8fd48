"""The day in numbers (checklist item 14): failed logins and attempts on accounts that are no
customer's.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, tzinfo

import msgspec

from .alerts import Alert
from .events import LoginEvent
from .facts import Joiner, facts_of

CANARY = "_canary"
"""The system of our own test events; it is in no count."""


class Day(msgspec.Struct, frozen=True, kw_only=True):
    """One day of one system. `nil`: no failed login and no attempt on a non-customer account."""

    date: str
    tz: str
    system: str
    attempts: int
    failures: int
    failing_ips: int
    failing_accounts: int
    unknown_account_attempts: int
    distinct_unknown_accounts: int
    alerts: int
    nil: bool


@dataclass(slots=True)
class _Tally:
    attempts: int = 0
    failures: int = 0
    unknown: int = 0
    alerts: int = 0
    ips: set[str] = field(default_factory=set)
    # A login without an account counts as one nameless account: the failure happened.
    accounts: set[str | None] = field(default_factory=set)
    unknown_accounts: set[str | None] = field(default_factory=set)


class Daily:
    """Counts events and alerts by the calendar day of `zone` in which they happened.

    `facts` tells which accounts are no customer's; without it the event itself does.
    """

    def __init__(self, zone: tzinfo, zone_name: str, facts: Joiner = facts_of) -> None:
        self._zone = zone
        self._name = zone_name
        self._facts = facts
        self._days: dict[tuple[date, str], _Tally] = {}

    def add(self, event: LoginEvent) -> None:
        """Count one event; only logins count, canaries never. Each identity must come once."""
        if event.system == CANARY or event.action != "login":
            return
        tally = self._tally(event.judged_at, event.system)
        known = self._facts(event)
        tally.attempts += 1
        if event.outcome == "failure":
            tally.failures += 1
            tally.accounts.add(event.account)
            if known.address is not None:
                tally.ips.add(known.address)
        if known.non_customer:
            tally.unknown += 1
            tally.unknown_accounts.add(event.account)

    def add_alert(self, alert: Alert) -> None:
        """Count one alert on the day it opened."""
        if alert.system != CANARY:
            opened = datetime.fromisoformat(alert.opened_at)
            self._tally(opened, alert.system).alerts += 1

    def _tally(self, at: datetime, system: str) -> _Tally:
        return self._days.setdefault((at.astimezone(self._zone).date(), system), _Tally())

    def rows(self) -> list[Day]:
        """A row for each day and each system that occur; a system silent on such a day has a nil
        row.
        """
        days = sorted({day for day, _ in self._days})
        systems = sorted({system for _, system in self._days})
        return [self._row(day, system) for day in days for system in systems]

    def _row(self, day: date, system: str) -> Day:
        tally = self._days.get((day, system), _Tally())
        return Day(
            date=day.isoformat(),
            tz=self._name,
            system=system,
            attempts=tally.attempts,
            failures=tally.failures,
            failing_ips=len(tally.ips),
            failing_accounts=len(tally.accounts),
            unknown_account_attempts=tally.unknown,
            distinct_unknown_accounts=len(tally.unknown_accounts),
            alerts=tally.alerts,
            nil=not tally.failures and not tally.unknown,
        )
