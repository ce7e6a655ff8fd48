"""What a reader must know of the day before anything else, in a few sentences."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Literal

from detectors.errors import escaped

from .deviations import is_cold
from .record import DayRecord

Look = Literal["good", "bad", "look", "note"]
"""good, bad: a fact that is so or not. look: somebody has to look. note: to be known."""

Line = tuple[Look, str]


def glance(record: DayRecord, texts: Mapping[str, Any]) -> list[Line]:
    """The lines of the summary."""
    return [*_figures(record, texts), *_signals(record, texts), *_completeness(record, texts)]


def _figures(record: DayRecord, texts: Mapping[str, Any]) -> Iterator[Line]:
    if all(day.nil for day in record.days):
        yield "note", texts["nil_day"]
    heard = [one for one in record.systems if one.presence != "not_connected"]
    if record.deviations:
        yield "look", f"{len(record.deviations)} {texts['glance_deviations']}"
    elif is_cold(normal for one in heard for normal in one.normal.values()):
        yield "note", texts["glance_cold"]
    else:
        yield "good", texts["glance_no_deviation"]


def _signals(record: DayRecord, texts: Mapping[str, Any]) -> Iterator[Line]:
    silent = [one.system for one in record.systems if one.presence == "silent"]
    absent = [one.system for one in record.systems if one.presence == "not_connected"]
    pauses = [
        source.source
        for one in record.systems
        if one.presence == "heard" and one.registered
        for source in one.sources
        if any(span.trading for span in source.silent)
    ]
    rest = record.kind in {"weekend", "holiday"}
    named: tuple[tuple[Look, str, list[str]], ...] = (
        ("look" if rest else "bad", "glance_silent_system", silent),
        ("look", "glance_silent", pauses),
        ("look", "glance_not_connected", absent),
        ("look", "glance_unregistered", record.unregistered),
    )
    for look, key, names in named:
        if names:
            shown = texts["comma"].join(escaped(name, 64) for name in names)
            yield look, f"{texts[key]}{texts['colon']}{shown}"


def _completeness(record: DayRecord, texts: Mapping[str, Any]) -> Iterator[Line]:
    found = record.completeness
    if not found.batches:
        yield "look", texts["glance_nothing_judged"]
    if not found.adds_up:
        yield "bad", texts["glance_incomplete"]
    elif found.batches:
        yield "good", texts["glance_complete"]
    if not found.whole_day:
        yield "look", texts["glance_not_whole"]
    if record.unreadable:
        yield "bad", f"{record.unreadable:,} {texts['glance_unreadable']}"
    if record.kind == "weekday":
        yield "note", texts["glance_no_calendar"]
