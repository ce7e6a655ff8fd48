"""Which alerts of one system belong together.

Two do where they share an address, a network (/24, /48) or an account, no more than REACH apart;
grave ones also where they follow each other without a pause: a botnet's addresses share nothing
else. An attack on everybody takes in whatever opens while it is on.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Final

from ..events import HOUR_MS
from .members import Member

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
    links = Growing()
    for member in ordered:
        links.add(member)
    places = {member.id: number for number, member in enumerate(ordered)}
    for names in anchored:
        links.join(places[name] for name in names if name in places)
    groups: dict[int, list[Member]] = {}
    for number, member in enumerate(ordered):
        groups.setdefault(links.leader(number), []).append(member)
    return list(groups.values())


class Growing:
    """Groups of alerts that are added in the order of opening, numbered from 0; the smallest number
    leads a group.
    """

    def __init__(self) -> None:
        self._leaders: list[int] = []
        self._opened: list[int] = []
        # What was shared last, by whom, and the latest end of all who share it without a pause.
        self._runs: dict[tuple[str, str], tuple[int, int]] = {}
        # The end of the last attack on everybody, and one of its alerts.
        self._attack: tuple[int, int] | None = None

    def leader(self, number: int) -> int:
        """Who leads its group now."""
        leaders = self._leaders
        while leaders[number] != number:
            leaders[number] = leaders[leaders[number]]
            number = leaders[number]
        return number

    def join(self, numbers: Iterable[int]) -> list[int]:
        """Make one group of all of theirs; who led them, the new leader first."""
        leaders = sorted({self.leader(number) for number in numbers})
        for leader in leaders[1:]:
            self._leaders[leader] = leaders[0]
        return leaders

    def add(self, member: Member) -> list[int]:
        """The next alert; who led the groups that it joins, the new leader first (itself, if it
        joins none).
        """
        number = len(self._leaders)
        self._leaders.append(number)
        self._opened.append(member.opened)
        return self.join([number, *self._sharing(member, number), *self._attacked(member, number)])

    def _sharing(self, member: Member, number: int) -> Iterator[int]:
        """In the order of opening, the latest end of a run tells whether the next one joins it."""
        keys = dict.fromkeys(member.shared(), REACH_MS)
        if member.grave:
            keys[_GRAVE] = PAUSE_MS
        for key, reach in keys.items():
            run = self._runs.get(key)
            end = member.updated
            if run is not None and member.opened - run[1] <= reach:
                yield run[0]
                end = max(end, run[1])
            self._runs[key] = (number, end)

    def _attacked(self, member: Member, number: int) -> Iterator[int]:
        """Whom an attack on everybody joins: what is on, and what opened just before."""
        attack = self._attack
        if attack is not None and member.opened <= attack[0]:
            yield attack[1]
        if member.role != "everybody":
            return
        start, end = member.opened - PAUSE_MS, member.updated + PAUSE_MS
        if attack is not None and start <= attack[0]:
            yield attack[1]
            end = max(end, attack[0])
        self._attack = (end, number)
        yield from range(bisect_left(self._opened, start), number)
