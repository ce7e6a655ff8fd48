"""Names that are no customer's and yet are tried from many addresses: lists that are passed around.

A name is *listed* once it was tried from three addresses within a week (Singh et al., NSDI 2024:
names that several attackers share and customers never use tell an attacker at the first try). Kept
is, of a name and day (UTC), the earliest try of each of its first three addresses: what is kept of
two halves of the events is what is kept of all, so late, doubled and reordered tries change
nothing. (On the day with which the week begins, addresses behind the third are not seen.) Read is
as of 60 seconds before the try that asks.

Names share 65,536 slots, which lie among the memories of accounts (same calls, same expiry):

    name 8 bytes (keyed hash, with its system) · at 6 · address 6

An attacker chooses how many names there are. So a slot that grows too long forgets names that were
tried from one address only, the longest unused first: of a flood of made-up names some that would
have been listed are missed, in which order they came decides, and memory stays under 150 MB.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from hashlib import blake2b
from typing import Final, NamedTuple

from .attempts import MAPPED, packed_address
from .counting import present_ms
from .events import AS_OF_MS, DAY_MS

SOURCES: Final = 3
"""From so many addresses a name was tried that is listed (DETECTIONS.md 5, row 5)."""
LISTED_MS: Final = 7 * DAY_MS
FACT_BYTES: Final = 20
LONGEST: Final = 100
"""Facts of a slot beyond which it is rewritten ..."""
SHORTENED: Final = 75
"""... to so many at most: not at every try."""
_NAME_BYTES: Final = 8
_AT_BYTES: Final = 6


class Place(NamedTuple):
    """Where a name stands: the owner of its slot among the memories, and its hash in there."""

    slot: bytes
    name: bytes


@lru_cache(maxsize=65_536)
def place_of(system: str, account: bytes) -> Place:
    """The place of a name (the pseudonym of an account, keyed) of a system."""
    text = system.encode("utf-8", "surrogatepass") + b"\0" + account
    digest = blake2b(text, digest_size=2 + _NAME_BYTES).digest()
    return Place(digest[:2] + b"names", digest[2:])


@lru_cache(maxsize=65_536)
def source_of(address: str) -> bytes:
    """Six bytes that tell addresses apart as rules count them: IPv4, or the /64 of IPv6."""
    packed = packed_address(address)
    if packed.startswith(MAPPED):
        return b"\0\0" + packed[12:]
    return blake2b(packed[:8], digest_size=6).digest()


class Slot:
    """A slot as read, and what is to be appended to it. `read` is its length as read."""

    __slots__ = ("blob", "fresh", "read")

    def __init__(self, blob: bytes) -> None:
        self.blob = blob
        self.read = len(blob)
        self.fresh = bytearray()

    def add(self, name: bytes, at_ms: int, source: bytes) -> None:
        """Remember a try of a name, where that says anything new."""
        one = at_ms.to_bytes(_AT_BYTES, "big") + source
        known = self._tries(name)
        if not known or (one not in known and one in firsts([*known, one])):
            self.fresh += name + one

    def lists(self, name: bytes, now_ms: int) -> bool:
        """Whether a name was listed a minute before `now_ms`."""
        known = self._tries(name)
        if len(known) < SOURCES:  # as of nearly every name
            return False
        since, until = now_ms - LISTED_MS, now_ms - AS_OF_MS
        sources = {one[_AT_BYTES:] for one in firsts(known) if since < _at(one) <= until}
        return len(sources) >= SOURCES

    def _tries(self, name: bytes) -> list[bytes]:
        found: list[bytes] = []
        for facts in (self.blob, self.fresh):
            at = facts.find(name)
            while at >= 0:
                if at % FACT_BYTES == 0:
                    found.append(bytes(facts[at + _NAME_BYTES : at + FACT_BYTES]))
                at = facts.find(name, at + 1)
        return found

    @property
    def is_long(self) -> bool:
        """Whether it is to be rewritten."""
        return len(self.blob) + len(self.fresh) > LONGEST * FACT_BYTES


def firsts(tries: Iterable[bytes]) -> list[bytes]:
    """Of each day the earliest try of each of its first three addresses, in the order of time."""
    days: dict[int, dict[bytes, bytes]] = {}
    for one in sorted(tries):
        of_day = days.setdefault(_at(one) // DAY_MS, {})
        if len(of_day) < SOURCES:
            of_day.setdefault(one[_AT_BYTES:], one)
    return [one for of_day in days.values() for one in of_day.values()]


def rewritten(blob: bytes) -> bytes:
    """A slot without what it repeats, what is too old to list a name, and what is beyond its bound:
    names of one address go before names of several, and of both the longest unused.
    """
    facts = [blob[at : at + FACT_BYTES] for at in range(0, len(blob), FACT_BYTES)]
    tries: dict[bytes, set[bytes]] = {}
    for fact in facts:
        tries.setdefault(fact[:_NAME_BYTES], set()).add(fact[_NAME_BYTES:])
    # By the 8th newest: one wrong clock makes nothing forgotten. A day more: tries come late.
    present = present_ms(sorted(_at(one) for known in tries.values() for one in known))
    oldest = present - LISTED_MS - DAY_MS
    names = {
        name: kept
        for name, known in tries.items()
        if (kept := [one for one in firsts(known) if _at(one) > oldest])
    }
    ordered = sorted(names.items(), key=_worth, reverse=True)
    left: list[bytes] = [name + one for name, kept in ordered for one in kept]
    return b"".join(left[:SHORTENED])


def _worth(named: tuple[bytes, list[bytes]]) -> tuple[bool, bytes, bytes]:
    name, kept = named
    return len({one[_AT_BYTES:] for one in kept}) > 1, kept[-1], name


def _at(one: bytes) -> int:
    return int.from_bytes(one[:_AT_BYTES], "big")


class Names:
    """The slots that a batch touches, with the batch in them."""

    def __init__(self, slots: Mapping[bytes, Slot] | None = None) -> None:
        self._slots = slots or {}

    def lists(self, place: Place, now_ms: int) -> bool:
        """Whether a name that was tried in the batch was listed a minute before `now_ms`."""
        slot = self._slots.get(place.slot)
        return slot is not None and slot.lists(place.name, now_ms)

    def additions(self) -> dict[bytes, bytes]:
        """What each slot gains by this batch."""
        return {owner: bytes(slot.fresh) for owner, slot in self._slots.items() if slot.fresh}

    def too_long(self) -> dict[bytes, tuple[bytes, int]]:
        """Slots worth rewriting: their new content in place of what was read."""
        return {
            owner: (rewritten(slot.blob), slot.read)
            for owner, slot in self._slots.items()
            if slot.is_long
        }
