"""Producing the record of one day from the archive: the same archive, the same record."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from archive import times
from archive.keys import ArchiveKeys
from config.systems import RESERVED, CoreSystem, Register
from config.trading_days import TradingDays
from detectors.daily import CANARY, Day

from . import counts
from .batches import Batches, read_batches
from .complete import HourSource, completeness
from .deviations import deviations
from .files import Kept, LoginFile, kept_since, login_files
from .known import Known
from .logins import DayLogins, Place, day_logins
from .normal import BASELINE_DAYS
from .past import Past, look_back, nothing
from .record import KINDS, Completeness, DayRecord, Kind, SystemDay
from .span import HOUR_US, DaySpan
from .systems import Counted, row, system_day
from .told import Told, alerts_of, answers_of, notices_of, opened, read_told

EARLY_US = HOUR_US
"""A record may be a clock's error older than what it is about; five minutes are tolerated."""

_NOTICE_US = timedelta(days=8) // timedelta(microseconds=1)
"""A notice may be told of for five days (DESIGN.md 9.7): its first step lies so far back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Whose day is to be counted, and with what. `progress` is told each day that is done."""

    root: Path
    span: DaySpan
    tz: str
    register: Register
    calendar: TradingDays
    known: Known
    keys: ArchiveKeys | None = None
    system: str | None = None
    progress: Callable[[], None] = lambda: None


def count_day(asked: Asked) -> DayRecord:
    """The record of the day. Raises ArchiveError where the archive cannot be read as asked."""
    span = asked.span
    earlier = list(span.before(BASELINE_DAYS))
    since_us = earlier[0].start_us
    files = login_files(asked.root, since_us, span.end_us)
    conflicts = list(conflicts_of(asked.root, since_us - EARLY_US))
    told = _told(asked.root, since_us - EARLY_US, span)
    batches = read_batches(kept_since(asked.root, "judged", span.start_us - EARLY_US))
    with day_logins(asked.root, span, files, conflicts, asked.known, asked.keys) as day:
        complete = completeness(asked.root, span, batches, by_hour(day))
        counted = _counted(asked, day, complete, told)
        newest = _newest(day)
    asked.progress()
    wanted: defaultdict[Kind, dict[str, list[str]]] = defaultdict(dict)
    for kind, systems in counted.tops.items():
        for system, subjects in systems.items():
            wanted[kind][system] = [subject.value for subject in subjects]
    before = []
    for past_span in earlier:
        if any(file.may_hold(past_span) for file in files):
            with day_logins(
                asked.root, past_span, files, conflicts, asked.known, asked.keys
            ) as day:
                before.append(look_back(day, past_span, wanted, told))
        else:
            before.append(nothing(past_span, told))
        asked.progress()
    past = Past(before, asked.calendar, open_day=asked.calendar.is_open(span.day))
    days, found = _systems(asked, counted, past)
    return _record(asked, files, (told, batches, newest), complete, days, found)


def _counted(asked: Asked, day: DayLogins, complete: Completeness, told: Told) -> Counted:
    span = asked.span
    through = complete.sealed_through
    until_us = span.start_us if through is None else times.microseconds(times.parsed(through))
    until_us = max(span.start_us, min(until_us, span.end_us))
    silent_us = {
        entry.name: entry.silent_after // timedelta(microseconds=1)
        for entry in asked.register.serving(span.day)
    }
    return Counted(
        span=span,
        until_us=until_us,
        figures=counts.figures(day),
        hours=counts.hours(day, span),
        tops={kind: counts.tops(day, kind) for kind in KINDS},
        spoken=counts.spoken(day, span, silent_us, until_us),
        alerts=opened(told, span),
        as_names=asked.known.as_names(),
    )


def _systems(asked: Asked, counted: Counted, past: Past) -> tuple[list[Day], list[SystemDay]]:
    serving = {entry.name: entry for entry in asked.register.serving(asked.span.day)}
    # An alert on the pipeline itself (`_loginward`) makes it no core system.
    alerted = {system for system in counted.alerts if not system.startswith(RESERVED)}
    heard = {*counted.figures, *alerted, *(system for system, _ in counted.spoken)}
    names = [*serving, *sorted(heard - {*serving, CANARY})]
    if asked.system is not None:
        names = [name for name in names if name == asked.system]
    rows = [row(counted, asked.tz, name) for name in names]
    found = [_system(asked, counted, day, serving.get(day.system), past) for day in rows]
    return rows, found


