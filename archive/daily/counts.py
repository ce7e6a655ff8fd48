"""Counting one day by system: its figures, its hours, who failed most, which sources spoke."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from .logins import DayLogins
from .record import Hour, Kind
from .span import HOUR_US, DaySpan

TOP = 10
"""Of addresses, accounts, AS numbers and countries so many are shown a system."""

_COLUMN: Mapping[Kind, str] = {
    "address": "address",
    "account": "account",
    "asn": "asn",
    "country": "country",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """The counts of one system on one day, by the rules of `detectors/daily.py`."""

    attempts: int = 0
    successes: int = 0
    failures: int = 0
    failing_ips: int = 0
    failing_accounts: int = 0
    unknown_account_attempts: int = 0
    distinct_unknown_accounts: int = 0
    alerts: int = 0


def figures(day: DayLogins) -> dict[str, dict[str, int]]:
    """The counts of each system that occurs, without its alerts."""
    asked = """
        SELECT system, count(*) AS attempts,
          count(*) FILTER (outcome = 'success') AS successes,
          count(*) FILTER (outcome = 'failure') AS failures,
          count(DISTINCT address) FILTER (outcome = 'failure') AS failing_ips,
          count(DISTINCT who) FILTER (outcome = 'failure') AS failing_accounts,
          count(*) FILTER (stranger) AS unknown_account_attempts,
          count(DISTINCT who) FILTER (stranger) AS distinct_unknown_accounts
        FROM counted GROUP BY system ORDER BY system"""
    return {row.pop("system"): row for row in day.rows(asked)}


def hours(day: DayLogins, span: DaySpan) -> dict[str, list[Hour]]:
    """Every hour of the day for each system that occurs."""
    asked = """
        SELECT system, hour, count(*) AS attempts,
          count(*) FILTER (outcome = 'failure') AS failures,
          count(*) FILTER (stranger) AS strangers
        FROM counted GROUP BY system, hour"""
    found: dict[str, list[Hour]] = {}
    for row in day.rows(asked):
        system, hour = row.pop("system"), row.pop("hour")
        found.setdefault(system, [Hour()] * span.hours)[hour] = Hour(**row)
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """One that fails often, before it is compared with its past."""

    kind: Kind
    value: str
    failures: int
    accounts: int
    addresses: int
    strangers: int
    successes: int


def tops(day: DayLogins, kind: Kind, most: int = TOP) -> dict[str, list[Subject]]:
    """The subjects of a kind with most failures, of each system; ties by name."""
    column = _COLUMN[kind]
    asked = f"""
        SELECT system, {column}::VARCHAR AS value,
          count(*) FILTER (outcome = 'failure') AS failures,
          count(DISTINCT who) FILTER (outcome = 'failure') AS accounts,
          count(DISTINCT address) FILTER (outcome = 'failure') AS addresses,
          count(*) FILTER (stranger) AS strangers,
          count(*) FILTER (outcome = 'success') AS successes
        FROM counted WHERE {column} IS NOT NULL
        GROUP BY system, {column} HAVING failures > 0
        QUALIFY row_number() OVER (PARTITION BY system ORDER BY failures DESC, value) <= ?
        ORDER BY system, failures DESC, value"""  # noqa: S608 (constants of this file)
    found: dict[str, list[Subject]] = {}
    for row in day.rows(asked, [most]):
        system = row.pop("system")
        found.setdefault(system, []).append(Subject(kind=kind, **row))
    return found


Wanted = Mapping[Kind, Mapping[str, Sequence[str]]]
"""By kind and system: the subjects asked for."""


def failures_of(day: DayLogins, wanted: Wanted) -> dict[tuple[str, Kind, str], int]:
    """How often each of these subjects failed on that day; those that did not are left out."""
    found: dict[tuple[str, Kind, str], int] = {}
    for kind, systems in wanted.items():
        column = _COLUMN[kind]
        names = [system for system, values in systems.items() for _ in values]
        values = [value for of in systems.values() for value in of]
        if not values:
            continue
        asked = f"""
            WITH wanted AS (SELECT unnest(?::VARCHAR[]) AS system, unnest(?::VARCHAR[]) AS value)
            SELECT c.system, w.value, count(*) AS failures
            FROM counted c JOIN wanted w ON c.system = w.system AND c.{column}::VARCHAR = w.value
            WHERE outcome = 'failure' GROUP BY ALL"""  # noqa: S608 (constants of this file)
        for row in day.rows(asked, [names, values]):
            found[row["system"], kind, row["value"]] = row["failures"]
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Spoken:
    """What one source said for one system; `quiet` are its silences (microseconds), by time."""

    events: int
    hours: list[int]
    quiet: list[tuple[int, int]] = field(default_factory=list)


def spoken(
    day: DayLogins, span: DaySpan, silent_us: Mapping[str, int], until_us: int
) -> dict[tuple[str, str], Spoken]:
    """By (system, source), all actions and duplicates included: they show that it lives.

    `silent_us`: by system how long a silence must be to be told, one hour where it is not named.
    A silence is told up to `until_us`: what is not sealed yet is not silent.
    """
    counts: dict[tuple[str, str], list[int]] = {}
    asked = f"""
        SELECT system, emitter, (judged_us - ?) // {HOUR_US} AS hour, count(*) AS events
        FROM archived GROUP BY ALL"""  # noqa: S608 (a constant)
    for row in day.rows(asked, [span.start_us]):
        cells = counts.setdefault((row["system"], row["emitter"]), [0] * span.hours)
        cells[row["hour"]] = row["events"]
    quiet = _quiet(day, (span.start_us, until_us), silent_us)
    return {
        key: Spoken(events=sum(cells), hours=cells, quiet=quiet.get(key, []))
        for key, cells in sorted(counts.items())
    }


def _quiet(
    day: DayLogins, bounds: tuple[int, int], silent_us: Mapping[str, int]
) -> dict[tuple[str, str], list[tuple[int, int]]]:
    asked = """
        WITH marks AS (
          SELECT DISTINCT system, emitter, judged_us AS moment FROM archived
          UNION ALL SELECT DISTINCT system, emitter, ? FROM archived
          UNION ALL SELECT DISTINCT system, emitter, ? FROM archived),
        gaps AS (
          SELECT system, emitter, moment AS until,
            lag(moment) OVER (PARTITION BY system, emitter ORDER BY moment) AS since
          FROM marks)
        SELECT system, emitter, since, until FROM gaps
        WHERE until - since > ? ORDER BY system, emitter, since"""
    least = min([HOUR_US, *silent_us.values()])
    found: dict[tuple[str, str], list[tuple[int, int]]] = {}
    for row in day.rows(asked, [*bounds, least]):
        if row["until"] - row["since"] > silent_us.get(row["system"], HOUR_US):
            key = (row["system"], row["emitter"])
            found.setdefault(key, []).append((row["since"], row["until"]))
    return found
