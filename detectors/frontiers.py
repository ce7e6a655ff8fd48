"""How far partitions are recorded, in event time: what has settled for all of them."""

from __future__ import annotations

from collections.abc import Mapping

from .windows import FOR_EVER_MS


def least_frontier(frontiers: Mapping[int, int], besides: int | None) -> int:
    """How far all partitions have come, or all but one; 0 while nobody has said anything."""
    least = min((at for number, at in frontiers.items() if number != besides), default=None)
    if least is None:
        return 0 if besides is None else FOR_EVER_MS
    return least
