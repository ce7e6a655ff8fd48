"""Which offsets stand in the records of `judged`."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from .scene import Place


class Coverage:
    """Half-open stretches of offsets by partition, in any order and overlapping."""

    def __init__(self) -> None:
        self._stretches: dict[int, list[tuple[int, int]]] = defaultdict(list)

    def add(self, partition: int, first: int, end: int) -> None:
        """[first, end) of a partition was judged."""
        self._stretches[partition].append((first, end))

    def missing(self, places: Iterable[Place]) -> int:
        """How many of these lie in no stretch."""
        wanted: dict[int, list[int]] = defaultdict(list)
        for partition, offset in places:
            wanted[partition].append(offset)
        return sum(
            _outside(sorted(offsets), sorted(self._stretches[partition]))
            for partition, offsets in wanted.items()
        )


def _outside(offsets: list[int], stretches: list[tuple[int, int]]) -> int:
    missing, at, end = 0, 0, -1
    for offset in offsets:
        while at < len(stretches) and stretches[at][0] <= offset:
            end = max(end, stretches[at][1])
            at += 1
        missing += offset >= end
    return missing
