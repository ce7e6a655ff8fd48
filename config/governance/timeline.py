"""Several rule books, each in force for a time, as one book whose entries have periods."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from ..durations import written
from ..rule_book import Entry, RuleBook, told


def joined(books: Sequence[tuple[datetime, RuleBook]], file: Path) -> RuleBook:
    """`books` in the order of time, each from its start until the next (the first: since ever).

    What a book says of times outside its own is left out: a file can not change the past. Periods
    that differ in owner and reason alone are one.
    """
    entries: dict[str, Entry] = {}
    earlier: dict[str, tuple[Entry, ...]] = {}
    for rule in books[-1][1].entries:
        merged = _merged(list(_periods(books, rule)))
        *before, entries[rule] = merged
        if before:
            earlier[rule] = tuple(before)
    return RuleBook(file=file, entries=entries, earlier=earlier)


def _periods(books: Sequence[tuple[datetime, RuleBook]], rule: str) -> Iterator[Entry]:
    starts: list[datetime | None] = [None, *(start for start, _ in books[1:])]
    for start, until, (_, book) in zip(starts, [*starts[1:], None], books, strict=True):
        if rule not in book.entries:
            continue
        periods = book.periods(rule)
        first = periods[0].effective
        if start is not None and first is not None and first > start:
            periods = (replace(periods[0], mode="off", effective=start), *periods)
        ends = [*(one.effective for one in periods[1:]), None]
        for entry, end in zip(periods, ends, strict=True):
            since = _later(entry.effective, start)
            stops = end if until is None or (end is not None and end < until) else until
            if since is None or stops is None or since < stops:
                yield replace(entry, effective=since)


def _later(one: datetime | None, other: datetime | None) -> datetime | None:
    return max((time for time in (one, other) if time is not None), default=None)


def _merged(periods: list[Entry]) -> list[Entry]:
    found: list[Entry] = []
    for entry in periods:
        if found and _acts(found[-1]) == _acts(entry):
            found[-1] = replace(entry, effective=found[-1].effective)
        else:
            found.append(entry)
    return found


def _acts(entry: Entry) -> tuple[object, ...]:
    return entry.mode, entry.quiet, entry.limits


def differences(old: RuleBook, new: RuleBook) -> list[str]:
    """What `new` says otherwise than `old`, one line a key: `rule.limits.failures: 10 -> 12`."""
    return [
        f"{rule}.{key}: {before} -> {after}"
        for rule in new.entries
        for key, before, after in _different(_flat(old, rule), _flat(new, rule))
    ]


def _different(old: dict[str, str], new: dict[str, str]) -> Iterator[tuple[str, str, str]]:
    for key in [*new, *(key for key in old if key not in new)]:
        before, after = old.get(key, "not there"), new.get(key, "not there")
        if before != after:
            yield key, before, after


def _flat(book: RuleBook, rule: str) -> dict[str, str]:
    if rule not in book.entries:
        return {}
    *before, newest = book.periods(rule)
    flat = _keys(newest, "")
    for number, entry in enumerate(before):
        flat |= _keys(entry, f"earlier.{number}.")
    return flat


def _keys(entry: Entry, prefix: str) -> dict[str, str]:
    limits = {f"limits.{name}": value for name, value in told(entry.limits).items()}
    return {f"{prefix}{name}": value for name, value in (_head(entry) | limits).items()}


def _head(entry: Entry) -> dict[str, str]:
    head = {"mode": entry.mode, "owner": entry.owner, "reason": entry.reason}
    head["quiet"] = written(entry.quiet)
    if entry.effective is not None:
        head["effective"] = entry.effective.isoformat()
    return head
