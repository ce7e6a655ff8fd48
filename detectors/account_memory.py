"""What an account is used to: devices, countries and networks it has logged in from (180 days).

A memory is a set of facts, each with the time and identity of a login that made it:

    kind 1 byte (D device, C country, A network, S one of the first successes) · value 8 · at 6 ·
    identity 8

It only grows by facts, in any order: what is known of a value is its earliest and its latest fact,
so late, doubled and reordered logins change nothing. Facts are read *as of* 60 seconds before the
login that asks: the logins of the last minute may still be on their way.
Only successes are remembered; a thief's are among them (known gap: the customer's answer tells).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from .events import AS_OF_MS, DAY_MS

KEPT_MS: Final = 180 * DAY_MS
"""Older history can be dropped without loss (Wiefling et al., TOPS 2022)."""
OLD_MS: Final = 7 * DAY_MS
"""From then on a device speaks for an address (the NAT guard, DETECTIONS.md 5)."""
WARM_SUCCESSES: Final = 3
"""No verdict on the first three logins of an account."""
WARM_AFTER: Final = 1_000
"""No verdict on the first thousand successes of a system."""
_REFRESH_MS: Final = 7 * DAY_MS
"""A value in use is written again once a week, so that it does not count as forgotten."""
FACT_BYTES: Final = 23
REWRITE_BYTES: Final = 4_096
"""A longer memory is rewritten without what it repeats."""
MOST_VALUES: Final = 64
"""Values of a kind that are kept, the latest used: an account of many devices stays small."""

DEVICE, COUNTRY, NETWORK, SUCCESS = b"D", b"C", b"A", b"S"


class Usage(NamedTuple):
    """One value of an account: its first and its latest login, in ms since 1970."""

    first_ms: int
    last_ms: int


@dataclass(slots=True)
class AccountMemory:
    """A memory as read, and what is to be appended to it. `read` is its length as read."""

    blob: bytes
    read: int = 0
    fresh: bytearray = field(default_factory=bytearray)

    @classmethod
    def of(cls, blob: bytes) -> AccountMemory:
        """A memory as a store returned it."""
        return cls(blob, len(blob))

    def usage(self, kind: bytes, value: bytes) -> Usage | None:
        """When a value was used; None: never that is remembered."""
        key = kind + value
        times = _times(self.blob, key)
        if self.fresh:
            times += _times(bytes(self.fresh), key)
        return Usage(min(times), max(times)) if times else None

    def known(self, kind: bytes, value: bytes, now_ms: int) -> bool:
        """Whether the account had used a value a minute before `now_ms`, and within 180 days."""
        used = self.usage(kind, value)
        return (
            used is not None
            and used.first_ms <= now_ms - AS_OF_MS
            and used.last_ms >= now_ms - KEPT_MS
        )

    def is_warm(self, now_ms: int) -> bool:
        """Whether the account had logged in three times a minute before `now_ms`."""
        third = self._third()
        return third is not None and third <= now_ms - AS_OF_MS

    def add(self, kind: bytes, value: bytes, at_ms: int, identity: bytes) -> None:
        """Remember that a login used a value, where that says anything new."""
        used = self.usage(kind, value)
        if used is None or at_ms < used.first_ms or at_ms - used.last_ms >= _REFRESH_MS:
            self._append(kind, value, at_ms, identity)

    def add_success(self, at_ms: int, identity: bytes) -> None:
        """Remember one of the account's first three successes."""
        firsts = self._firsts()
        if (at_ms, identity) in firsts:
            return
        if len(firsts) < WARM_SUCCESSES or (at_ms, identity) < firsts[WARM_SUCCESSES - 1]:
            self._append(SUCCESS, identity, at_ms, identity)

    def _append(self, kind: bytes, value: bytes, at_ms: int, identity: bytes) -> None:
        self.fresh += kind + value + at_ms.to_bytes(6, "big") + identity

    def _firsts(self) -> list[tuple[int, bytes]]:
        whole = self.blob + bytes(self.fresh)
        return sorted({(_at(fact), fact[15:]) for fact in _facts(whole) if fact[:1] == SUCCESS})

    def _third(self) -> int | None:
        firsts = self._firsts()
        return firsts[WARM_SUCCESSES - 1][0] if len(firsts) >= WARM_SUCCESSES else None

    @property
    def is_long(self) -> bool:
        """Whether it is worth rewriting."""
        return len(self.blob) + len(self.fresh) > REWRITE_BYTES


def rewritten(blob: bytes) -> bytes:
    """A memory without what it repeats and without what is older than 180 days at its latest."""
    facts = _facts(blob)
    latest = max(map(_at, facts), default=0)
    first: dict[bytes, bytes] = {}
    last: dict[bytes, bytes] = {}
    for fact in facts:
        key = fact[:9]
        first[key] = min(first.get(key, fact), fact, key=_place)
        last[key] = max(last.get(key, fact), fact, key=_place)
    kept: set[bytes] = set()
    for kind in (DEVICE, COUNTRY, NETWORK):
        keys = [
            key for key, fact in last.items() if key[:1] == kind and _at(fact) >= latest - KEPT_MS
        ]
        keys.sort(key=lambda key: (_place(last[key]), key))
        for key in keys[-MOST_VALUES:]:
            kept |= {first[key], last[key]}
    successes = [fact for key, fact in first.items() if key[:1] == SUCCESS]
    successes.sort(key=_place)
    kept.update(successes[:WARM_SUCCESSES])
    ordered = list(kept)
    ordered.sort(key=_place)
    return b"".join(ordered)


def _facts(blob: bytes) -> Sequence[bytes]:
    return [blob[at : at + FACT_BYTES] for at in range(0, len(blob), FACT_BYTES)]


def _at(fact: bytes) -> int:
    return int.from_bytes(fact[9:15], "big")


def _place(fact: bytes) -> bytes:
    """The order of facts: time, then identity."""
    return fact[9:]


def _times(blob: bytes, key: bytes) -> list[int]:
    """The times of the facts of a value. A search by the C library: most memories hold few."""
    times = []
    at = blob.find(key)
    while at >= 0:
        if at % FACT_BYTES == 0:
            times.append(int.from_bytes(blob[at + 9 : at + 15], "big"))
            at = blob.find(key, at + FACT_BYTES)
        else:  # the bytes stand across facts by chance
            at = blob.find(key, at + 1)
    return times
