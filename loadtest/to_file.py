"""A run into a file of JSON Lines, and its ledger beside it."""

from __future__ import annotations

from .delivery import Deliveries, Tally
from .ledger import Sink


def write(run: Deliveries, out: Sink, ledger: Sink | None = None) -> Tally:
    """Write every record as one line, in order of delivery; a ledger line names its line."""
    run.truths = ledger is not None
    line = 0
    for chunk in run:
        out.write(b"".join([(delivery.value or b"") + b"\n" for delivery in chunk]))
        if ledger is not None:
            told = [f'{d.truth},"line":{line + at}}}\n' for at, d in enumerate(chunk, 1)]
            ledger.write("".join(told).encode())
        line += len(chunk)
    return run.tally
