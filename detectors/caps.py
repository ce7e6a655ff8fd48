"""What a log tells apart of a flood: the same of it in every order of arrival."""

from __future__ import annotations

from itertools import groupby
from operator import itemgetter
from typing import Final

from .events import HOUR_MS

_IDENTITY: Final = itemgetter(slice(6, 14))


def at_ms(entry: bytes) -> int:
    """The event time of an entry, milliseconds since 1970."""
    return int.from_bytes(entry[:6], "big")


def cap(entries: list[bytes], most: int) -> tuple[list[bytes], set[int]]:
    """The first `most` sorted entries of each hour, and the hours that had more."""
    if len(entries) <= most:
        return entries, set()
    kept: list[bytes] = []
    full: set[int] = set()
    hour, count = -1, 0
    for entry in entries:
        of = at_ms(entry) // HOUR_MS
        if of != hour:
            hour, count = of, 0
        count += 1
        if count <= most:
            kept.append(entry)
        else:
            full.add(of)
    return kept, full


def sampled(entries: list[bytes], most: int, span_ms: int) -> tuple[list[bytes], set[int]]:
    """Of each `span_ms` (a part of an hour) those `most` whose keyed identities are the smallest:
    chance chose them, and the same are chosen in every order of arrival.
    """
    kept: list[bytes] = []
    full: set[int] = set()
    for span, group in groupby(entries, key=lambda entry: at_ms(entry) // span_ms):
        of_span = list(group)
        if len(of_span) > most:
            full.add(span * span_ms // HOUR_MS)
            of_span = sorted(sorted(of_span, key=_IDENTITY)[:most])
        kept += of_span
    return kept, full
