"""Which alerts of one system belong together.

Two do where they share an address, a network (/24, /48) or an account, no more than REACH apart;
grave ones also where they follow each other without a pause: a botnet's addresses share nothing
else. An attack on everybody takes in whatever opens while it is on.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Collection, Iterable, Sequence
from typing import Final

from .events import HOUR_MS
from .incident_members import Member

REACH_MS: Final = 24 * HOUR_MS
"""How long an address stays bad (DETECTIONS.md 5, row 8): with nothing new for so long an incident
is closed, and nothing joins it any more."""
PAUSE_MS: Final = HOUR_MS // 2

_GRAVE: Final = ("", "grave")


def together(
    members: Iterable[Member], anchored: Sequence[Collection[str]] = ()
) -> list[list[Member]]:
    """Groups of members, each in the order of time. Those of one `anchored` set belong together."""
    ordered = sorted(members, key=lambda member: (member.opened, member.id))
    links = _Links(len(ordered))
    _by_key(ordered, links)
    _under_attack(ordered, links)
    places = {member.id: number for number, member in enumerate(ordered)}
    for names in anchored:
        links.all(places[name] for name in names if name in places)
    groups: dict[int, list[Member]] = {}
    for number, member in enumerate(ordered):
        groups.setdefault(links.leader(number), []).append(member)
    return list(groups.values())


def _by_key(ordered: Sequence[Member], links: _Links) -> None:
    """In the order of opening, the latest end of a run tells whether the next one joins it."""
    runs: dict[tuple[str, str], tuple[int, int]] = {}
    for number, member in enumerate(ordered):
        keys = dict.fromkeys(member.shared(), REACH_MS)
        if member.grave:
            keys[_GRAVE] = PAUSE_MS
        for key, reach in keys.items():
            run = runs.get(key)
            end = member.updated
            if run is not None and member.opened - run[1] <= reach:
                links.join(run[0], number)
                end = max(end, run[1])
            runs[key] = (number, end)


def _under_attack(ordered: Sequence[Member], links: _Links) -> None:
    starts: list[int] = []
    spans: list[tuple[int, int]] = []
    """The end of each span, and one of its alerts."""
    for number, member in enumerate(ordered):
        if member.role != "everybody":
            continue
        start, end = member.opened - PAUSE_MS, member.updated + PAUSE_MS
        if spans and start <= spans[-1][0]:
            links.join(spans[-1][1], number)
            spans[-1] = (max(spans[-1][0], end), number)
        else:
            starts.append(start)
            spans.append((end, number))
    for number, member in enumerate(ordered):
        at = bisect_right(starts, member.opened) - 1
        if at >= 0 and member.opened <= spans[at][0]:
            links.join(spans[at][1], number)


class _Links:
    """Union of sets of numbers; the smallest leads."""

    def __init__(self, size: int) -> None:
        self._leaders = list(range(size))

    def leader(self, number: int) -> int:
        leaders = self._leaders
        while leaders[number] != number:
            leaders[number] = leaders[leaders[number]]
            number = leaders[number]
        return number

    def join(self, one: int, other: int) -> None:
        first, second = self.leader(one), self.leader(other)
        self._leaders[max(first, second)] = min(first, second)

    def all(self, numbers: Iterable[int]) -> None:
        first: int | None = None
        for number in numbers:
            first = number if first is None else first
            self.join(first, number)
