"""What pages nobody for a while: mutes of one rule on one subject, and allow-listed addresses.

A suppressed alert is judged, archived and shown like any other. Pure: `load` folds the ledger's
lines, `covering` decides. Whoever pages asks `covering(alert, now)`, and where it answers with an
allow-list entry, `hides_attack` and `hidden_attack`: what would have woken an analyst is told once.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import Literal

import msgspec

from detectors.alerts import Alert, AlertSubject, alert_id
from detectors.rule import SEVERITIES

from .governance.people import APPROVAL_DUE
from .governance.records import Allowed, Approved, Line, Muted, Withdrawn

LONGEST_MUTE = timedelta(hours=8)
"""One shift: whoever mutes is there to see the end of it (issue 5, item 6)."""

LONGEST_ALLOWED = timedelta(days=366)
"""Networks change hands; what nobody renews within a year is nobody's."""

HIDES = "allowlist_hides_attack"
"""The rule of the alert that an allow-list entry keeps quiet about an attack."""

NEVER = frozenset(
    {
        "success_after_attack",
        "password_known",
        "origin_many_first_successes",
        "customer_denied",
        HIDES,
    }
)
"""Detections 8, 14 and 15 of DETECTIONS.md 5: somebody is in, or one step before it. And what a
customer has denied, and what an allow-list hides.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Suppression:
    """A mute or an allow-list entry and what became of it."""

    id: str
    kind: Literal["mute", "allow"]
    by: str
    reason: str
    since: datetime
    until: datetime
    rule: str | None = None
    subject: tuple[str, str] | None = None
    system: str | None = None
    network: str | None = None
    owner: str | None = None
    approved_by: str | None = None
    withdrawn_at: datetime | None = None

    def holds(self, now: datetime) -> bool:
        """Whether it is in force: a mute at once, an allow-list entry once it is approved."""
        if self.withdrawn_at is not None or not self.since <= now < self.until:
            return False
        return self.kind == "mute" or self.approved_by is not None

    def overdue(self, now: datetime) -> bool:
        """Whether it is a mute that nobody approved within a day, over or not."""
        return (
            self.kind == "mute"
            and self.approved_by is None
            and self.withdrawn_at is None
            and now > self.since + APPROVAL_DUE
        )

    def state(self, now: datetime) -> str:
        """In a word, for lists."""
        if self.withdrawn_at is not None:
            return "withdrawn"
        if self.overdue(now):
            return "OVERDUE"
        if now >= self.until:
            return "over" if self.approved_by else "over, to be approved"
        return "in force" if self.approved_by else "to be approved"


@dataclass(frozen=True, slots=True)
class Suppressions:
    """All that were ever made, in the order of the ledger."""

    entries: tuple[Suppression, ...] = ()

    def covering(self, alert: Alert, now: datetime) -> Suppression | None:
        """Why `alert` pages nobody at `now`; None: it pages. Mutes are named before networks."""
        if alert.rule in NEVER:
            return None
        held = (entry for entry in self.entries if entry.holds(now) and _covers(entry, alert))
        return min(held, key=lambda entry: entry.kind != "mute", default=None)


def load(lines: Iterable[Line]) -> Suppressions:
    """Mutes and allow-list entries as the ledger tells them."""
    found: dict[str, Suppression] = {}
    for line in lines:
        made = _made(line)
        if made is not None:
            found[made.id] = made
        elif isinstance(line.what, Approved) and line.what.id in found:
            found[line.what.id] = replace(found[line.what.id], approved_by=line.by)
        elif isinstance(line.what, Withdrawn) and line.what.id in found:
            found[line.what.id] = replace(found[line.what.id], withdrawn_at=line.at)
    return Suppressions(tuple(found.values()))


def _made(line: Line) -> Suppression | None:
    what = line.what
    if isinstance(what, Muted):
        return Suppression(
            id=f"M{line.number}",
            kind="mute",
            by=line.by,
            reason=line.reason,
            since=line.at,
            until=min(what.until, line.at + LONGEST_MUTE),
            rule=what.rule,
            subject=(what.subject_type, what.subject_value),
            system=what.system,
        )
    if isinstance(what, Allowed):
        return Suppression(
            id=f"A{line.number}",
            kind="allow",
            by=line.by,
            reason=line.reason,
            since=line.at,
            until=min(what.until, line.at + LONGEST_ALLOWED),
            network=what.network,
            owner=what.owner,
        )
    return None


def _covers(entry: Suppression, alert: Alert) -> bool:
    if entry.kind == "mute":
        same = (alert.rule, (alert.subject.type, alert.subject.value)) == (
            entry.rule,
            entry.subject,
        )
        return same and entry.system in {None, alert.system}
    return entry.network is not None and _inside(alert, ip_network(entry.network))


def _inside(alert: Alert, network: IPv4Network | IPv6Network) -> bool:
    """Whether the alert is about this network alone.

    An alert on an address or subnet by its subject, another by all its addresses; where not all of
    them stand in the alert, nobody knows, and it pages.
    """
    if alert.subject.type in {"ip", "subnet"}:
        return _part_of(alert.subject.value, network)
    listed = alert.counts.get("ips", len(alert.ips)) <= len(alert.ips)
    return bool(alert.ips) and listed and all(_part_of(ip, network) for ip in alert.ips)


def _part_of(text: str, network: IPv4Network | IPv6Network) -> bool:
    try:
        if "/" not in text:
            return ip_address(text) in network
        inner = ip_network(text)
    except ValueError:
        return False
    same = inner.version == network.version
    return same and inner.prefixlen >= network.prefixlen and inner[0] in network


def hides_attack(alert: Alert, suppression: Suppression) -> bool:
    """Whether an allow-list entry keeps quiet about what would have woken an analyst.

    A mute is one person's decision about one alert that was seen; it hides nothing.
    """
    grave = SEVERITIES.index(alert.severity) >= SEVERITIES.index("high")
    return suppression.kind == "allow" and grave and alert.mode == "live"


def hidden_attack(alert: Alert, suppression: Suppression) -> Alert:
    """The alert that is due where `hides_attack`: on the network, with the evidence of `alert`.

    One for each hidden alert and revision, with the same content wherever it is made; all of one
    entry have one subject, so that whoever groups pages by rule and subject pages once.
    """
    network = suppression.network or ""
    kind = "subnet" if "/" in network else "ip"
    subject = (alert.system, kind, network)
    return msgspec.structs.replace(
        alert,
        alert_id=alert_id(HIDES, "1", alert.alert_id, subject, 0),
        rule=HIDES,
        rule_version="1",
        subject=AlertSubject(type=kind, value=network),
        part=alert.rule,
        summary=f"allow-list entry {suppression.id} ({network}, until "
        f"{suppression.until:%Y-%m-%d}) keeps quiet about {alert.rule} "
        f"{alert.alert_id}: {alert.summary}",
    )
