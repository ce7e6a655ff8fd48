"""Campaigns instead of floods: alerts that belong together become one incident.

A pure function of alerts as they stand, in any order. Two alerts of a system belong together where
they share an address, a network (/24, /48) or an account, and grave ones also where they follow
each other without a pause: a botnet's addresses share nothing else. What hardly a customer causes
makes an incident of them (`_is_campaign`); the rest stays alerts.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from hashlib import blake2b
from typing import Final, Literal

import msgspec

from .addresses import network_of
from .alerts import Alert
from .rule import SEVERITIES, Severity

Kind = Literal["stuffing", "enumeration", "targeted"]
Status = Literal["open", "closed"]

HITS: Final = frozenset({"success_after_attack", "password_known"})
"""Detections whose accounts were hit: somebody else knows the password."""
_NEWS: Final = frozenset({"new_device_and_place", "unknown_origin_ip"})
"""Detections that say something of a login, and nothing of an attack."""
_BY_THEMSELVES: Final = frozenset({"subnet_attack", "account_many_sources"})
_FEWEST_ADDRESSES: Final = 3
_MANY_ACCOUNTS: Final = 15
"""Of one address: Elastic's limit of stuffing, beyond what a household mistypes."""
_PAUSE: Final = timedelta(minutes=30)
_QUIET: Final = timedelta(hours=6)
"""Without anything new for so long an incident is closed: the longest quiet time of an alert."""
_HIGH: Final = SEVERITIES.index("high")


class Incident(msgspec.Struct, frozen=True, kw_only=True):
    """One campaign; times are RFC 3339 in UTC. `accounts_hit` holds all of them, in order.

    `accounts_tried` counts the accounts that its alerts list (each the first hundred): at least.
    """

    incident_id: str
    kind: Kind
    system: str
    severity: Severity
    reasons: list[str]
    first_seen: str
    last_seen: str
    alerts: list[str]
    ips: list[str]
    accounts_tried: int
    accounts_hit: list[str]
    status: Status


def incidents(alerts: Iterable[Alert]) -> list[Incident]:
    """The incidents of alerts (each at its highest revision), by first instant and id."""
    judged = [alert for alert in alerts if alert.rule not in _NEWS and alert.mode == "live"]
    now = max((_time(alert.updated_at) for alert in judged), default=None)
    if now is None:
        return []
    found = [_incident(group, now) for group in _together(judged) if _is_campaign(group)]
    return sorted(found, key=lambda one: (_time(one.first_seen), one.incident_id))


def encode(incident: Incident) -> bytes:
    """One line of JSON, fields in the order of the class."""
    return msgspec.json.encode(incident)


def _together(alerts: Sequence[Alert]) -> list[list[Alert]]:
    """Alerts by what they share; each group in the order of time."""
    ordered = sorted(alerts, key=lambda alert: (_time(alert.opened_at), alert.alert_id))
    leaders = list(range(len(ordered)))

    def leader(number: int) -> int:
        while leaders[number] != number:
            leaders[number] = leaders[leaders[number]]
            number = leaders[number]
        return number

    holders: dict[tuple[str, ...], int] = {}
    for number, alert in enumerate(ordered):
        for shared in _shared(alert):
            other = leader(holders.setdefault((alert.system, *shared), number))
            leaders[max(other, leader(number))] = min(other, leader(number))
    for earlier, later in _chained(ordered):
        one, other = leader(earlier), leader(later)
        leaders[max(one, other)] = min(one, other)
    groups: dict[int, list[Alert]] = {}
    for number, alert in enumerate(ordered):
        groups.setdefault(leader(number), []).append(alert)
    return list(groups.values())


def _shared(alert: Alert) -> Iterable[tuple[str, str]]:
    """What another alert may share with this one."""
    for ip in alert.ips:
        yield "ip", ip
        yield "network", network_of(ip)
    if alert.subject.type == "subnet":
        yield "network", alert.subject.value
    if alert.subject.type == "account":
        yield "account", alert.subject.value


def _chained(ordered: Sequence[Alert]) -> Iterable[tuple[int, int]]:
    """Grave alerts of a system that follow each other without a pause."""
    last: dict[str, tuple[int, datetime]] = {}
    for number, alert in enumerate(ordered):
        if SEVERITIES.index(alert.severity) < _HIGH or alert.rule in HITS:
            continue
        opened, updated = _time(alert.opened_at), _time(alert.updated_at)
        before = last.get(alert.system)
        if before is not None and opened - before[1] <= _PAUSE:
            yield before[0], number
            updated = max(updated, before[1])
        last[alert.system] = (number, updated)


def _is_campaign(group: Sequence[Alert]) -> bool:
    """Whether customers alone would hardly cause these alerts."""
    attacks = [alert for alert in group if alert.rule not in HITS]
    if any(alert.rule in _BY_THEMSELVES for alert in attacks):
        return True
    grave = [alert for alert in attacks if SEVERITIES.index(alert.severity) >= _HIGH]
    addresses = {alert.subject.value for alert in grave}
    return len(addresses) >= _FEWEST_ADDRESSES or any(
        alert.counts.get("accounts", 0) >= _MANY_ACCOUNTS for alert in grave
    )


def _incident(group: Sequence[Alert], now: datetime) -> Incident:
    first = group[0]
    tried = {name for alert in group for name in alert.accounts}
    hit = dict.fromkeys(name for alert in group if alert.rule in HITS for name in alert.accounts)
    last = max((alert.updated_at for alert in group), key=_time)
    closed = now - _time(last) > _QUIET
    return Incident(
        incident_id=blake2b(first.alert_id.encode(), digest_size=16, person=b"lw-inc").hexdigest(),
        kind=_kind(group, len(tried)),
        system=first.system,
        severity=max((alert.severity for alert in group), key=SEVERITIES.index),
        reasons=_reasons(group),
        first_seen=first.opened_at,
        last_seen=last,
        alerts=[alert.alert_id for alert in group],
        ips=sorted({ip for alert in group for ip in alert.ips}),
        accounts_tried=len(tried),
        accounts_hit=list(hit),
        status="closed" if closed else "open",
    )


def _kind(group: Sequence[Alert], tried: int) -> Kind:
    rules = Counter(alert.rule for alert in group)
    if rules["account_many_sources"] and tried <= rules["account_many_sources"]:
        return "targeted"
    if rules["ip_unknown_accounts"] > rules["ip_account_spray"]:
        return "enumeration"
    return "stuffing"


def _reasons(group: Sequence[Alert]) -> list[str]:
    """How many alerts of which detection, the most first."""
    counts = Counter(alert.rule for alert in group)
    return [f"{number} {rule}" for rule, number in sorted(counts.items(), key=_most_first)]


def _most_first(counted: tuple[str, int]) -> tuple[int, str]:
    return -counted[1], counted[0]


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text)
