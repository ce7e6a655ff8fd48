"""What an account is used to: devices, countries and networks it has logged in from (180 days).

A memory is a set of facts, each with the time and identity of a login that made it:

    kind 1 byte (D device, C country, A network, S one of the first successes) · value 8 · at 6 ·
    identity 8

It only grows by facts, in any order: of a value counts its earliest login in each week (of the
calendar since 1970), so late, doubled and reordered logins change nothing. Facts are read *as of*
60 seconds before the login that asks: the logins of the last minute may still be on their way.
Only successes are remembered; a thief's are among them (known gap: the customer's answer tells).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from .counting import present_ms
from .events import AS_OF_MS, DAY_MS

KEPT_MS: Final = 180 * DAY_MS
"""Older history can be dropped without loss (Wiefling et al., TOPS 2022)."""
OLD_MS: Final = 7 * DAY_MS
"""From then on a device speaks for an address (the NAT guard, DETECTIONS.md 5)."""
WARM_SUCCESSES: Final = 3
"""No verdict on the first three logins of an account."""
WARM_AFTER: Final = 1_000
"""No verdict on the first thousand successes of a system."""
WEEK_MS: Final = 7 * DAY_MS
"""A value in use is written again once a week, so that it does not count as forgotten."""
_LAST_WEEKS: Final = 3
"""So many weeks of a value a rewritten memory keeps beside its first: of the last two the logins
may lie within the minute that is not read yet.
"""
FACT_BYTES: Final = 23
REWRITE_BYTES: Final = 24_576
"""A longer memory is rewritten without what it repeats; more than MOST_VALUES can take, or it
would be rewritten at every login.
"""
MOST_VALUES: Final = 64
"""Values of a kind that are kept, the latest used: an account of many devices stays small."""

DEVICE, COUNTRY, NETWORK, SUCCESS = b"D", b"C", b"A", b"S"


class Usage(NamedTuple):
    """One value of an account: its first login and the first of its latest week, ms since 1970."""

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
        weeks = self._weeks(kind, value)
        return Usage(weeks[min(weeks)], weeks[max(weeks)]) if weeks else None

    def known(self, kind: bytes, value: bytes, now_ms: int) -> bool:
        """Whether the account had used a value a minute before `now_ms`, in the last 180 days.

        Up to a week more, as of a week only its first login is remembered.
        """
        oldest, newest = now_ms - KEPT_MS - WEEK_MS, now_ms - AS_OF_MS
        return any(oldest < at <= newest for at in self._weeks(kind, value).values())

    def _weeks(self, kind: bytes, value: bytes) -> dict[int, int]:
        """The first login of each week in which a value was used."""
        key = kind + value
        times = _times(self.blob, key)
        if self.fresh:
            times += _times(bytes(self.fresh), key)
        weeks: dict[int, int] = {}
        for at in times:
            week = at // WEEK_MS
            weeks[week] = min(weeks.get(week, at), at)
        return weeks

    def is_warm(self, now_ms: int) -> bool:
        """Whether the account had logged in three times a minute before `now_ms`."""
        third = self._third()
        return third is not None and third <= now_ms - AS_OF_MS

    def add(self, kind: bytes, value: bytes, at_ms: int, identity: bytes) -> None:
        """Remember that a login used a value, where that says anything new."""
        first = self._weeks(kind, value).get(at_ms // WEEK_MS)
        if first is None or at_ms < first:
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
    facts = sorted(set(_facts(blob)), key=_place)
    # By the 8th newest: one wrong clock makes nothing forgotten (a week more, as in `known`).
    oldest = present_ms([_at(fact) for fact in facts]) - KEPT_MS - WEEK_MS
    weeks: dict[bytes, dict[int, bytes]] = {}
    for fact in facts:
        weeks.setdefault(fact[:9], {}).setdefault(_at(fact) // WEEK_MS, fact)
    kept: list[bytes] = []
    for kind in (DEVICE, COUNTRY, NETWORK):
        used = [[*of.values()] for key, of in weeks.items() if key[:1] == kind]
        used = [firsts for firsts in used if _at(firsts[-1]) >= oldest]
        used.sort(key=lambda firsts: (_place(firsts[-1]), firsts[-1]))
        for firsts in used[-MOST_VALUES:]:
            kept += firsts[:1] + firsts[1:][-_LAST_WEEKS:]
    kept += [fact for fact in facts if fact[:1] == SUCCESS][:WARM_SUCCESSES]
    kept.sort(key=lambda fact: (_place(fact), fact))
    return b"".join(kept)


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
