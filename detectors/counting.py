"""Sliding windows over a subject's log, each a pure function of the set of attempts.

A window of `span` ms at the instant t holds the attempts in (t - span, t]: what has just become
`span` old
has left it. An instant is *hot* when its window meets the limit; adding attempts never cools an
instant,
so the set of hot instants only grows, whatever the order of arrival. Attempts of one millisecond
are
seen together, at the last of them.

An instant depends on nothing later than itself. So with `since`, an index, only the instants from
that attempt on are looked at, each as in the whole: for logs of which the rest was seen before.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Sequence
from typing import Final, NamedTuple

STRAYS: Final = 8
"""Fewer attempts than this, dated ahead of all others, do not move a log's present."""


class Hot(NamedTuple):
    """The attempts first..last (indices into the log) fill a window that meets its limit at
    `last`.
    """

    first: int
    last: int


class Swept(NamedTuple):
    """All hot instants of one window; where there is none, how many attempts at least are lacking.

    `lacking` is a lower bound: with fewer attempts more, wherever they fall in time, no instant
    gets
    hot. A store need not look at a log before (tests/detectors/test_counting.py).
    """

    hot: list[Hot]
    lacking: int


def event_count(at: Sequence[int], limit: int, span: int, since: int = 0) -> Swept:
    """Instants with at least `limit` attempts in the window."""
    total = len(at)
    if total < limit:
        return Swept([], limit - total)
    hot: list[Hot] = []
    first, end = begin(at, since, span), total - 1
    for last in range(max(limit - 1, since), total):
        now = at[last]
        if now - at[last - limit + 1] >= span or (last < end and at[last + 1] == now):
            continue
        while at[first] <= now - span:
            first += 1
        hot.append(Hot(first, last))
    return Swept(hot, 0 if hot else limit - _fullest(at, span, since))


def begin(at: Sequence[int], last: int, span: int) -> int:
    """The first attempt in the window at attempt `last`."""
    return bisect_right(at, at[last] - span, 0, last) if last < len(at) else len(at)


def each_at(at: Sequence[int], limit: int, span: int) -> list[Hot]:
    """Every attempt that ends a series of `limit` within `span`.

    For detections to which each single login matters (their limit is 1): unlike in `event_count` a
    window holds no more than its limit, and attempts of one millisecond stay apart.
    """
    return [
        Hot(last - limit + 1, last)
        for last in range(limit - 1, len(at))
        if at[last] - at[last - limit + 1] < span
    ]


def _fullest(at: Sequence[int], span: int, since: int) -> int:
    """The most attempts in any window."""
    first, fullest = begin(at, since, span), 0
    for last in range(since, len(at)):
        now = at[last]
        while at[first] <= now - span:
            first += 1
        fullest = max(fullest, last - first + 1)
    return fullest


def value_count(
    at: Sequence[int],
    values: Sequence[bytes | None],
    *,
    limit: int,
    span: int,
    restart: int | None = None,
    tries: int = 0,
    tries_a_value: int = 0,
    since: int = 0,
) -> Swept:
    """Instants with at least `limit` distinct values (None counts for nothing) in the window.

    `restart`: the window also ends at any pause longer than this many ms, and so restarts with each
    attempt (Rauthy's window). `tries`: the window must also hold that many attempts when each value
    contributes at most `tries_a_value`, the shape of stuffing: many accounts, each tried once or
    twice.
    """
    total = len(at)
    needed = max(limit, tries)
    if total < needed:
        return Swept([], needed - total)
    hot: list[Hot] = []
    first = _series(at, begin(at, since, span), since, restart)
    counts: dict[bytes | None, int] = Counter(values[first:since])
    counts.pop(None, None)
    capped = sum(min(had, tries_a_value) for had in counts.values())
    lacking, end, previous = needed, total - 1, at[max(since - 1, 0)]
    for last in range(since, total):
        now = at[last]
        floor = last if restart is not None and now - previous > restart else first
        previous = now
        while at[floor] <= now - span:
            floor += 1
        value = values[last]
        if value is not None:
            had = counts.get(value, 0)
            counts[value] = had + 1
            capped += had < tries_a_value
        if first < floor:
            capped -= _leave(values[first:floor], counts, tries_a_value)
            first = floor
        short = max(limit - len(counts), tries - capped)
        if short > 0:
            lacking = min(lacking, short)
        elif last == end or at[last + 1] != now:
            hot.append(Hot(first, last))
    if hot:
        return Swept(hot, 0)
    if restart is not None:
        # A late attempt can join two series across a pause, and so add more than itself.
        plain = value_count(at, values, limit=limit, span=span, since=since)
        return Swept(hot, plain.lacking or 1)
    return Swept(hot, lacking)


def _series(at: Sequence[int], first: int, since: int, restart: int | None) -> int:
    """Where the window begins that attempt `since` is about to join: behind the latest pause."""
    if restart is None:
        return first
    for last in range(since - 1, first, -1):
        if at[last] - at[last - 1] > restart:
            return last
    return first


def _leave(
    values: Sequence[bytes | None], counts: dict[bytes | None, int], tries_a_value: int
) -> int:
    """Take values out of `counts`; how many tries, capped a value, the window loses with them."""
    lost = 0
    for value in values:
        if value is None:
            continue
        left = counts[value] - 1
        lost += left < tries_a_value
        if left:
            counts[value] = left
        else:
            del counts[value]
    return lost


def present_ms(at: Sequence[int]) -> int:
    """How late it is in a log, by its STRAYS-th newest attempt; the oldest, where there are fewer.

    One event from the future must not age what is remembered of an address (RELIABILITY.md 3).
    """
    if not at:
        return 0
    return at[-STRAYS] if len(at) >= STRAYS else at[0]
