"""Durations as people write them in a file: a whole number and a unit, `250ms 60s 5m 24h 7d`."""

from __future__ import annotations

import re
from datetime import timedelta

_UNITS = {
    "ms": timedelta(milliseconds=1),
    "s": timedelta(seconds=1),
    "m": timedelta(minutes=1),
    "h": timedelta(hours=1),
    "d": timedelta(days=1),
}
_DURATION = re.compile(r"([0-9]{1,12})(ms|s|m|h|d)")


def parse_duration(text: str) -> timedelta:
    """`text` as a span. Raises ValueError, with a way out, where it is none."""
    match = _DURATION.fullmatch(text)
    if match is None:
        raise ValueError("is not a duration; write a whole number and ms, s, m, h or d: 300s or 5m")
    try:
        return int(match[1]) * _UNITS[match[2]]
    except OverflowError:
        raise ValueError("is longer than any calendar; write a smaller number") from None


def written(span: timedelta) -> str:
    """`span` in the largest unit that leaves a whole number (milliseconds are the smallest)."""
    for unit, size in reversed(_UNITS.items()):
        if span and span % size == timedelta():
            return f"{span // size}{unit}"
    return f"{span // _UNITS['ms']}ms"
