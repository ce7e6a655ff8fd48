"""The faults that can be injected, how they are named, and the figures of a run by fault."""

from __future__ import annotations

import math
import re
from typing import Any

from detectors.errors import LoginwardError, escaped

from .trial import Fault, Outcome

DEFAULT = (
    Fault(at=0.3, target="detect-0"),
    Fault(at=0.4, target="valkey"),
    Fault(at=0.5, target="kafka"),
    Fault(at=0.6, target="detect-1"),
    Fault(at=0.7, target="relay"),
    Fault(at=0.8, target="archive"),
)
"""Each process and server once, workers at 30 % and 60 % of the offsets."""

_FAULT = re.compile(r"(?P<target>detect-\d|relay|archive|valkey|kafka)@(?P<share>0?\.\d+)")


def parse(text: str) -> Fault:
    """A fault of the command line, `valkey@0.4`. Raises LoginwardError where it is none."""
    match = _FAULT.fullmatch(text)
    if match is None:
        raise LoginwardError(
            f"--fault: '{escaped(text)}': write TARGET@SHARE, e.g. valkey@0.4; targets: "
            "detect-0, detect-1, relay, archive, valkey, kafka"
        )
    return Fault(at=float(match["share"]), target=match["target"])


def figures(faults: tuple[Fault, ...], outcome: Outcome) -> dict[str, Any]:
    """The contract's JSON: one row a fault; a trial's differences count for each of its faults."""
    verdict = outcome.verdict
    rows = {
        f"kill_{fault.target.replace('-', '_')}": {
            "runs": 1,
            "hits": int(at < outcome.hits),
            "missed": verdict.missed,
            "extra": verdict.extra + verdict.different,
            "duplicate_alerts": verdict.duplicate_alerts,
            "duplicate_notices": 0,
            "archive_missing": verdict.archive_missing + verdict.rejects_missing,
            "archive_extra": verdict.archive_extra + verdict.rejects_extra,
            "recovery_p99_s": _p99(outcome.recovery_s),
        }
        for at, fault in enumerate(faults)
    }
    return {"faults": rows, "not_run": {}}


def _p99(values: list[float]) -> float | None:
    if not values:
        return None
    ordered = sorted(values)
    return ordered[math.ceil(0.99 * len(ordered)) - 1]
