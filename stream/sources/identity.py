"""Ids for events of logs that have none: the same line always gets the same id."""

from __future__ import annotations

from collections import OrderedDict
from datetime import datetime, timedelta
from hashlib import blake2b

from detectors.pseudonyms import Pseudonyms

HORIZON = timedelta(seconds=150)
"""Equal lines carry equal time stamps, so an older line need not be remembered to number them.

As long as the longest hold (attempts.HOLD): a reader that restarts goes back that far.
"""

_MOST = 131_072
"""Lines remembered at most; beyond, a line that returns counts as the one it equals."""


class LineId:
    """The identity of one line; a line that stands for several events gives each its own id."""

    __slots__ = ("_digest", "_ordinal")

    def __init__(self, digest: blake2b, ordinal: int) -> None:
        self._digest = digest
        self._ordinal = ordinal

    def event_id(self, index: int = 0) -> str:
        """The id of the `index`-th event of this line, 32 hexadecimal digits."""
        digest = self._digest.copy()
        # From the end: two numbers, each after a NUL. What stands before is system and line.
        digest.update(f"\0{self._ordinal}\0{index}".encode())
        return digest.hexdigest()


class LineIds:
    """Numbers equal lines of one file or stream and makes ids of them.

    An id is a keyed hash (16 bytes, hexadecimal) of the system, the raw line, its ordinal among
    equal lines, and the index inside `message repeated N times`. A line without a year is hashed
    with the year it was given, or the same line next year would be the same event.
    """

    def __init__(self, pseudonyms: Pseudonyms, system: str) -> None:
        self._hash = pseudonyms.line_hash()
        self._hash.update(system.encode("utf-8", "surrogatepass") + b"\0")
        self._seen: OrderedDict[bytes, tuple[int, datetime, int]] = OrderedDict()

    def line(self, raw: bytes, at: int, occurred_at: datetime, *, dated: bool = True) -> LineId:
        """The id of the line at place `at`; `dated` False where its year was guessed or given."""
        digest = self._hash.copy()
        digest.update(b"" if dated else f"{occurred_at.year}\0".encode())
        digest.update(raw)
        key = digest.digest()
        ordinal, _, first = self._seen.pop(key, (-1, occurred_at, at))
        self._seen[key] = (ordinal + 1, occurred_at, first)
        self._forget(occurred_at)
        return LineId(digest, ordinal + 1)

    def _forget(self, now: datetime) -> None:
        while self._seen:
            key, (_, seen_at, _) = next(iter(self._seen.items()))
            if abs(now - seen_at) <= HORIZON and len(self._seen) <= _MOST:
                return
            del self._seen[key]

    def needs_from(self) -> int | None:
        """Place of the oldest line still counted."""
        return min((first for _, _, first in self._seen.values()), default=None)
