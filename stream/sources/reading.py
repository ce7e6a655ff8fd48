"""Lines through a source, with everything counted: what became an event, what did not, and why."""

from __future__ import annotations

import msgspec

from detectors.errors import Rejected, RejectReason

from .base import Cut, Found, Line, Source, Understood


class Refused(msgspec.Struct, frozen=True):
    """A line that should be a record of the source and is not; kept, with its reason, as it was."""

    at: int
    reason: RejectReason
    detail: str
    raw: bytes
    cut: Cut | None


class Counts(msgspec.Struct):
    """Of one input or of several: lines read and what became of them.

    `same_attempt`: lines that told of an attempt which another line decides. An event may stand for
    a line that says "repeated 5 times", so events and lines need not add up.
    """

    lines: int = 0
    events: int = 0
    no_login: int = 0
    same_attempt: int = 0
    unparsable: int = 0
    blank: int = 0

    def add(self, other: Counts) -> None:
        """Count `other` too."""
        for name in self.__struct_fields__:
            setattr(self, name, getattr(self, name) + getattr(other, name))

    @property
    def fits(self) -> bool:
        """Whether anything could be read, or there was nothing to read."""
        return self.unparsable == 0 or self.lines > self.unparsable + self.blank


def read_counted(source: Source, line: Line, counts: Counts) -> Understood | Refused:
    """What `line` says, or why it says nothing; counted either way."""
    counts.lines += 1
    try:
        understood = source.read(line)
    except Rejected as refusal:
        counts.unparsable += 1
        return Refused(line.at, refusal.reason, refusal.detail, line.raw, line.cut)
    if understood.kind == "no_login":
        counts.no_login += 1
        counts.blank += not line.raw
    counts.same_attempt += len(understood.replaced)
    counts.events += len(understood.found)
    return understood


def flush_counted(source: Source, counts: Counts, *, cut_off: bool) -> tuple[Found, ...]:
    """What was held, now decided by the end of the file or by silence."""
    found = source.flush(cut_off=cut_off)
    counts.events += len(found)
    return found
