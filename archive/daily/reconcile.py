"""The core system's own totals against ours, each difference explained by what we know, or not.

theirs - ours is explained where some of these add up to it, exactly: repeats and contradictions
that the core system may have counted (+), records of it that could not be read (+), and logins that
came after the day was over (-). Else the whole day may be another day's: that of UTC.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from itertools import combinations
from pathlib import Path
from typing import Any, Literal
from zoneinfo import ZoneInfo

import msgspec

from archive.keys import ArchiveKeys
from archive.read import read_records

from .batches import read_batches
from .complete import completeness
from .core_totals import MEASURES, CoreTotals, Row
from .count import EARLY_US, by_hour, conflicts_of
from .files import login_files
from .known import Known
from .logins import DayLogins, day_logins
from .span import HOUR_US, DaySpan

Cause = Literal["duplicates", "conflicts", "rejected", "late"]
Cell = tuple[int, str]
"""Hour of the day and measure."""


_LATE = """
CREATE OR REPLACE TEMP TABLE late AS
SELECT topic_id, part, pos FROM first WHERE appended_ms * 1000 >= ?"""


class Compared(msgspec.Struct, frozen=True, kw_only=True):
    """One measure of one hour (None: the day). `causes`: all that is known to differ, signed."""

    hour: int | None
    measure: str
    theirs: int
    ours: int
    difference: int
    causes: dict[str, int]
    explained_by: list[str]
    explained: bool


class Reconciled(msgspec.Struct, frozen=True, kw_only=True):
    """The comparison of a day. `zone`: whose day their totals are, where it is another one."""

    format: Literal["loginward-reconciliation/1"] = "loginward-reconciliation/1"
    date: str
    tz: str
    system: str
    file: str
    file_sha256: str
    rows: list[Compared]
    zone: str | None
    whole_day: bool
    agrees: bool


def reconcile(
    root: Path, span: DaySpan, system: str, totals: CoreTotals, known: Known, keys: ArchiveKeys
) -> Reconciled:
    """Compare `totals` with the archive's day. Raises ArchiveError where it cannot be read."""
    with _opened(root, span, known, keys) as day:
        ours, causes = _ours(day, system), _causes(day, span, system)
        through = completeness(root, span, read_batches(()), by_hour(day))
    causes |= {("rejected", cell): n for cell, n in _rejected(root, span, system, keys).items()}
    rows = [one for row in totals.rows for one in _compared(row, ours, causes)]
    zone = None
    if not all(one.explained for one in rows):
        zone = _other_zone(root, span, system, totals, known, keys)
    return Reconciled(
        date=span.day.isoformat(),
        tz=span.zone.key,
        system=system,
        file=totals.name,
        file_sha256=totals.sha256,
        rows=rows,
        zone=zone,
        whole_day=through.whole_day,
        agrees=zone is not None or all(one.explained for one in rows),
    )


def explanation(difference: int, causes: Mapping[str, int]) -> list[str] | None:
    """The fewest causes that add up to the difference exactly; None where none do."""
    named = sorted(name for name, count in causes.items() if count)
    for size in range(len(named) + 1):
        for chosen in combinations(named, size):
            if sum(causes[name] for name in chosen) == difference:
                return list(chosen)
    return None


def _compared(
    row: Row, ours: Mapping[Cell, int], causes: Mapping[tuple[str, Cell], int]
) -> Iterator[Compared]:
    for measure in MEASURES:
        theirs = getattr(row, measure)
        if theirs is None:
            continue
        own = _sum(ours, row.hour, measure)
        known: Counter[str] = Counter()
        for (name, (hour, of)), count in causes.items():
            if of == measure and row.hour in (None, hour):
                known[name] += count
        found = explanation(theirs - own, known)
        yield Compared(
            hour=row.hour,
            measure=measure,
            theirs=theirs,
            ours=own,
            difference=theirs - own,
            causes={name: n for name, n in known.items() if n},
            explained_by=found or [],
            explained=found is not None,
        )


def _sum(cells: Mapping[Cell, int], hour: int | None, measure: str) -> int:
    return sum(n for (at, of), n in cells.items() if of == measure and hour in (None, at))


