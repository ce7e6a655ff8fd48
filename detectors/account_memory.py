"""What an account is used to: devices, programs, countries and networks of 180 days.

A memory is a set of facts, each with the time and identity of a login that made it:

    kind 1 byte (D device, C country, A network, P program, S one of the first successes) ·
    value 8 · at 6 · identity 8

It only grows by facts, in any order: of a value counts its earliest login in each week (of the
calendar since 1970), so late, doubled and reordered logins change nothing. Facts are read *as of*
60 seconds before the login that asks: the logins of the last minute may still be on their way.
Only successes are remembered; a thief's are among them (known gap: the customer's answer tells).
"""

from __future__ import annotations

import re
import struct
from bisect import insort
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Final, NamedTuple

from .attempts import short_hash
from .counting import present_ms
from .events import AS_OF_MS, DAY_MS

KEPT_MS: Final = 180 * DAY_MS
"""Older history can be dropped without loss (Wiefling et al., TOPS 2022)."""
DORMANT_MS: Final = KEPT_MS + 7 * DAY_MS
"""From then on an account is dormant: half a year, and the week of which only the first login is
remembered.
"""
FORGOTTEN_MS: Final = 400 * DAY_MS
"""An account that was not used for so long is forgotten, and looks like a new one."""
OLD_MS: Final = 7 * DAY_MS
"""From then on a device speaks for an address (the NAT guard, DETECTIONS.md 5)."""
WARM_SUCCESSES: Final = 3
"""No verdict on the first three logins of an account."""
WARM_AFTER: Final = 1_000
"""No verdict on the first thousand successes of a system."""
PLACES_MS: Final = 90 * DAY_MS
"""So long after an account's first login its places are known: on profile G new devices abroad were
0.3 % of good logins in the second month, 0.07 % in the fourth, 0.04 % after half a year.
"""
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
REWRITE_FACTS: Final = 32
"""So is one of more facts where half of them may go: a memory is read with every login, and half a
year of a customer's weeks took five times as long to read as all else about the login.
"""
MOST_VALUES: Final = 64
"""Values of a kind that are kept, the latest used: an account of many devices stays small."""

DEVICE, COUNTRY, NETWORK, PROGRAM, SUCCESS = b"D", b"C", b"A", b"P", b"S"
_SUCCESS: Final = SUCCESS[0]
_COUNTRY: Final = COUNTRY[0]
_KEY_AND_AT = struct.Struct(">9sQ6x")
"""Key, then the time above 16 bits of the identity, which a success has in its key too."""
_NUMBERS: Final = re.compile(r"[0-9._]+")


FOR_EVER: Final = 1 << 62


class Usage(NamedTuple):
    """One value of an account: its first login and the first of its latest week, ms since 1970."""

    first_ms: int
    last_ms: int


@lru_cache(maxsize=4_096)
def key_of(kind: bytes, value: str | int) -> bytes:
    """Nine bytes under which a value of a kind is remembered."""
    return kind + short_hash(str(value))


@lru_cache(maxsize=4_096)
def place_keys(country: str | None, asn: int | None) -> tuple[bytes, ...]:
    """The keys of a place, as far as it is known; customers share a few places."""
    keys = [] if country is None else [key_of(COUNTRY, country)]
    return (*keys, key_of(NETWORK, asn)) if asn is not None else tuple(keys)


@lru_cache(maxsize=4_096)
def program_key(user_agent: str) -> bytes:
    """The key of a program: its user agent without numbers, for these change with every release."""
    return key_of(PROGRAM, _NUMBERS.sub("", user_agent))


