"""Alerts folded into groups, one after another: in any order, in any revision, as often as comes.

What it comes to depends on the highest revision of each alert alone. What nothing can touch any
more is forgotten: of an endless incident its sum stays, bounded, and the alerts of a week.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final

from ..alerts import Alert
from ..events import HOUR_MS
from .links import together
from .members import Member, concerns, member_of
from .sums import Sum, sum_of

KEEP_MS: Final = 7 * 24 * HOUR_MS
"""An alert that last changed before is forgotten. The longest quiet time and REACH_MS are two days:
for what comes up to five days late it makes no difference."""


@dataclass(slots=True)
class _Base:
    """What was forgotten of a group, and the alerts that it belongs together with."""

    total: Sum
    names: set[str]


@dataclass(slots=True)
class _System:
    """One core system. `groups` are as of the last look; None where something came since."""

    members: dict[str, Member] = field(default_factory=dict)
    bases: list[_Base] = field(default_factory=list)
    groups: list[tuple[Sum, list[Member]]] | None = None


class Fold:
    """`openers`: alerts with which an incident was opened already, and whose name it keeps."""

    def __init__(self, openers: Iterable[str] = ()) -> None:
        self._systems: dict[str, _System] = {}
        self._openers = set(openers)
        self._of: dict[str, Sum] = {}
        self.newest = 0
        """The newest time in any alert (ms)."""

    def __len__(self) -> int:
        return sum(len(system.members) for system in self._systems.values())

    def add(self, alert: Alert) -> bool:
        """One revision; whether it said anything new. Raises ValueError where it has no date."""
        if not concerns(alert):
            return False
        member = member_of(alert)
        system = self._systems.setdefault(member.system, _System())
        known = system.members.get(member.id)
        if known is not None and known.revision >= member.revision:
            return False
        system.members[member.id] = member
        system.groups = None
        self.newest = max(self.newest, member.updated)
        return True

    def opened(self, alert_id: str) -> None:
        """An incident was opened with this alert: it keeps that name."""
        if alert_id in self._openers:
            return
        self._openers.add(alert_id)
        for system in self._systems.values():
            if alert_id in system.members:
                system.groups = None

    def campaigns(self) -> Iterator[Sum]:
        """The groups that customers alone would hardly cause."""
        for system in self._systems.values():
            for total, _ in self._looked(system):
                if total.is_campaign:
                    yield total

    def group_of(self, alert_id: str) -> Sum | None:
        """The group of an alert that is not forgotten, be it a campaign or not."""
        for system in self._systems.values():
            self._looked(system)
        return self._of.get(alert_id)

    def forget(self, now: int) -> None:
        """Forget what last changed a week before `now` (ms), and groups that are all forgotten."""
        limit = now - KEEP_MS
        for system in self._systems.values():
            if all(member.updated >= limit for member in system.members.values()):
                continue
            bases: list[_Base] = []
            for total, members in self._looked(system):
                old = [member for member in members if member.updated < limit]
                names = {member.id for member in members if member.updated >= limit}
                base = self._base(system, {member.id for member in members}, old)
                if names and base is not None:
                    bases.append(_Base(base, names))
                self._drop(system, old)
                if not names and total.opener is not None:
                    self._openers.discard(total.name)
            system.bases = bases
            system.groups = None

    def _base(self, system: _System, names: set[str], old: list[Member]) -> Sum | None:
        """What is forgotten of a group, with what was forgotten before."""
        parts = [base.total for base in system.bases if base.names & names]
        parts += [sum_of(old, self._openers)] if old else []
        for part in parts[1:]:
            parts[0].join(part)
        return parts[0] if parts else None

    def _drop(self, system: _System, members: Iterable[Member]) -> None:
        for member in members:
            del system.members[member.id]
            self._of.pop(member.id, None)

    def _looked(self, system: _System) -> list[tuple[Sum, list[Member]]]:
        if system.groups is not None:
            return system.groups
        groups = together(system.members.values(), [base.names for base in system.bases])
        system.groups = [(sum_of(members, self._openers), members) for members in groups]
        for total, members in system.groups:
            for member in members:
                self._of[member.id] = total
        for base in system.bases:
            joined = {id(self._of[name]): self._of[name] for name in base.names}
            for total in joined.values():
                total.join(base.total)
        return system.groups
