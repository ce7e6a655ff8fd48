"""Years for time stamps that have none (classic syslog: `Dec 31 23:59:59`)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Protocol

_AHEAD = timedelta(days=1)
"""A log may be this far ahead of the clock it is compared with: zones, wrong clocks."""

_BACK = timedelta(days=31)
"""Lines this much out of order still belong to the same year; a longer step back is a new year."""

_LEAP = 8
"""29 February comes round in 4 years, over a century in 8."""


class YearRule(Protocol):
    """Completes a local time that lacks its year."""

    def complete(self, at: datetime) -> datetime:
        """`at` (whose year means nothing) in its real year; ValueError if none fits."""
        ...


class LatestBefore:
    """The latest year that is not in the future of `now` (a file's last change, or a clock).

    Without memory: the same line gets the same year wherever reading began.
    """

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now

    def complete(self, at: datetime) -> datetime:
        """The newest date of that day and time up to a day after `now`."""
        limit = self._now().replace(tzinfo=None) + _AHEAD
        for year in range(limit.year, limit.year - _LEAP - 1, -1):
            dated = _in_year(at, year)
            if dated is not None and dated <= limit:
                return dated
        raise ValueError(f"no year up to {limit.year} has that day")


class StartingIn:
    """The first line is of the given year; a step back of more than a month starts the next one."""

    def __init__(self, year: int) -> None:
        self._year = year
        self._last: datetime | None = None

    def complete(self, at: datetime) -> datetime:
        """The earliest date not more than a month before the line before."""
        if self._last is None:
            dated = _in_year(at, self._year)
            if dated is None:
                raise ValueError(f"the year {self._year} has no 29 February; name another --year")
        else:
            dated = self._after(self._last - _BACK, at)
        self._last = dated
        return dated

    @staticmethod
    def _after(earliest: datetime, at: datetime) -> datetime:
        for year in range(earliest.year, earliest.year + _LEAP + 1):
            dated = _in_year(at, year)
            if dated is not None and dated >= earliest:
                return dated
        raise ValueError(f"no year from {earliest.year} has that day")


def _in_year(at: datetime, year: int) -> datetime | None:
    try:
        return at.replace(year=year)
    except ValueError:
        return None
