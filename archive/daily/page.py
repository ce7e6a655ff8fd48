"""The record as a page for the auditor and the SOC: one HTML file, no script, no clock of its own.

Everything that came from outside is bounded, freed of control characters and escaped.
"""

from __future__ import annotations

import tomllib
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import date, datetime, time
from functools import cache
from pathlib import Path
from typing import Any, Final, Literal
from zoneinfo import ZoneInfo

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from config.trading_days import TRADING_HOURS, TRADING_ZONE
from detectors.errors import escaped
from detectors.rule import SEVERITIES

from . import charts
from .by_rule import by_rule
from .deviations import FAILURES_MORE, is_cold
from .glance import glance
from .normal import TOLD_FROM
from .record import KINDS, DayRecord, Span

Language = Literal["zh-TW", "en"]
LANGUAGES: Final[tuple[Language, ...]] = ("zh-TW", "en")

TEMPLATES = Path(__file__).with_name("templates")
MOST_ALERTS = 30
MOST_SILENCES = 6
MOST_GAPS = 50
"""Longer lists stand in the JSON file."""

_LONGEST_TEXT = 80
_COLUMNS = (
    "attempts",
    "failures",
    "failing_ips",
    "failing_accounts",
    "unknown_account_attempts",
    "distinct_unknown_accounts",
    "alerts",
)


def page(record: DayRecord, language: Language) -> bytes:
    """The page in one language: the same bytes for the same record."""
    texts = texts_of(language)
    rows = list(zip(record.days, record.systems, strict=True))
    environment = _environment(ZoneInfo(record.tz), record.date)
    severities = Counter(alert.severity for alert in record.alerts)
    band = _band(record)
    made = environment.get_template("daily.html").render(
        t=texts,
        r=record,
        css=_styles(),
        weekday=texts["weekdays"][date.fromisoformat(record.date).weekday()],
        holiday=record.holiday_zh if language == "zh-TW" else record.holiday_en,
        total={
            "failures": sum(day.failures for day in record.days),
            "strangers": sum(day.unknown_account_attempts for day in record.days),
            "notices": sum(one.notices for one in record.notices),
            "answers": sum(one.answers for one in record.answers),
        },
        severities=[(name, severities[name]) for name in reversed(SEVERITIES) if severities[name]],
        by_rule=by_rule(record.alerts),
        glance=glance(record, texts),
        columns=_COLUMNS,
        rows=[({name: getattr(day, name) for name in _COLUMNS}, one) for day, one in rows],
        cold=_cold(record),
        charted=[
            (
                day,
                one,
                charts.bars(one.hours, band),
                charts.line(one.past, day.failures, day.unknown_account_attempts),
            )
            for day, one in rows
            if one.presence != "not_connected"
        ],
        sources=[source for one in record.systems for source in one.sources],
        kinds=KINDS,
        evidence=[(name, texts[f"ev_{name}"]) for name in ("failures", "accounts", "ips")],
        told_from=TOLD_FROM,
        failures_more=FAILURES_MORE,
        most_alerts=MOST_ALERTS,
        most_silences=MOST_SILENCES,
        most_gaps=MOST_GAPS,
    )
    return (made.rstrip("\n") + "\n").encode("utf-8", "replace")


def texts_of(language: Language) -> dict[str, Any]:
    """The texts of a language."""
    return tomllib.loads((TEMPLATES / f"{language}.toml").read_text("utf-8"))


@cache
def _styles() -> Markup:
    return Markup((TEMPLATES / "daily.css").read_text("utf-8"))  # noqa: S704 (our own file)


def _environment(zone: ZoneInfo, day: str) -> Environment:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    filters: dict[str, Callable[[Any], Any]] = {
        "number": lambda value: f"{value:,}",
        "decimal": _decimal,
        "score": lambda value: f"{value:+,.1f}".replace("-", "−"),
        "shown": lambda value: escaped(str(value), _LONGEST_TEXT),
        "longest": _longest,
        "local": lambda text: _local(text, zone),
        "clock": lambda text: _local(text, zone).removeprefix(f"{day} "),
    }
    environment.filters |= filters
    return environment


def _longest(silent: Sequence[Span]) -> list[Span]:
    """The silences worth showing: those in trading hours first, then the longest."""
    return sorted(silent, key=lambda span: (not span.trading, -span.seconds))[:MOST_SILENCES]


def _decimal(value: float) -> str:
    return f"{value:,.1f}".removesuffix(".0")


def _local(text: str, zone: ZoneInfo) -> str:
    """A time in UTC as the reader's local one; as it stands where it is none."""
    try:
        return datetime.fromisoformat(text).astimezone(zone).strftime("%Y-%m-%d %H:%M:%S")
    except ValueError:
        return escaped(text, _LONGEST_TEXT)


def _cold(record: DayRecord) -> bool:
    heard = [one for one in record.systems if one.presence != "not_connected"]
    return is_cold(normal for one in heard for normal in one.normal.values())


def _band(record: DayRecord) -> tuple[float, float] | None:
    """Trading hours as hours of the day, where the day is the exchange's own."""
    if record.tz != TRADING_ZONE or record.kind in {"weekend", "holiday"}:
        return None
    return _hours(TRADING_HOURS[0]), _hours(TRADING_HOURS[1])


def _hours(clock: time) -> float:
    return clock.hour + clock.minute / 60
