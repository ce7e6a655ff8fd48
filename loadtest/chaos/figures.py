"""The figures of a trial by fault: the contract's JSON, and a table for people."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

from .trial import Outcome

HEADER = ("FAULT", "RUNS", "HITS", "RECOVERY p50", "p99", "MISSED", "EXTRA", "DOUBLED", "ARCHIVE")


def figures(outcome: Outcome) -> dict[str, Any]:
    """One row a kind of fault; a trial's differences count for each of its faults."""
    verdict = outcome.verdict
    rows: dict[str, dict[str, Any]] = {}
    for kind in dict.fromkeys(one.kind for one in outcome.injected):
        ours = [one for one in outcome.injected if one.kind == kind]
        took = [one.recovery_s for one in ours if one.recovery_s is not None]
        rows[kind] = {
            "runs": len(ours),
            "hits": sum(one.hit for one in ours),
            "missed": verdict.missed,
            "extra": verdict.extra + verdict.different,
            "duplicate_alerts": verdict.duplicate_alerts,
            "duplicate_notices": verdict.duplicate_notices,
            "archive_missing": verdict.archive_missing + verdict.rejects_missing,
            "archive_extra": verdict.archive_extra + verdict.rejects_extra,
            "recovery_p50_s": _share(took, 0.5),
            "recovery_p99_s": _share(took, 0.99),
        }
    return {"faults": rows, "not_run": outcome.not_run}


def failed(outcome: Outcome) -> bool:
    """Whether anything is different, did not hit, did not recover, or could not run."""
    unwell = any(not one.well for one in outcome.injected)
    return bool(outcome.verdict.faults or outcome.not_run or unwell)


def table(told: dict[str, Any]) -> Iterable[Sequence[str]]:
    """The rows below HEADER."""
    for name, row in told["faults"].items():
        yield (
            name,
            str(row["runs"]),
            str(row["hits"]),
            _seconds(row["recovery_p50_s"]),
            _seconds(row["recovery_p99_s"]),
            str(row["missed"]),
            str(row["extra"]),
            str(row["duplicate_alerts"]),
            f"-{row['archive_missing']} +{row['archive_extra']}",
        )
    for name, why in told["not_run"].items():
        yield name, "NOT RUN", why


def _seconds(value: float | None) -> str:
    return "-" if value is None else f"{value:.1f} s"


def _share(values: list[float], share: float) -> float | None:
    if not values:
        return None
    ordered = sorted(values)
    return ordered[math.ceil(share * len(ordered)) - 1]
