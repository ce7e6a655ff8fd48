"""Our own indicators for others: addresses that attacked us, and nothing about whom they attacked.

What is written holds address, times, detections and techniques: no account, no event id, no
pseudonym, no count of our customers, and nothing that a TLP:RED bulletin told us.
"""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from ipaddress import IPv4Network, ip_network
from typing import Any, Final
from uuid import UUID, uuid5

import msgspec

from detectors.alerts import Alert
from detectors.daily import CANARY
from detectors.networks import Network
from detectors.rules import RULES

from .feed import Format
from .indicator import Indicator, Tlp, gravest
from .screening import Ranges, Screen
from .store import Told

HOLDS_FOR: Final = timedelta(days=30)
"""After its last attempt; by then most addresses of botnets have other users."""

_NAMESPACE: Final = UUID("5d9e31f0-38a1-4b0f-9e1c-6f3f7d1c0b52")
"""Makes an address the same indicator every time: a later export takes an earlier one's place."""
_CONFIDENCE: Final = {"medium": 60, "high": 80, "critical": 90}
"""By the severity of the gravest alert; low ones (the NAT guard's) are not shared."""
_SHARED_RULES: Final = {rule.id: rule for rule in RULES if rule.flags and "ip" in rule.watches}
"""Detections by which an address turns bad; one of merely unknown origin has done nothing yet."""
_TLP_MARKINGS: Final = {
    "clear": "marking-definition--613f2e26-407d-48c7-9eca-b8e91df99dc9",
    "green": "marking-definition--34098fce-860f-48ae-8e50-ebd3cc5e41da",
    "amber": "marking-definition--f88d31f6-486f-44da-b317-01333bde0b82",
    # TLP 1, which STIX 2.1 itself defines, has no amber+strict: OASIS's extension names it.
    "amber+strict": "marking-definition--939a9414-2ddd-4d32-a0cd-375ea402b003",
}


@dataclass(slots=True)
class Bad:
    """An address (or /64) that turned bad: when, by which detections, how sure we are."""

    network: Network
    first: datetime
    last: datetime
    confidence: int
    rules: set[str] = field(default_factory=set)
    attack_ids: set[str] = field(default_factory=set)


@dataclass(slots=True)
class Shared:
    """What may be shared, by address, and how many are held back, by reason."""

    bad: list[Bad] = field(default_factory=list)
    withheld: Counter[str] = field(default_factory=Counter)


def shared(
    alerts: Iterable[Alert], told: Told, screen: Screen, *, since: datetime, until: datetime
) -> Shared:
    """The addresses of live alerts that were last seen in [since, until)."""
    bulletins = told.bulletins()
    secret = Ranges(
        ip_network(one.indicator.network)
        for one in told.entries
        if gravest([one.indicator.tlp, bulletins[one.bulletin][1].tlp]) == "red"
    )
    found = Shared()
    by_network: dict[Network, Bad] = {}
    for alert in alerts:
        _gather(alert, by_network, since, until)
    for network in sorted(by_network, key=lambda one: (one.version, int(one[0]))):
        reason = screen.reason(Indicator(network=str(network)))
        if reason is None and secret.touch(network):
            reason = "named by a TLP:RED bulletin"
        if reason is None:
            found.bad.append(by_network[network])
        else:
            found.withheld[reason] += 1
    return found


def _gather(alert: Alert, by_network: dict[Network, Bad], since: datetime, until: datetime) -> None:
    if alert.subject.type != "ip" or alert.rule not in _SHARED_RULES or alert.system == CANARY:
        return
    last = datetime.fromisoformat(alert.updated_at)
    if alert.mode != "live" or alert.severity not in _CONFIDENCE or not since <= last < until:
        return
    network = ip_network(alert.subject.value)
    first = datetime.fromisoformat(alert.opened_at)
    sure = _CONFIDENCE[alert.severity]
    bad = by_network.setdefault(network, Bad(network, first, last, sure))
    bad.first, bad.last = min(bad.first, first), max(bad.last, last)
    bad.confidence = max(bad.confidence, sure)
    bad.rules.add(alert.rule)
    bad.attack_ids |= {one for one in alert.attack_ids if one.startswith("T")}


def written(bad: Sequence[Bad], kind: Format, tlp: Tlp) -> bytes:
    """A STIX 2.1 bundle or a CSV; the same addresses give the same bytes."""
    return _csv(bad, tlp) if kind == "csv" else _stix(bad, tlp)


def _csv(bad: Sequence[Bad], tlp: Tlp) -> bytes:
    out = io.StringIO()
    rows = csv.writer(out, lineterminator="\n")
    rows.writerow(
        ("network", "valid_from", "last_seen", "valid_until", "confidence", "tlp", "name")
    )
    for one in bad:
        rows.writerow(
            (
                one.network,
                _text(one.first),
                _text(one.last),
                _text(one.last + HOLDS_FOR),
                one.confidence,
                tlp,
                " ".join(sorted(one.rules)),
            )
        )
    return out.getvalue().encode()


def _stix(bad: Sequence[Bad], tlp: Tlp) -> bytes:
    import stix2  # noqa: PLC0415 (it loads urllib3, which opens a socket when it is imported)

    objects = [_indicator(stix2, one, tlp) for one in bad]
    told = [msgspec.json.decode(one.serialize()) for one in objects]
    name = uuid5(_NAMESPACE, msgspec.json.encode(told, order="sorted").decode())
    bundle = {"type": "bundle", "id": f"bundle--{name}", "objects": told}
    return msgspec.json.format(msgspec.json.encode(bundle, order="sorted"), indent=1) + b"\n"


def _indicator(stix2: Any, one: Bad, tlp: Tlp) -> Any:
    kind = "ipv4-addr" if isinstance(one.network, IPv4Network) else "ipv6-addr"
    single = one.network.prefixlen == one.network.max_prefixlen
    value = str(one.network.network_address) if single else str(one.network)
    return stix2.Indicator(
        id=f"indicator--{uuid5(_NAMESPACE, str(one.network))}",
        created=one.first,
        modified=max(one.first, one.last),
        name="Credential stuffing against a securities firm",
        indicator_types=["malicious-activity"],
        pattern=f"[{kind}:value {'=' if single else 'ISSUBSET'} '{value}']",
        pattern_type="stix",
        valid_from=one.first,
        valid_until=one.last + HOLDS_FOR,
        confidence=one.confidence,
        labels=sorted(one.rules),
        external_references=[
            {"source_name": "mitre-attack", "external_id": name} for name in sorted(one.attack_ids)
        ]
        or None,
        object_marking_refs=[_TLP_MARKINGS[tlp]],
    )


def _text(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")