def _system(
    asked: Asked, counted: Counted, day: Day, entry: CoreSystem | None, past: Past
) -> SystemDay:
    return system_day(counted, day, entry, past, asked.calendar)


def _record(
    asked: Asked,
    files: Iterable[LoginFile],
    sources: tuple[Told, Batches, int | None],
    complete: Completeness,
    days: list[Day],
    systems: list[SystemDay],
) -> DayRecord:
    span, (told, batches, newest) = asked.span, sources
    names = {day.system for day in days}
    alerts = [one for one in alerts_of(told, span) if _wanted(asked, one.system)]
    notices = [one for one in notices_of(told, span) if _wanted(asked, one.system)]
    answers = [one for one in answers_of(told, span) if _wanted(asked, one.system)]
    today = batches.between(span.start_us, span.end_us)
    stamps = [newest, told.newest, *(batch.timestamp for batch in today)]
    as_of = max((stamp for stamp in stamps if stamp is not None), default=None)
    holiday = asked.calendar.holiday(span.day)
    return DayRecord(
        schema=1,
        date=span.day.isoformat(),
        tz=asked.tz,
        kind=asked.calendar.kind(span.day),
        holiday_zh="" if holiday is None else holiday.zh,
        holiday_en="" if holiday is None else holiday.en,
        calendar_source=asked.calendar.source(span.day),
        as_of=None if as_of is None else times.text(as_of * 1000),
        days=days,
        systems=systems,
        unregistered=list(asked.register.unregistered(names, span.day)),
        deviations=deviations(systems),
        baseline_days=BASELINE_DAYS,
        alerts=alerts,
        notices=notices,
        answers=answers,
        completeness=complete,
        versions=_versions(batches, span),
        counted_with=dict(sorted(asked.known.versions.items())),
        pseudonym_keys=_pseudonym_keys(files, span),
        unreadable=sum(
            span.start_us <= stamp * 1000 < span.end_us
            for stamp in (*told.unreadable, *batches.unreadable)
        ),
    )


def _wanted(asked: Asked, system: str) -> bool:
    return asked.system is None or system == asked.system


def _told(root: Path, since_us: int, span: DaySpan) -> Told:
    return read_told(
        kept_since(root, "alerts", since_us),
        kept_since(root, "notices", span.start_us - _NOTICE_US),
        kept_since(root, "confirmations", span.start_us - EARLY_US),
    )


def conflicts_of(root: Path, since_us: int) -> Iterator[Place]:
    """Records that decode, but came under an identity that had said something else."""
    for kept in kept_since(root, "logins.rejected", since_us):
        place = _conflict(kept)
        if place is not None:
            yield place


def _conflict(kept: Kept) -> Place | None:
    told = {name: value or b"" for name, value in kept.headers}
    if told.get("reason") != b"id_conflict":
        return None
    try:
        return told["topic_id"].decode(), int(told["partition"]), int(told["offset"])
    except (KeyError, ValueError):
        return None


def by_hour(day: DayLogins) -> dict[HourSource, int]:
    """Archived records by hour of event time and source, repeats included."""
    asked = f"""
        SELECT judged_us - judged_us % {HOUR_US} AS hour, emitter, count(*) AS events
        FROM archived GROUP BY ALL"""  # noqa: S608 (a constant)
    return {(row["hour"], row["emitter"]): row["events"] for row in day.rows(asked)}


def _newest(day: DayLogins) -> int | None:
    [found] = day.rows("SELECT max(appended_ms) AS newest FROM archived")
    newest = found["newest"]
    return None if newest is None else int(newest)


def _versions(batches: Batches, span: DaySpan) -> dict[str, list[str]]:
    found: defaultdict[str, set[str]] = defaultdict(set)
    for batch in batches.between(span.start_us, span.end_us):
        for part, version in batch.record.versions.items():
            found[part].add(version)
    return {part: sorted(versions) for part, versions in sorted(found.items())}


def _pseudonym_keys(files: Iterable[LoginFile], span: DaySpan) -> list[str]:
    of_day = (file.seal.pseudonym_key for file in files if file.may_hold(span))
    return sorted({key for key in of_day if key})
