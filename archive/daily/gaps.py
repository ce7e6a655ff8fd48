"""The emitter's own numbers (`seq`): which are missing says what never reached us."""

from __future__ import annotations

from typing import Final

import msgspec

from .logins import DayLogins

LISTED: Final = 100
"""Ranges listed for a source; totals are complete."""


class Missing(msgspec.Struct, frozen=True, kw_only=True):
    """Numbers from `first` to `last`, both missing."""

    first: int
    last: int


class Numbers(msgspec.Struct, frozen=True, kw_only=True):
    """The numbers of one source on the day.

    `runs`: how often it began anew (0 or 1, as after a restart); within a run numbers must follow
    each other. `missing` counts all that do not, `ranges` lists the first hundred.
    """

    system: str
    source: str
    first: int
    last: int
    numbered: int
    unnumbered: int
    runs: int
    missing: int
    ranges: list[Missing]


# In the emitter's own time: arrival may be in any order. A number of 0 or 1 after a higher one
# begins a run; two numbers apart by more than one within a run have others between them.
_STEPS = """
CREATE OR REPLACE TEMP TABLE steps AS
WITH told AS (
  SELECT DISTINCT system, emitter, seq, min(occurred_us) AS told_us FROM archived
  WHERE seq IS NOT NULL AND system NOT LIKE '\\_%' ESCAPE '\\' GROUP BY ALL
), runs AS (
  SELECT *, sum(CASE WHEN seq <= 1 THEN 1 ELSE 0 END)
    OVER (PARTITION BY system, emitter ORDER BY told_us, seq) AS run FROM told
)
SELECT system, emitter, seq, run,
  lag(seq) OVER (PARTITION BY system, emitter, run ORDER BY seq) AS before FROM runs"""

_TOTALS = """
SELECT system, emitter, min(seq) AS first, max(seq) AS last, count(DISTINCT run) AS runs,
  coalesce(sum(seq - before - 1) FILTER (seq > before + 1), 0)::BIGINT AS missing
FROM steps GROUP BY system, emitter ORDER BY system, emitter"""

_COUNTS = """
SELECT system, emitter, count(seq) AS numbered, count(*) - count(seq) AS unnumbered
FROM archived GROUP BY system, emitter"""

_RANGES = f"""
SELECT before + 1 AS first, seq - 1 AS last FROM steps
WHERE system = ? AND emitter = ? AND seq > before + 1
ORDER BY run, first LIMIT {LISTED}"""  # noqa: S608 (a constant)


def numbers(day: DayLogins) -> list[Numbers]:
    """Every source that numbers its events; those that never do tell nothing, and are left out."""
    day.database.execute(_STEPS)
    counts = {(row["system"], row["emitter"]): row for row in day.rows(_COUNTS)}
    return [
        Numbers(
            system=row["system"],
            source=row["emitter"],
            first=row["first"],
            last=row["last"],
            numbered=counts[row["system"], row["emitter"]]["numbered"],
            unnumbered=counts[row["system"], row["emitter"]]["unnumbered"],
            runs=row["runs"],
            missing=row["missing"],
            ranges=[
                Missing(first=one["first"], last=one["last"])
                for one in day.rows(_RANGES, [row["system"], row["emitter"]])
            ],
        )
        for row in day.rows(_TOTALS)
    ]