@contextmanager
def _opened(root: Path, span: DaySpan, known: Known, keys: ArchiveKeys) -> Iterator[DayLogins]:
    files = login_files(root, span.start_us, span.end_us)
    conflicts = list(conflicts_of(root, span.start_us - EARLY_US))
    with day_logins(root, span, files, conflicts, known, keys) as day:
        yield day


def _ours(day: DayLogins, system: str) -> Counter[Cell]:
    asked = """
        SELECT hour, count(*) FILTER (outcome = 'success') AS successes,
          count(*) FILTER (outcome = 'failure') AS failures,
          count(*) FILTER (stranger) AS unknown_accounts
        FROM counted WHERE system = ? GROUP BY hour"""
    return _cells(day.rows(asked, [system]))


def _causes(day: DayLogins, span: DaySpan, system: str) -> dict[tuple[str, Cell], int]:
    """Repeats and contradictions (they may count them), and what came after the day (-)."""
    day.database.execute(_LATE, [span.end_us])
    wanted: dict[Cause, str] = {
        "duplicates": "ANTI JOIN first USING (topic_id, part, pos) "
        "ANTI JOIN conflicts USING (topic_id, part, pos)",
        "conflicts": "SEMI JOIN conflicts USING (topic_id, part, pos)",
        "late": "SEMI JOIN late USING (topic_id, part, pos)",
    }
    asked = {
        cause: f"""
            SELECT (judged_us - {span.start_us}) // {HOUR_US} AS hour,
              count(*) FILTER (outcome = 'success') AS successes,
              count(*) FILTER (outcome = 'failure') AS failures,
              count(*) FILTER (reason = 'unknown_account'
                OR account_class IN ('unknown', 'closed')) AS unknown_accounts
            FROM archived {joined} WHERE action = 'login' AND system = ? GROUP BY hour"""  # noqa: S608 (numbers and constants of this file)
        for cause, joined in wanted.items()
    }
    return {
        (cause, cell): -n if cause == "late" else n
        for cause, statement in asked.items()
        for cell, n in _cells(day.rows(statement, [system])).items()
    }


def _cells(rows: Sequence[Mapping[str, Any]]) -> Counter[Cell]:
    found: Counter[Cell] = Counter()
    for row in rows:
        for measure in MEASURES:
            found[row["hour"], measure] += row[measure]
    return found


class _Glance(msgspec.Struct, frozen=True):
    """A reject, as far as it says whose it was."""

    system: str
    occurred_at: str
    outcome: str = ""
    reason: str = ""


_glance = msgspec.json.Decoder(_Glance).decode


def _rejected(root: Path, span: DaySpan, system: str, keys: ArchiveKeys) -> Counter[Cell]:
    """Records of the system that could not be judged, where their bytes still say whose, when."""
    found: Counter[Cell] = Counter()
    for _, kept in read_records(root, "logins.rejected", keys):
        if kept.timestamp * 1000 < span.start_us - EARLY_US:
            continue
        if dict(kept.headers).get("reason") == b"id_conflict":
            continue
        try:
            told = _glance(kept.value or b"")
            at = datetime.fromisoformat(told.occurred_at)
        except (msgspec.DecodeError, UnicodeDecodeError, ValueError):
            continue  # nobody can say whose it was
        if told.system == system and at.tzinfo is not None and span.holds(at):
            hour = int((at - span.start).total_seconds()) // 3600
            found[hour, "successes"] += told.outcome == "success"
            found[hour, "failures"] += told.outcome == "failure"
            found[hour, "unknown_accounts"] += told.reason == "unknown_account"
    return found


def _other_zone(
    root: Path, span: DaySpan, system: str, totals: CoreTotals, known: Known, keys: ArchiveKeys
) -> str | None:
    """UTC, where their totals are exactly those of the same date there."""
    other = DaySpan(span.day, ZoneInfo("UTC"))
    if other.start == span.start:
        return None
    with _opened(root, other, known, keys) as day:
        ours = _ours(day, system)
    same = all(
        getattr(row, measure) in (None, _sum(ours, row.hour, measure))
        for row in totals.rows
        for measure in MEASURES
    )
    return other.zone.key if same else None
