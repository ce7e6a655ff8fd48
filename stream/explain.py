"""What one line of a log was understood as, and why, in words for a person."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from detectors.errors import escaped
from detectors.events import rfc3339

from .sources.base import Found, Line, Source, Understood
from .sources.reading import Counts, Refused, flush_counted, read_counted

_SHOWN = 1000
_MOST_EVENTS = 5


def explain(lines: Iterable[Line], source: Source, number: int) -> list[str] | None:
    """What became of line `number`, read with all the others; None where there is no such line."""
    counts = Counts()
    told: list[str] | None = None
    first: Understood | Refused | None = None
    made: list[Found] = []
    replaced_by: Line | None = None
    for line in lines:
        got = read_counted(source, line, counts)
        if line.at == number:
            first, told = got, [f"line {number}: {escaped(_text(line), _SHOWN)}"]
        if isinstance(got, Refused):
            continue
        made += [found for found in got.found if found.at == number]
        if number in got.replaced:
            replaced_by = line
    made += [found for found in flush_counted(source, counts, cut_off=True) if found.at == number]
    if told is None or first is None:
        return None
    return told + list(_fate(first, made, replaced_by, number))


def _fate(
    first: Understood | Refused, made: list[Found], replaced_by: Line | None, number: int
) -> Iterator[str]:
    if isinstance(first, Refused):
        yield f"cannot be read ({first.reason}): {first.detail}"
        return
    yield f"understood as: {first.why}"
    for found in made[:_MOST_EVENTS]:
        yield _event(found)
    if len(made) > _MOST_EVENTS:
        yield f"... and {len(made) - _MOST_EVENTS} more events"
    if made and first.kind == "held":
        yield "held back until it was clear that no stronger line tells of the same attempt"
    if replaced_by is not None and replaced_by.at == number:
        yield "no event of its own: an earlier line tells of the same attempt"
    elif replaced_by is not None:
        yield (
            f"no event of its own: line {replaced_by.at} decides the same attempt: "
            f"{escaped(_text(replaced_by), _SHOWN)}"
        )
    elif not made and first.kind == "held":
        yield "no event: the log ends before sshd's own decision"
    elif not made:
        yield "no event: not a decision of a login, or told already by another line"


def _event(found: Found) -> str:
    event = found.event
    account = "no account" if event.account is None else f"account '{escaped(event.account)}'"
    return (
        f"event {escaped(event.event_id)}: {event.outcome} at {rfc3339(event.occurred_at)}, "
        f"{account}, ip {event.ip or 'none'}, reason {event.reason or 'none'}"
    )


def _text(line: Line) -> str:
    return line.raw.decode("utf-8", "backslashreplace")