class AccountMemory:
    """A memory as read, and what is to be appended to it. `read` is its length as read."""

    __slots__ = ("_countries", "_successes", "_weeks", "blob", "fresh", "read")

    def __init__(self, blob: bytes) -> None:
        self.blob = blob
        self.read = len(blob)
        self.fresh = bytearray()
        self._weeks: dict[bytes, dict[int, int]] = {}
        self._successes: list[tuple[int, bytes]] = []
        self._countries: list[bytes] = []
        weeks_of = self._weeks
        for key, at_and_more in _KEY_AND_AT.iter_unpack(blob):
            at_ms = at_and_more >> 16
            week = at_ms // WEEK_MS
            weeks = weeks_of.get(key)
            if weeks is not None:
                if at_ms < weeks.get(week, FOR_EVER):
                    weeks[week] = at_ms
            elif key[0] != _SUCCESS:
                weeks_of[key] = {week: at_ms}
                if key[0] == _COUNTRY:
                    self._countries.append(key)
            elif (at_ms, key[1:]) not in self._successes:
                insort(self._successes, (at_ms, key[1:]))

    def usage(self, key: bytes) -> Usage | None:
        """When the value of `key_of` was used; None: never that is remembered."""
        weeks = self._weeks.get(key)
        return Usage(weeks[min(weeks)], weeks[max(weeks)]) if weeks else None

    def known_since(self, key: bytes, now_ms: int) -> int | None:
        """The first use of a value that the account knew a minute before `now_ms`, from the last
        180 days; else None.

        Up to a week more, as of a week only its first login is remembered.
        """
        weeks = self._weeks.get(key)
        if not weeks:
            return None
        oldest, newest = now_ms - KEPT_MS - WEEK_MS, now_ms - AS_OF_MS
        for at in weeks.values():
            if oldest < at <= newest:
                return weeks[min(weeks)]
        return None

    def knows_any(self, kind: bytes, now_ms: int) -> bool:
        """Whether the account knew any value of a kind a minute before `now_ms`."""
        return any(
            key[:1] == kind and self.known_since(key, now_ms) is not None for key in self._weeks
        )

    def was_new_elsewhere(self, country: str | None, now_ms: int) -> bool:
        """Whether another country than this one was used for the first time within the day before
        `now_ms`, as known a minute before it.
        """
        countries = self._countries
        if len(countries) <= 1 or country is None:  # as of nearly every account
            return False
        here = key_of(COUNTRY, country)
        firsts = (min(self._weeks[key].values()) for key in countries if key != here)
        return any(now_ms - DAY_MS < at <= now_ms - AS_OF_MS for at in firsts)

    def is_dormant(self, now_ms: int) -> bool:
        """Whether the account had logged in before, but not for half a year a minute ago."""
        used = [at for weeks in self._weeks.values() for at in weeks.values()]
        used += [at for at, _ in self._successes]
        last = max((at for at in used if at <= now_ms - AS_OF_MS), default=None)
        return last is not None and now_ms - last >= DORMANT_MS

    def is_warm(self, now_ms: int) -> bool:
        """Whether the account had logged in three times a minute before `now_ms`."""
        successes = self._successes
        return (
            len(successes) >= WARM_SUCCESSES
            and successes[WARM_SUCCESSES - 1][0] <= now_ms - AS_OF_MS
        )

    def is_settled(self, now_ms: int) -> bool:
        """Whether the account had logged in so long before `now_ms` that its places are known."""
        return bool(self._successes) and self._successes[0][0] <= now_ms - PLACES_MS

    def add(self, at_ms: int, identity: bytes, keys: Iterable[bytes]) -> None:
        """Remember that a login used these values, where that says anything new."""
        place = at_ms.to_bytes(6, "big") + identity
        week = at_ms // WEEK_MS
        for key in keys:
            weeks = self._weeks.get(key)
            if weeks is None:
                self._weeks[key] = {week: at_ms}
                if key[0] == _COUNTRY:
                    self._countries.append(key)
            elif at_ms < weeks.get(week, FOR_EVER):
                weeks[week] = at_ms
            else:
                continue
            self.fresh += key + place

    def add_success(self, at_ms: int, identity: bytes) -> None:
        """Remember one of the account's first three successes."""
        successes = self._successes
        one = (at_ms, identity)
        early = len(successes) < WARM_SUCCESSES or one < successes[WARM_SUCCESSES - 1]
        if early and one not in successes:
            self.fresh += SUCCESS + identity + at_ms.to_bytes(6, "big") + identity
            insort(successes, one)

    @property
    def is_long(self) -> bool:
        """Whether it is worth rewriting."""
        length = len(self.blob) + len(self.fresh)
        facts = length // FACT_BYTES
        if facts <= REWRITE_FACTS:
            return False
        kept = sum(min(len(weeks), 1 + _LAST_WEEKS) for weeks in self._weeks.values())
        return length > REWRITE_BYTES or facts > 2 * (kept + WARM_SUCCESSES)


def rewritten(blob: bytes) -> bytes:
    """A memory without what it repeats and without what is older than 180 days at its latest."""
    facts = sorted(set(_facts(blob)), key=_place)
    # By the 8th newest: one wrong clock makes nothing forgotten (a week more, as in `known`).
    oldest = present_ms([_at(fact) for fact in facts]) - KEPT_MS - WEEK_MS
    weeks: dict[bytes, dict[int, bytes]] = {}
    for fact in facts:
        weeks.setdefault(fact[:9], {}).setdefault(_at(fact) // WEEK_MS, fact)
    kept: list[bytes] = []
    for kind in (DEVICE, COUNTRY, NETWORK, PROGRAM):
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
