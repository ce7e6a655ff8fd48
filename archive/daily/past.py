"""The days before: each counted from the archive as it stands, like the day itself."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from config.trading_days import TradingDays

from . import counts
from .counts import Wanted
from .logins import DayLogins
from .normal import PastValue, normal
from .record import Kind, Metric, Normal, PastDay
from .span import DaySpan
from .told import Told, opened

Figures = Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Before:
    """One earlier day: the figures of each system, and how often the asked for subjects failed."""

    span: DaySpan
    figures: Mapping[str, Figures]
    failures: Mapping[tuple[str, Kind, str], int]
    alerts: Counter[str]


def look_back(day: DayLogins, span: DaySpan, wanted: Wanted, told: Told) -> Before:
    """What one earlier day says."""
    return Before(
        span=span,
        figures=counts.figures(day),
        failures=counts.failures_of(day, wanted),
        alerts=opened(told, span),
    )


def nothing(span: DaySpan, told: Told) -> Before:
    """A day of which the archive holds no login."""
    return Before(span=span, figures={}, failures={}, alerts=opened(told, span))


class Past:
    """The days before one day, oldest first."""

    def __init__(self, days: Sequence[Before], calendar: TradingDays, *, open_day: bool) -> None:
        self._days = days
        self._calendar = calendar
        self._open_day = open_day

    def heard(self, system: str) -> bool:
        """Whether the system was heard in them."""
        return bool(self._known(system))

    def metric(self, system: str, name: Metric, value: int) -> Normal:
        """A figure of a system against its past."""
        return self._normal(system, value, lambda before: _figure(before, system, name))

    def subject(self, system: str, kind: Kind, name: str, value: int) -> Normal:
        """The failures of an address, account, AS or country against its past."""
        return self._normal(
            system, value, lambda before: before.failures.get((system, kind, name), 0)
        )

    def line(self, system: str) -> list[PastDay]:
        """What the 30-day line shows."""
        known = {before.span.day for before in self._known(system)}
        return [
            PastDay(
                date=before.span.day.isoformat(),
                kind=self._calendar.kind(before.span.day),
                known=before.span.day in known,
                failures=_figure(before, system, "failures"),
                strangers=_figure(before, system, "unknown_account_attempts"),
            )
            for before in self._days
        ]

    def _known(self, system: str) -> Sequence[Before]:
        """From the first day on which the system was heard: before it, nothing means nothing."""
        for at, before in enumerate(self._days):
            if _figure(before, system, "attempts"):
                return self._days[at:]
        return ()

    def _normal(self, system: str, value: int, figure: Callable[[Before], int]) -> Normal:
        values = [
            PastValue(figure(before), self._calendar.is_open(before.span.day))
            for before in self._known(system)
        ]
        return normal(value, values, open_day=self._open_day)


def _figure(before: Before, system: str, name: Metric) -> int:
    if name == "alerts":
        return before.alerts[system]
    return before.figures.get(system, {}).get(name, 0)
