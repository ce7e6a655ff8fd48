"""What a group of alerts comes to, as a sum: parts may be joined in any order, then forgotten."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from heapq import nlargest
from typing import Final

from ..distinct import Distinct
from ..events import HOUR_MS
from ..rule import SEVERITIES, Shape
from .members import HIGH, Member

_FEWEST_ADDRESSES: Final = 3
_MANY_ACCOUNTS: Final = 15
"""Of one address: Elastic's limit of stuffing, beyond what a household mistypes."""
_MANY_HIT: Final = 3
"""Accounts hit that one alert names: nobody mistypes into three accounts of others."""
_HOURS: Final = 48
_DEEDS: Final = 20
"""Of one account; what it did first says what it was taken for."""

Opening = tuple[int, str]
"""When an alert opened, and which: the order of alerts."""


@dataclass(slots=True)
class Sum:
    """`opener`: the alert by which an incident of this group was opened once, and so its name."""

    system: str
    first: Opening
    opener: Opening | None = None
    last: int = 0
    severity: int = 0
    rules: Counter[str] = field(default_factory=Counter)
    shapes: Counter[Shape] = field(default_factory=Counter)
    hours: Counter[int] = field(default_factory=Counter)
    alerts: Distinct = field(default_factory=Distinct)
    ips: Distinct = field(default_factory=Distinct)
    accounts: Distinct = field(default_factory=Distinct)
    hits: dict[str, tuple[int, str]] = field(default_factory=dict)
    """Of each account hit when first, and by which rule."""
    deeds: dict[str, set[tuple[int, str, str]]] = field(default_factory=dict)
    """Of an account: when, which rule, which alert."""
    grave: set[str] = field(default_factory=set)
    """Subjects of grave alerts, as many as matter."""
    by_itself: bool = False

    @property
    def is_campaign(self) -> bool:
        """Whether customers alone would hardly cause these alerts."""
        return self.by_itself or len(self.grave) >= _FEWEST_ADDRESSES

    @property
    def name(self) -> str:
        """The alert that gives the incident its id."""
        return (self.opener or self.first)[1]

    @property
    def deeds_of_hit(self) -> int:
        """How much was done in accounts after they were hit."""
        return sum(len(self.done_in(account)) for account in self.hits)

    def done_in(self, account: str) -> list[tuple[int, str, str]]:
        """What was done in an account from its hit on, by time."""
        since = self.hits[account][0]
        return sorted(deed for deed in self.deeds.get(account, ()) if deed[0] >= since)

    def graver_than(self, severity: str) -> bool:
        """Whether it has an alert above a severity."""
        return self.severity > SEVERITIES.index(severity)

    def add(self, member: Member, openers: Collection[str]) -> None:
        """One alert more."""
        opening = (member.opened, member.id)
        self.first = min(self.first, opening)
        if member.id in openers:
            self.opener = min(self.opener or opening, opening)
        self.last = max(self.last, member.updated)
        self.severity = max(self.severity, member.severity)
        self.rules[member.rule] += 1
        self.shapes[member.shape] += 1
        self._hour(member.opened // HOUR_MS, 1)
        self.alerts.add(member.id, member.opened)
        for ip in member.ips:
            self.ips.add(ip, member.opened)
        for account in member.accounts:
            self.accounts.add(account, member.opened)
            if member.role == "hit":
                self._hit(account, (member.opened, member.rule))
            if member.role == "deed":
                self._did(account, [(member.opened, member.rule, member.id)])
        if member.grave:
            self._grave({member.subject})
        self.by_itself = self.by_itself or _by_itself(member)

    def join(self, other: Sum) -> None:
        """All of another one."""
        self.first = min(self.first, other.first)
        openers = [opener for opener in (self.opener, other.opener) if opener is not None]
        self.opener = min(openers, default=None)
        self.last = max(self.last, other.last)
        self.severity = max(self.severity, other.severity)
        self.rules.update(other.rules)
        self.shapes.update(other.shapes)
        for hour, count in other.hours.items():
            self._hour(hour, count)
        self.alerts.join(other.alerts)
        self.ips.join(other.ips)
        self.accounts.join(other.accounts)
        for account, hit in other.hits.items():
            self._hit(account, hit)
        for account, deeds in other.deeds.items():
            self._did(account, deeds)
        self._grave(other.grave)
        self.by_itself = self.by_itself or other.by_itself

    def _hit(self, account: str, hit: tuple[int, str]) -> None:
        self.hits[account] = min(self.hits.get(account, hit), hit)

    def _did(self, account: str, deeds: Iterable[tuple[int, str, str]]) -> None:
        known = self.deeds.get(account, set()) | set(deeds)
        self.deeds[account] = set(sorted(known)[:_DEEDS])

    def _grave(self, subjects: set[str]) -> None:
        self.grave = set(sorted(self.grave | subjects)[:_FEWEST_ADDRESSES])

    def _hour(self, hour: int, count: int) -> None:
        self.hours[hour] += count
        if len(self.hours) > 2 * _HOURS:
            self.hours = Counter({kept: self.hours[kept] for kept in nlargest(_HOURS, self.hours)})

    def growth(self) -> list[tuple[int, int]]:
        """The last 48 hours in which alerts opened (hours since 1970), and how many did."""
        return [(hour, self.hours[hour]) for hour in sorted(nlargest(_HOURS, self.hours))]


def sum_of(members: Collection[Member], openers: Collection[str]) -> Sum:
    """The sum of one alert at least."""
    one = next(iter(members))
    total = Sum(one.system, (one.opened, one.id))
    for member in members:
        total.add(member, openers)
    return total


def _by_itself(member: Member) -> bool:
    if member.role == "campaign":  # below high customers are among what it counts
        return member.severity >= HIGH
    if member.role == "everybody":
        return True
    if member.role == "hit":
        return member.tried >= _MANY_HIT
    return member.role == "attack" and member.severity >= HIGH and member.tried >= _MANY_ACCOUNTS
