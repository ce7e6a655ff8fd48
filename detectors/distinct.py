"""Names with the time each was first seen: the earliest listed, all of them counted, bounded.

The result depends on what was added, never on the order or on how sums were joined.
"""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import blake2b
from typing import Final

KEPT: Final = 10_000
"""Up to here names are listed and counted exactly; beyond it their number is an estimate, one in a
hundred off (k minimum values, Bar-Yossef et al. 2002), for displays and never for a limit."""

_HASHES: Final = 1 << 64


class Distinct:
    """`add` and `join` only; `at` in milliseconds."""

    __slots__ = ("_hashes", "_times")

    def __init__(self) -> None:
        self._times: dict[str, int] = {}
        self._hashes: set[int] | None = None
        """Of every name ever added, at least the KEPT smallest; None while `_times` has them all"""

    def add(self, name: str, at: int) -> None:
        """`name` was seen at `at`."""
        known = self._times.get(name)
        if known is not None:
            if at < known:
                self._times[name] = at
            return
        self._times[name] = at
        if self._hashes is not None:
            self._hashes.add(_hash(name))
        if len(self._times) > 2 * KEPT:
            self._trim()

    def join(self, other: Distinct) -> None:
        """All that `other` has seen, too."""
        for name, at in other._times.items():
            self.add(name, at)
        if other._hashes is not None:
            self._hashes = (self._hashes or set(map(_hash, self._times))) | other._hashes
            self._trim()

    def listed(self, limit: int = KEPT) -> list[str]:
        """The first so many, by time and name."""
        return [name for name, _ in sorted(self._times.items(), key=_by_time)[:limit]]

    @property
    def count(self) -> int:
        """How many there are."""
        if self._hashes is None and len(self._times) <= KEPT:
            return len(self._times)
        hashes = set(map(_hash, self._times)) if self._hashes is None else self._hashes
        if len(hashes) < KEPT:  # a full set may have been cut to its smallest
            return len(hashes)
        return (KEPT - 1) * _HASHES // sorted(hashes)[KEPT - 1]

    def __contains__(self, name: object) -> bool:
        return name in self._times

    def _trim(self) -> None:
        if self._hashes is None:
            self._hashes = set(map(_hash, self._times))
        if len(self._hashes) > 2 * KEPT:
            self._hashes = set(sorted(self._hashes)[:KEPT])
        if len(self._times) > 2 * KEPT:
            self._times = dict(sorted(self._times.items(), key=_by_time)[:KEPT])


def first_of(names: Iterable[tuple[str, int]]) -> Distinct:
    """What was seen of (name, time)."""
    seen = Distinct()
    for name, at in names:
        seen.add(name, at)
    return seen


def _by_time(seen: tuple[str, int]) -> tuple[int, str]:
    return seen[1], seen[0]


def _hash(name: str) -> int:
    digest = blake2b(name.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "big")
