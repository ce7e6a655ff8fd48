"""Which days are trading days: weekends by rule, holidays by the exchange's announced calendar."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, time, timedelta
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec

from .errors import Problem, SettingsError
from .reading import parse_toml

DEFAULT = Path(__file__).with_name("trading_days.toml")

DayKind = Literal["trading", "weekend", "holiday", "weekday"]
"""weekday: Monday to Friday of a year whose calendar nobody has entered yet."""

TRADING_ZONE = "Asia/Taipei"
TRADING_HOURS = (time(8, 30), time(14, 30))
"""From the first orders to the end of trading at the closing price (TWSE's own hours): a source
that is silent then must be explained.
"""

Text = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
_SATURDAY = 5


class Closed(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Days without trading, both inside, and what is celebrated."""

    day: date
    zh: Text
    en: Text
    until: date | None = None

    def holds(self, day: date) -> bool:
        """Whether `day` is one of them."""
        return self.day <= day <= (self.until or self.day)


class CalendarYear(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One announced year."""

    year: int
    source: Text
    closed: tuple[Closed, ...]


class TradingDays:
    """The calendars of the years that were announced."""

    def __init__(self, years: Iterable[CalendarYear]) -> None:
        self._years = {year.year: year for year in years}

    def holiday(self, day: date) -> Closed | None:
        """The holiday on `day`, also where it falls on a weekend."""
        known = self._years.get(day.year)
        return next((one for one in known.closed if one.holds(day)), None) if known else None

    def kind(self, day: date) -> DayKind:
        """What kind of day it is."""
        if self.holiday(day) is not None:
            return "holiday"
        if day.weekday() >= _SATURDAY:
            return "weekend"
        return "trading" if day.year in self._years else "weekday"

    def is_open(self, day: date) -> bool:
        """Whether there is trading; a weekday of an unknown year is taken for one."""
        return self.kind(day) in {"trading", "weekday"}

    def next_open(self, day: date) -> date:
        """The first trading day after `day`."""
        after = day + timedelta(days=1)
        while not self.is_open(after):
            after += timedelta(days=1)
        return after

    def source(self, day: date) -> str:
        """Who announced the calendar of `day`'s year; empty where nobody has entered it."""
        known = self._years.get(day.year)
        return "" if known is None else known.source


def load_trading_days(own: Path | None = None) -> TradingDays:
    """Our calendar, with the years of `own` (files.trading_days) in place of or beside ours.

    Raises `SettingsError` with file, line, value and way out.
    """
    years = {year.year: year for year in _read(DEFAULT)}
    if own is not None:
        years |= {year.year: year for year in _read(own)}
    return TradingDays(years.values())


def _read(path: Path) -> list[CalendarYear]:
    content, lines = parse_toml(path)
    problems = [
        Problem(place=f"{path}:{lines.get((key,), 1)} {key}", text="is unknown; write [[year]]")
        for key in content
        if key != "year"
    ]
    entries = content.get("year", [])
    if not isinstance(entries, list):
        raise SettingsError([Problem(place=f"{path} year", text="write [[year]], not [year]")])
    years: list[CalendarYear] = []
    for at, entry in enumerate(entries):
        try:
            years.append(_year(entry))
        except (msgspec.ValidationError, ValueError) as failure:
            problems.append(
                Problem(
                    place=f"{path}:{lines.get(('year', at), 1)} year",
                    text=f"{failure}; config/trading_days.toml says what each key takes",
                )
            )
    if problems:
        raise SettingsError(problems)
    return years


def _year(entry: dict[str, Any]) -> CalendarYear:
    year = msgspec.convert(entry, CalendarYear)
    for one in year.closed:
        last = one.until or one.day
        if last < one.day or {one.day.year, last.year} != {year.year}:
            raise ValueError(f"closed {one.day} to {last} does not lie within {year.year}")
    return year
