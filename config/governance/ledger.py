"""The ledger of governance: a chained file (`config.chained`) of decisions."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import msgspec

from ..chained import START, Chain, append_link, read_chain
from .records import Line, What

__all__ = ["FILE", "START", "Decide", "Ledger", "append", "read"]

FILE = "ledger.jsonl"
Ledger = Chain[Line]
"""All lines up to the first damage, the hash of the last good one, and the damage if any."""

Decide = Callable[[Ledger], What]
_decoder = msgspec.json.Decoder(Line)


def read(folder: Path) -> Ledger:
    """The ledger in `folder`; empty where there is none. Raises OSError."""
    return read_chain(folder / FILE, _decoder)


def append(
    folder: Path, decide: Decide, *, by: str, login: str, reason: str, now: datetime
) -> Line:
    """One more line, on the disk when this returns.

    `decide` sees the ledger as it stands, nobody else writing, and gives the decision or raises.
    Raises LoginwardError where the ledger is damaged, OSError where it cannot be written.
    """

    def make(known: Ledger) -> Line:
        return Line(
            number=len(known.lines) + 1,
            at=now,
            by=by,
            login=login,
            reason=reason,
            what=decide(known),
            previous=known.head,
        )

    line = append_link(folder / FILE, _decoder, make)
    assert line is not None  # noqa: S101 (make always gives one)
    return line
