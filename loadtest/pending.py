"""Attempts that are known but not due yet: retries, bouts, what a session does later."""

from __future__ import annotations

from collections.abc import Iterable
from heapq import heappop, heappush
from itertools import count

from .attempts import Attempt


class Pending:
    """A heap by time; of equal times, first come first served."""

    def __init__(self) -> None:
        self._heap: list[tuple[int, int, Attempt]] = []
        self._order = count()

    def add(self, attempts: Iterable[Attempt]) -> None:
        """Keep attempts until they are due."""
        for attempt in attempts:
            heappush(self._heap, (attempt.at_ms, next(self._order), attempt))

    def due(self, end_ms: int) -> list[Attempt]:
        """Take out all before `end_ms`, by time."""
        found = []
        while self._heap and self._heap[0][0] < end_ms:
            found.append(heappop(self._heap)[2])
        return found
