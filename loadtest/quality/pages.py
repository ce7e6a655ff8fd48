"""Which alerts of a run wake somebody, by the policy of the SOC's queue (notifier/soc/paging.py).

An alert of an open incident does what `detectors.incidents.pages.waking` says; any other pages once
within its rule's quiet time for its subject. No more than the roster's pages an hour: what is held,
and what was only hit besides, goes into a digest an hour at most, which is a page too. Whoever is
paged acknowledges at once. The groups are those of `detectors.incidents.links` as they grew.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cache
from typing import Final, Literal

from config.rules import load_rules
from config.settings import load
from detectors.incidents.links import Growing
from detectors.incidents.members import concerns, member_of
from detectors.incidents.pages import Told, told_after, waking
from detectors.incidents.sums import Sum, sum_of
from detectors.rule import SEVERITIES

from .said import AlertLine

_HOUR_MS: Final = 3_600_000
_MS: Final = timedelta(milliseconds=1)


@dataclass(slots=True)
class Page:
    """Somebody is woken at `at_ms`, for these alerts; later ones of the same join them."""

    at_ms: int
    kind: Literal["alert", "incident", "digest"]
    severity: str
    alerts: list[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """`quiet` gives the quiet time of a rule (ms); `per_hour` is the most pages an hour."""

    quiet: Callable[[str], int]
    per_hour: int


@cache
def in_force() -> Limits:
    """As config/rules.toml and config/default.toml set them, whatever this machine's settings."""
    quiet = {rule: entry.quiet // _MS for rule, entry in load_rules().entries.items()}
    longest = max(quiet.values())
    return Limits(
        quiet=lambda rule: quiet.get(rule, longest),
        per_hour=load(environ={}).roster.pages_per_hour,
    )


def pages(alerts: Iterable[AlertLine], limits: Limits) -> list[Page]:
    """All pages of a run, by time."""
    paging = _Paging(limits)
    for alert in sorted(alerts, key=lambda one: (one.opened_ms, one.alert_id)):
        paging.take(alert)
    return paging.ended()


@dataclass(slots=True)
class _Group:
    total: Sum
    told: Told | None = None
    page: Page | None = None


@dataclass(slots=True)
class _Paging:
    limits: Limits
    made: list[Page] = field(default_factory=list)
    links: dict[str, Growing] = field(default_factory=lambda: defaultdict(Growing))
    groups: dict[tuple[str, int], _Group] = field(default_factory=dict)
    """By system and leader: no incident spans two core systems."""
    subjects: dict[tuple[str, ...], Page] = field(default_factory=dict)
    held: list[AlertLine] = field(default_factory=list)
    held_since: int = 0
    digest_from: int = 0
    """Before, no digest: people were told an hour ago at most."""

    def take(self, alert: AlertLine) -> None:
        """The next one in the order of opening."""
        self._digest(alert.opened_ms)
        group = self._joined(alert)
        if not alert.pages:
            return
        if group is None or not group.total.is_campaign:
            self._take_alone(alert)
            return
        wish = waking(alert.rule, alert.severity, group.told)
        if wish == "grouped" and group.page is not None:
            group.page.alerts.append(alert.alert_id)
        elif wish == "digest" or (self._full(alert.opened_ms) and alert.severity != "critical"):
            self._hold(alert)
        else:
            group.page = self._page("incident", alert)
            group.told = told_after(alert.rule, alert.severity, group.told)
            self.digest_from = max(self.digest_from, alert.opened_ms + _HOUR_MS)

    def ended(self) -> list[Page]:
        """All pages; what is still held goes into a last one."""
        self._digest(None)
        return sorted(self.made, key=lambda page: page.at_ms)

    def _joined(self, line: AlertLine) -> _Group | None:
        """The group of an alert, with it; None where it can belong to none."""
        alert = line.whole()
        if not concerns(alert):
            return None
        member = member_of(alert)
        leaders = [(member.system, one) for one in self.links[member.system].add(member)]
        new = _Group(sum_of([member], ()))
        known = [self.groups.pop(one) for one in leaders if one in self.groups]
        # The largest takes in the others: sums grow with what they hold.
        first, *rest = sorted([*known, new], key=lambda one: -one.total.alerts.count)
        for one in rest:
            first.total.join(one.total)
            first.told = _both(first.told, one.told)
            first.page = first.page or one.page
        self.groups[leaders[0]] = first
        return first

    def _take_alone(self, alert: AlertLine) -> None:
        before = self.subjects.get(_subject(alert))
        since = alert.opened_ms - self.limits.quiet(alert.rule)
        if before is not None and before.at_ms > since and _rank(before) >= _rank(alert):
            before.alerts.append(alert.alert_id)
        elif alert.severity != "critical" and self._full(alert.opened_ms):
            self._hold(alert)
        else:
            self._page("alert", alert)

    def _page(self, kind: Literal["alert", "incident"], alert: AlertLine) -> Page:
        page = Page(alert.opened_ms, kind, alert.severity, [alert.alert_id])
        self.made.append(page)
        self.subjects[_subject(alert)] = page
        return page

    def _full(self, now: int) -> bool:
        told = 0
        for page in reversed(self.made):
            if page.at_ms <= now - _HOUR_MS:
                break
            told += page.kind != "digest"
        return told >= self.limits.per_hour

    def _hold(self, alert: AlertLine) -> None:
        self.held_since = self.held_since if self.held else alert.opened_ms
        self.held.append(alert)

    def _digest(self, now: int | None) -> None:
        """A digest of what is held, if its time has come before `now`."""
        at = max(self.held_since, self.digest_from)
        if not self.held or (now is not None and at >= now):
            return
        page = Page(at, "digest", "high", [alert.alert_id for alert in self.held])
        self.made.append(page)
        self.subjects |= dict.fromkeys(map(_subject, self.held), page)
        self.held = []
        self.digest_from = at + _HOUR_MS


def _both(one: Told | None, other: Told | None) -> Told | None:
    if one is None or other is None:
        return one or other
    worst = max(one.severity, other.severity, key=SEVERITIES.index)
    return Told(severity=worst, hit=one.hit or other.hit)


def _subject(alert: AlertLine) -> tuple[str, ...]:
    return alert.rule, alert.system, alert.subject.type, alert.subject.value


def _rank(told: AlertLine | Page) -> int:
    return SEVERITIES.index(told.severity)
