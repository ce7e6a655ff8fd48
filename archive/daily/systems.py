"""One core system on one day: its row, its past, its sources, whether it was heard at all."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from archive.times import microseconds
from config.systems import CoreSystem
from config.trading_days import TRADING_HOURS, TRADING_ZONE, TradingDays
from detectors.daily import Day

from .counts import Spoken, Subject
from .past import Past
from .record import KINDS, METRICS, Hour, Kind, Presence, SourceDay, Span, SystemDay, Top
from .span import HOUR_US, DaySpan

_US = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """Everything that was counted of one day, by system."""

    span: DaySpan
    until_us: int
    """Up to when the day is known; behind it, nothing said is nothing known."""
    figures: Mapping[str, Mapping[str, int]]
    hours: Mapping[str, list[Hour]]
    tops: Mapping[Kind, Mapping[str, list[Subject]]]
    spoken: Mapping[tuple[str, str], Spoken]
    alerts: Mapping[str, int]
    as_names: Mapping[int, str]


def row(counted: Counted, tz: str, system: str) -> Day:
    """The row of `replay --daily`; zeros for a system that was not heard."""
    told = counted.figures.get(system, {})
    failures, strangers = told.get("failures", 0), told.get("unknown_account_attempts", 0)
    return Day(
        date=counted.span.day.isoformat(),
        tz=tz,
        system=system,
        attempts=told.get("attempts", 0),
        failures=failures,
        failing_ips=told.get("failing_ips", 0),
        failing_accounts=told.get("failing_accounts", 0),
        unknown_account_attempts=strangers,
        distinct_unknown_accounts=told.get("distinct_unknown_accounts", 0),
        alerts=counted.alerts.get(system, 0),
        nil=not failures and not strangers,
    )


def system_day(
    counted: Counted,
    day: Day,
    entry: CoreSystem | None,
    past: Past,
    calendar: TradingDays,
) -> SystemDay:
    """What the record says of a system beyond its row."""
    system = day.system
    return SystemDay(
        system=system,
        registered=entry is not None,
        presence=_presence(counted, system, past),
        owner="" if entry is None else entry.owner,
        channels=[] if entry is None else list(entry.channels),
        successes=counted.figures.get(system, {}).get("successes", 0),
        hours=counted.hours.get(system) or [Hour()] * counted.span.hours,
        past=past.line(system),
        normal={name: past.metric(system, name, getattr(day, name)) for name in METRICS},
        tops=[
            _top(subject, system, past, counted.as_names)
            for kind in KINDS
            for subject in counted.tops.get(kind, {}).get(system, ())
        ],
        sources=list(_sources(counted, system, entry, calendar)),
    )


def _presence(counted: Counted, system: str, past: Past) -> Presence:
    if any(name == system and spoken.events for (name, _), spoken in counted.spoken.items()):
        return "heard"
    return "silent" if past.heard(system) else "not_connected"


def _top(subject: Subject, system: str, past: Past, as_names: Mapping[int, str]) -> Top:
    return Top(
        kind=subject.kind,
        value=subject.value,
        failures=subject.failures,
        accounts=subject.accounts,
        addresses=subject.addresses,
        strangers=subject.strangers,
        successes=subject.successes,
        normal=past.subject(system, subject.kind, subject.value, subject.failures),
        name=as_names.get(int(subject.value), "") if subject.kind == "asn" else "",
    )


def _sources(
    counted: Counted, system: str, entry: CoreSystem | None, calendar: TradingDays
) -> Iterable[SourceDay]:
    heard = {source: told for (of, source), told in counted.spoken.items() if of == system}
    expected = () if entry is None else entry.sources
    for source in [*expected, *(name for name in heard if name not in expected)]:
        told = heard.get(source) or _nothing(counted, entry)
        yield SourceDay(
            source=source,
            system=system,
            expected=source in expected,
            events=told.events,
            hours_heard=sum(1 for events in told.hours if events),
            hours=told.hours,
            silent=[_silence(counted.span, *quiet, calendar) for quiet in told.quiet],
        )


def _nothing(counted: Counted, entry: CoreSystem | None) -> Spoken:
    """A source that said nothing: silent from beginning to end."""
    bounds = (counted.span.start_us, counted.until_us)
    least = HOUR_US if entry is None else entry.silent_after // _US
    quiet = [bounds] if bounds[1] - bounds[0] > least else []
    return Spoken(events=0, hours=[0] * counted.span.hours, quiet=quiet)


def _silence(span: DaySpan, since_us: int, until_us: int, calendar: TradingDays) -> Span:
    zone = ZoneInfo(TRADING_ZONE)
    # A day of another zone touches two trading days.
    days = {span.start.astimezone(zone).date(), (span.end - _US).astimezone(zone).date()}
    trading = any(
        since_us < microseconds(datetime.combine(day, TRADING_HOURS[1], zone))
        and until_us > microseconds(datetime.combine(day, TRADING_HOURS[0], zone))
        for day in days
        if calendar.is_open(day)
    )
    return Span(
        since=span.clock(since_us),
        until=span.clock(until_us),
        seconds=(until_us - since_us) // 1_000_000,
        trading=trading,
    )
