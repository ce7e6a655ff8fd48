"""Where logins of a provider's network, or by one program, are counted, five minutes by five.

A system has a fixed number of slots: an attacker may make up programs as he likes, and what shares
a slot with another by chance is rare. A network's slot is its AS number's rest, so neighbours never
share one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from functools import lru_cache
from typing import Final

from .attempts import short_hash
from .errors import escaped
from .events import DAY_MS, HOUR_MS
from .rates import MINUTE_MS, Tallies

SLICE_MS: Final = 5 * MINUTE_MS
SLICES: Final = HOUR_MS // SLICE_MS
SLOTS: Final = 1_024
ALL_NETWORKS: Final = "N"
ALL_PROGRAMS: Final = "T"
"""The slots of all logins whose network or program is told; a slot's number follows the letter."""
_NAMED: Final = 96
"""Characters of a program's name; a longer one ends in its hash."""


@lru_cache(maxsize=16_384)
def program(fingerprint: str | None, user_agent: str | None) -> str | None:
    """What a client calls itself, printable and bounded; None: nothing is told."""
    if not fingerprint and not user_agent:
        return None
    told = escaped(" ".join(filter(None, (fingerprint, user_agent))), 1_000)
    if len(told) <= _NAMED:
        return told
    whole = short_hash(f"{fingerprint}\0{user_agent}").hex()
    return f"{told[: _NAMED - 17]}~{whole}"


def network_slot(asn: int) -> str:
    """Where a network is counted."""
    return f"{ALL_NETWORKS}{asn % SLOTS:x}"


@lru_cache(maxsize=16_384)
def program_slot(name: str) -> str:
    """Where a program is counted."""
    return f"{ALL_PROGRAMS}{int.from_bytes(short_hash(name)[:4], 'big') % SLOTS:x}"


def slot_of(kind: str, value: str) -> str:
    """Where the subject of an `asn` or `tool` log is counted."""
    return network_slot(int(value)) if kind == "asn" else program_slot(value)


def add_crowd(slot: str, what: str, at: Mapping[int, int], tallies: Tallies) -> None:
    """Count logins, each an `S` or `F`, of a slot: how many in which slice (since 1970)."""
    letter = slot[0]
    for slice_, number in at.items():
        hour, of_hour = divmod(slice_, SLICES)
        counts = tallies.crowds.setdefault(hour, Counter())
        counts[f"{slot}:{of_hour}{what}"] += number
        counts[f"{letter}:{of_hour}{what}"] += number
        day = hour * HOUR_MS // DAY_MS
        tallies.days.setdefault(day, Counter())[f"{slot}{what}"] += number
