"""Which figures of a day the author has to judge: those farthest from their past."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec.structs import replace

from .normal import TOLD_FROM, size
from .record import METRICS, Deviation, Normal, SystemDay

MOST_FIGURES = 8
MOST_SUBJECTS = 6
"""Of figures and of addresses, accounts and networks so many are named: a page to be judged by a
person, not a list to be signed unread.
"""

FAILURES_MORE = 10
"""A subject with fewer failures above its median is a person who forgot a password."""


def deviations(systems: Iterable[SystemDay]) -> list[Deviation]:
    """The largest ones of all systems, D1 the largest; empty where nothing reaches TOLD_FROM."""
    systems = list(systems)
    figures = _largest(
        (
            Deviation(id="", system=one.system, kind=name, subject="", normal=one.normal[name])
            for one in systems
            for name in METRICS
        ),
        MOST_FIGURES,
    )
    subjects = _largest(
        (
            Deviation(id="", system=one.system, kind=top.kind, subject=top.value, normal=top.normal)
            for one in systems
            for top in one.tops
            if top.failures - (top.normal.median or 0) >= FAILURES_MORE
        ),
        MOST_SUBJECTS,
    )
    ordered = sorted([*figures, *subjects], key=_order)
    return [replace(one, id=f"D{number}") for number, one in enumerate(ordered, start=1)]


def _largest(found: Iterable[Deviation], most: int) -> list[Deviation]:
    return sorted((one for one in found if size(one.normal) >= TOLD_FROM), key=_order)[:most]


def _order(one: Deviation) -> tuple[float, str, str, str]:
    return -size(one.normal), one.system, one.kind, one.subject


def is_cold(normals: Iterable[Normal]) -> bool:
    """Whether there is too little past to say anything."""
    return all(one.score is None for one in normals)
