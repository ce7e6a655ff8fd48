"""A source that says nothing: by the register of systems, and by the rhythm it has shown.

Known only where detection reads on: while it is behind, nobody knows who is silent.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from statistics import median
from typing import Final
from zoneinfo import ZoneInfo

import msgspec

from config.systems import RESERVED, Register
from config.trading_days import TRADING_HOURS, TRADING_ZONE, TradingDays
from detectors.events import HOUR_MS, instant, milliseconds

from .troubles import Trouble

SILENT: Final = "source_silent"
HOURS_A_WEEK: Final = 168
WARM_WEEKS: Final = 3
"""Fewer weeks of an hour are no rhythm: a holiday among two would be the half of it."""
KEPT_WEEKS: Final = 8
TIMES_USUAL: Final = 3
SHORTEST: Final = timedelta(minutes=10)
"""Below this a pause is a pause, whatever the rhythm."""
_ZONE: Final = ZoneInfo(TRADING_ZONE)
_TAIPEI_HOURS: Final = 8 + 3 * 24
"""1970 began on a Thursday, UTC; the week of a broker's customers on Monday in Taipei (UTC+8)."""


class Rhythm(msgspec.Struct, kw_only=True):
    """When a source was last heard, and its longest pause of each hour of the week, by weeks."""

    last_ms: int
    longest_ms: int = 0
    pauses: dict[int, list[int]] = {}

    def hear(self, at_ms: int) -> None:
        """It was heard at `at_ms`; a time before the last one changes nothing."""
        if at_ms <= self.last_ms:
            return
        before = hour_of_week(self.last_ms)
        self.longest_ms = max(self.longest_ms, at_ms - self.last_ms)
        if at_ms // HOUR_MS != self.last_ms // HOUR_MS:
            kept = [*self.pauses.get(before, []), self.longest_ms]
            self.pauses[before] = kept[-KEPT_WEEKS:]
            self.longest_ms = 0
        self.last_ms = at_ms

    def usual_ms(self) -> int | None:
        """The median of the longest pauses of the hour it was last heard in; None: still cold."""
        known = self.pauses.get(hour_of_week(self.last_ms), [])
        return int(median(known)) if len(known) >= WARM_WEEKS else None


def hour_of_week(at_ms: int) -> int:
    """0 is Monday from midnight, in Taipei."""
    return (at_ms // HOUR_MS + _TAIPEI_HOURS) % HOURS_A_WEEK


def silences(
    heard: Mapping[str, Rhythm], register: Register, calendar: TradingDays, known_ms: int
) -> Iterator[Trouble]:
    """Sources that were heard once and are silent at `known_ms`, up to which logins were judged.

    A source that was never heard is not connected yet: the daily record says so, nobody is woken.
    """
    at = instant(known_ms).astimezone(_ZONE)
    expected = {
        source: (system.name, system.silent_after)
        for system in register.serving(at.date())
        for source in system.sources
    }
    for source, rhythm in sorted(heard.items()):
        if source.startswith(RESERVED):
            continue
        trouble = None
        if source in expected:
            trouble = _by_register(source, rhythm, *expected[source], calendar, at)
        trouble = trouble or _by_rhythm(source, rhythm, known_ms)
        if trouble is not None:
            yield trouble


def _by_register(
    source: str,
    rhythm: Rhythm,
    system: str,
    after: timedelta,
    calendar: TradingDays,
    at: datetime,
) -> Trouble | None:
    opening, closing = (
        milliseconds(datetime.combine(at.date(), clock, _ZONE)) for clock in TRADING_HOURS
    )
    now = milliseconds(at)
    if not calendar.is_open(at.date()) or not opening <= now < closing:
        return None
    quiet = (now - max(rhythm.last_ms, opening)) // 1000
    if quiet < after.total_seconds():
        return None
    return _trouble(
        source,
        "high",
        quiet,
        int(after.total_seconds()),
        f"{source} of {system} has said nothing for {quiet} s of trading hours",
    )


def _by_rhythm(source: str, rhythm: Rhythm, now_ms: int) -> Trouble | None:
    usual = rhythm.usual_ms()
    if usual is None:
        return None
    limit = max(TIMES_USUAL * usual // 1000, int(SHORTEST.total_seconds()))
    quiet = (now_ms - rhythm.last_ms) // 1000
    if quiet < limit:
        return None
    return _trouble(
        source,
        "medium",
        quiet,
        limit,
        f"{source} has said nothing for {quiet} s; at this hour of the week it pauses "
        f"{usual // 1000} s at the most",
    )


def _trouble(source: str, severity: str, quiet: int, limit: int, summary: str) -> Trouble:
    return Trouble(
        rule=SILENT,
        subject=source,
        severity="high" if severity == "high" else "medium",
        summary=summary,
        size=max(quiet, 1),
        counts={"quiet_s": quiet},
        window_s=limit,
    )
