"""What `loginward simulate` does, for other programs: a request to a file, or to Kafka."""

from __future__ import annotations

import asyncio
import sys
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from . import ledger as ledgers
from . import to_file, to_kafka
from .delivery import Deliveries, Tally
from .pacing import Pace, WallClock
from .run import Request, deliveries
from .to_kafka import Target


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """What a run came to; `seconds` is the span of event time."""

    events: int
    attacks: int
    failures: int
    duplicates: int
    bad: int
    records: int
    seconds: float

    @classmethod
    def of(cls, run: Deliveries, tally: Tally) -> Summary:
        """The summary of a finished run."""
        return cls(
            events=tally.events,
            attacks=tally.attacks,
            failures=tally.failures,
            duplicates=tally.duplicates,
            bad=tally.bad,
            records=tally.records,
            seconds=run.course.duration_ms / 1000,
        )


def to_path(request: Request, out: Path, ledger: Path | None = None) -> Summary:
    """Simulate into a file (`-` for standard output), with its ledger where asked for."""
    run = deliveries(request)
    with ExitStack() as stack:
        lines: Any = sys.stdout.buffer
        if str(out) != "-":
            lines = stack.enter_context(out.open("wb", buffering=1 << 20))
        truths = stack.enter_context(ledgers.writing(ledger)) if ledger is not None else None
        tally = to_file.write(run, lines, truths)
    return Summary.of(run, tally)


def to_topic(
    request: Request, target: Target, *, speedup: float | None = None, ledger: Path | None = None
) -> Summary:
    """Simulate into Kafka, at `speedup` times the events' own pace, or without waiting."""
    run = deliveries(request)
    pace = Pace(start_ms=request.start_ms, speedup=speedup, clock=WallClock())
    with ExitStack() as stack:
        truths = stack.enter_context(ledgers.writing(ledger)) if ledger is not None else None
        tally = asyncio.run(to_kafka.send(run, target, pace, truths))
    return Summary.of(run, tally)
