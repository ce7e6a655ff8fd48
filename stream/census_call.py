"""The one script call that counts a stretch of a partition."""

from __future__ import annotations

from itertools import chain
from typing import Any, Final

from detectors.census import CROWDS_KEPT_MS, DAYS, MINUTES_KEPT_MS
from detectors.events import DAY_MS
from detectors.rates import Tallies

from . import keys_in_redis as keys
from .redis_calls import Call

_CENSUS_TTL_MS: Final = (DAYS + 5) * DAY_MS


def census_call(
    shard: int, system: str, partition: int, span: tuple[int, int], tallies: Tallies, known: int
) -> Call:
    """Counts of offsets [first, end) as the script takes them; `known`: the fence as last seen."""
    hashes = [
        *((keys.census(shard, system, n), _CENSUS_TTL_MS, c) for n, c in tallies.days.items()),
        *((keys.minutes(shard, system, n), MINUTES_KEPT_MS, c) for n, c in tallies.hours.items()),
        *((keys.crowds(shard, system, n), CROWDS_KEPT_MS, c) for n, c in tallies.crowds.items()),
    ]
    sketches = [
        *((keys.sketch(shard, system, n), MINUTES_KEPT_MS, b) for n, b in tallies.bits.items()),
        *(
            (keys.day_sketch(shard, system, n), _CENSUS_TTL_MS, b)
            for n, b in tallies.day_bits.items()
        ),
    ]
    names: list[str | bytes] = [keys.fences(shard, system)]
    args: list[Any] = [partition, *span, len(hashes), known]
    for name, ttl, counts in hashes:
        names.append(name)
        args += (ttl, len(counts), *chain.from_iterable(counts.items()))
    for name, ttl, bits in sketches:
        names.append(name)
        args += (ttl, len(bits), *bits)
    return "census", names, args
