"""Log files to events of the wire, in the order of their lines, without any server."""

from __future__ import annotations

import base64
import heapq
from collections.abc import Callable, Iterator
from typing import BinaryIO

import msgspec

from detectors.wire import bounded

from .inputs import Input, Reading
from .sources.base import Found, Line
from .sources.lines import DamagedInputError, numbered
from .sources.reading import Counts, Refused, flush_counted, read_counted

_ADVANCE = 1000
"""Lines between two steps of the progress bar."""

_MOST_WAITING = 100_000
"""Events kept back so that the output follows the input; beyond, the oldest goes out early."""


class Reject(msgspec.Struct, frozen=True):
    """A line of a rejects file: `bytes` in base64, the first 64 KiB of what was longer."""

    file: str
    line: int
    reason: str
    detail: str
    bytes: str
    sha256: str | None = None
    length: int | None = None


def reject(name: str, refused: Refused) -> Reject:
    """`refused` as it is kept: secret-shaped fields removed, the rest byte for byte."""
    kept, _ = bounded(refused.raw)
    return Reject(
        name,
        refused.at,
        refused.reason,
        refused.detail,
        base64.b64encode(kept).decode(),
        refused.cut.sha256 if refused.cut else None,
        refused.cut.length if refused.cut else None,
    )


def convert(
    source_input: Input,
    how: Reading,
    events: BinaryIO,
    refuse: Callable[[Refused], None],
    advance: Callable[[int], None],
) -> tuple[Counts, DamagedInputError | None]:
    """Write the events of one input to `events`, a line each; `refuse` gets every unparsable line.

    `received_at` is set to `occurred_at` where the record has none: this is an old file, its
    clock is not compared with ours. Damage of a compressed input is returned, not raised: what
    stands before it counts.
    """
    counts = Counts()
    damage: list[DamagedInputError] = []
    found = _found(source_input, how, counts, refuse, advance, damage)
    events.writelines(imported(one).record() + b"\n" for one in found)
    return counts, damage[0] if damage else None


def imported(found: Found) -> Found:
    """`found` as received when it occurred."""
    event = found.event
    if event.received_at is not None:
        return found
    event = msgspec.structs.replace(event, received_at=event.occurred_at)
    return msgspec.structs.replace(found, event=event)


def _found(
    source_input: Input,
    how: Reading,
    counts: Counts,
    refuse: Callable[[Refused], None],
    advance: Callable[[int], None],
    damage: list[DamagedInputError],
) -> Iterator[Found]:
    """Events in the order of their lines: one that is held delays those behind it."""
    source = how.new_source(source_input.changed)
    waiting: list[tuple[int, int, Found]] = []
    number = 0
    for line in _lines(source_input, damage):
        if line.at % _ADVANCE == 0:
            advance(_ADVANCE)
        got = read_counted(source, line, counts)
        if isinstance(got, Refused):
            refuse(got)
            continue
        for one in got.found:
            heapq.heappush(waiting, (one.at, number, one))
            number += 1
        if waiting:
            held = source.holds_from()
            while waiting and (
                held is None or waiting[0][0] < held or len(waiting) > _MOST_WAITING
            ):
                yield heapq.heappop(waiting)[2]
    for one in flush_counted(source, counts, cut_off=True):
        heapq.heappush(waiting, (one.at, number, one))
        number += 1
    while waiting:
        yield heapq.heappop(waiting)[2]


def _lines(source_input: Input, damage: list[DamagedInputError]) -> Iterator[Line]:
    try:
        yield from numbered(source_input.stream, source_input.name)
    except DamagedInputError as problem:
        damage.append(problem)
