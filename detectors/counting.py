"""Sliding windows over a subject's log, each a pure function of the set of attempts.

A window of `span` ms at the instant t holds the attempts in (t - span, t]: what has just become `span` old
has left it. An instant is *hot* when its window meets the limit; adding attempts never cools an instant,
so the set of hot instants only grows, whatever the order of arrival.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple


class Hot(NamedTuple):
    """The attempts first..last (indices into the log) fill a window that meets its limit at `last`."""

    first: int
    last: int


class Swept(NamedTuple):
    """All hot instants of one window, and how many attempts the fullest window still lacked (0 if hot)."""

    hot: list[Hot]
    lacking: int


def instants(at: Sequence[int]) -> Iterator[int]:
    """The last index of each instant: attempts of one millisecond are seen together."""
    last = len(at) - 1
    for index, time in enumerate(at):
        if index == last or at[index + 1] != time:
            yield index


def sliding(at: Sequence[int], first: int, span: int, now: int) -> int:
    """The first index, at or after `first`, that is still inside (now - span, now]."""
    floor = now - span
    while at[first] <= floor:
        first += 1
    return first


def event_count(at: Sequence[int], limit: int, span: int) -> Swept:
    """Instants with at least `limit` attempts in the window."""
    hot: list[Hot] = []
    first = fullest = 0
    for index in instants(at):
        first = sliding(at, first, span, at[index])
        count = index - first + 1
        fullest = max(fullest, count)
        if count >= limit:
            hot.append(Hot(first, index))
    return Swept(hot, max(0, limit - fullest))


def value_count(
    at: Sequence[int],
    values: Sequence[bytes | None],
    *,
    limit: int,
    span: int,
    restart: int | None = None,
    tries: int = 0,
    tries_a_value: int = 0,
) -> Swept:
    """Instants with at least `limit` distinct values (None counts for nothing) in the window.

    `restart`: the window also ends at any pause longer than this many ms, and so restarts with each
    attempt (Rauthy's window). `tries`: the window must also hold that many attempts when each value
    contributes at most `tries_a_value`, the shape of stuffing: many accounts, each tried once or twice.
    """
    counts: dict[bytes, int] = {}
    hot: list[Hot] = []
    first = added = capped = 0
    lacking = max(limit, tries)
    for index in instants(at):
        floor = sliding(at, first, span, at[index])
        while added <= index:
            if restart is not None and added and at[added] - at[added - 1] > restart:
                floor = max(floor, added)
            value = values[added]
            if value is not None:
                had = counts.get(value, 0)
                counts[value] = had + 1
                capped += had < tries_a_value
            added += 1
        for left in range(first, floor):
            value = values[left]
            if value is not None:
                counts[value] -= 1
                capped -= counts[value] < tries_a_value
                if not counts[value]:
                    del counts[value]
        first = floor
        lacking = min(lacking, max(limit - len(counts), tries - capped))
        if len(counts) >= limit and capped >= tries:
            hot.append(Hot(first, index))
    if restart is not None:
        # A late attempt can join two series across a pause: without the pause it can only add itself.
        lacking = value_count(at, values, limit=limit, span=span, tries=tries, tries_a_value=tries_a_value).lacking
    return Swept(hot, max(0, lacking))
