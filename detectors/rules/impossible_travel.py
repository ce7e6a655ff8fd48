"""One account is logged in to in two countries, sooner than an aeroplane flies: two people use it.

One of the two countries is new to the account and the device there is none of its own, so a
customer who takes his telephone along, or hides it behind a tunnel, is never named. Of countries
the least distance between their big towns counts (detectors/countries): the home market is smaller
than the shortest journey that an address could tell, and towns are told wrongly by hundreds of km.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import NamedTuple

from ..attempts import (
    HIDDEN,
    KNOWN_DEVICE,
    NEW_COUNTRY,
    NEW_DEVICE,
    SUCCESS,
    UNFAMILIAR,
    flags_of,
    place_bytes,
)
from ..counting import Hot
from ..countries import apart_km
from ..deeds import device_of
from ..events import DAY_MS, HOUR_MS
from ..rule import NEVER, Clause, Rule, Sighting
from ..verdicts import NoticeRisk
from ..windows import SubjectLog


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Elastic and Panther: 500 km and more, at over 900 km an hour, as an aeroplane flies."""

    apart_km: int = 500
    speed_kmh: int = 900


class _Where(NamedTuple):
    """Of a success: its country and device as they stand; whether the place is new to the account,
    on no device of its own; whether device or program are strangers' too.
    """

    country: str
    device: bytes
    abroad: bool
    stranger: bool


def judge(log: SubjectLog, limits: Limits) -> list[Sighting]:
    """Successes that follow one from another country too soon."""
    alone = Clause(
        part="",
        order="as_of",
        severity="low",
        window=timedelta(days=1),
        threshold=limits.apart_km,
        says="{subject} logged in from two countries that are at least {threshold} km apart, "
        "sooner than an aeroplane flies: {successes} logins within {window}",
        tells="all",
    )
    graver = replace(alone, severity="medium")
    hot: list[Hot] = []
    strange: list[Hot] = []
    before: dict[_Where, tuple[list[int], list[int]]] = {}
    for index, entry in enumerate(log.entries):
        here = _where(entry)
        if here is None:
            continue
        now = log.at[index]
        # Those of one place in the order of time: the first within reach, so that evidence only
        # grows by what comes late.
        seen = [
            (numbers[first], there)
            for there, (at, numbers) in before.items()
            if (first := bisect_right(at, now - _reach_ms(here, there, limits))) < len(at)
        ]
        if seen:
            hot.append(Hot(min(number for number, _ in seen), index))
            stranger = [n for n, there in seen if here.stranger or there.stranger]
            if stranger:
                strange.append(Hot(min(stranger), index))
        at, numbers = before.setdefault(here, ([], []))
        at.append(now)
        numbers.append(index)
    return [
        Sighting(graver, strange, 0 if strange else NEVER),
        Sighting(alone, hot, 0 if hot else NEVER),
    ]


def _where(entry: bytes) -> _Where | None:
    """Where a success came from; None for anything else, and where nobody can tell."""
    flags = flags_of(entry)
    if not flags & SUCCESS or flags & HIDDEN:
        return None
    country = place_bytes(entry)[1]
    if not any(country):
        return None
    abroad = bool(flags & NEW_COUNTRY and not flags & KNOWN_DEVICE)
    stranger = abroad and bool(flags & (NEW_DEVICE | UNFAMILIAR))
    return _Where(country.decode(), device_of(entry), abroad, stranger)


def _reach_ms(one: _Where, other: _Where, limits: Limits) -> int:
    """Within how long one login must follow the other to be impossible; 0: it never is."""
    if not (one.abroad or other.abroad):
        return 0
    if one.device == other.device and any(one.device):
        return 0  # one telephone, by two roads
    distance = apart_km(one.country, other.country)
    return min(DAY_MS, distance * HOUR_MS // limits.speed_kmh) if distance >= limits.apart_km else 0


def notice(entry: bytes) -> NoticeRisk:
    """Of the login in the new country, where its device is unseen, the customer is told at once."""
    flags = flags_of(entry)
    wanted = SUCCESS | NEW_COUNTRY | NEW_DEVICE
    return "high" if flags & wanted == wanted and not flags & HIDDEN else "none"


RULE = Rule(
    id="impossible_travel",
    version=1,
    title="Logins in two countries at once",
    watches=("account",),
    checklist_item="16",
    attack_ids=("T1078", "OAT-008"),
    known_gaps=(
        "Ordinary logins are not kept: the alert comes with the next login at home, not before.",
        "Between neighbours whose big towns lie near each other nobody can travel too fast.",
        "A thief in a country that the account knows, or behind a tunnel that ends in one.",
        "Aliases of one customer are accounts of their own here.",
    ),
    limits=Limits,
    judge=judge,
    flags=False,
    role="news",
    notice=notice,
)
