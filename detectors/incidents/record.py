"""An incident as it is told, and the incidents of a set of alerts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from hashlib import blake2b
from typing import Final, Literal

import msgspec

from ..alerts import LISTED, Alert
from ..events import HOUR_MS, instant, rfc3339
from ..rule import SEVERITIES, Severity
from .fold import Fold
from .links import REACH_MS
from .sums import Sum

Kind = Literal["stuffing", "enumeration", "targeted"]
Status = Literal["open", "closed", "merged"]


class Deed(msgspec.Struct, frozen=True, kw_only=True):
    """What was done in an account that was hit: by which alert it is known."""

    at: str
    rule: str
    alert_id: str


class Hit(msgspec.Struct, frozen=True, kw_only=True):
    """An account that was hit: when first, by which detection it is known, what was done next."""

    account: str
    at: str
    rule: str
    next: list[Deed]


class Hour(msgspec.Struct, frozen=True, kw_only=True):
    """How many alerts opened in the hour that begins at `at`."""

    at: str
    alerts: int


class Incident(msgspec.Struct, frozen=True, kw_only=True):
    """One campaign; times are RFC 3339 in UTC. `accounts_hit` holds all of them, by time.

    `first_seen` is the first probe. `alerts` and `ips` list the first 10,000 by time, `accounts`
    the first hundred; `counts` and `accounts_tried` hold the totals, beyond 10,000 as an estimate.
    `accounts_tried` counts what its alerts list (each the first hundred): at least.
    `growth`: its last 48 hours with new alerts. `opened_with` is the alert that gave it its id.
    Of several revisions the highest is in force; one with `status` merged says in `merged_into`
    which incident goes on.
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
    revision: int = 1
    opened_with: str = ""
    merged_into: str = ""
    accounts: list[str] = []
    counts: dict[str, int] = {}
    hits: list[Hit] = []
    growth: list[Hour] = []


def incidents(alerts: Iterable[Alert]) -> list[Incident]:
    """The incidents of alerts (each at its highest revision), by first instant and id.

    Their end is the newest of the alerts: what was quiet for a day before it is closed. Raises
    ValueError for an alert whose times or addresses are none.
    """
    fold = Fold()
    for alert in alerts:
        fold.add(alert)
    return in_order(incident_of(total, fold.newest) for total in fold.campaigns())


def incident_of(total: Sum, now: int) -> Incident:
    """The incident that a group of alerts is, as of `now` (ms)."""
    tried = total.accounts.count
    hits = sorted(total.hits.items(), key=lambda hit: (hit[1][0], hit[0]))
    return Incident(
        incident_id=incident_id(total.name),
        kind=_kind(total, tried),
        system=total.system,
        severity=SEVERITIES[total.severity],
        reasons=_reasons(total.rules),
        first_seen=_written(total.first[0]),
        last_seen=_written(total.last),
        alerts=total.alerts.listed(),
        ips=total.ips.listed(),
        accounts_tried=tried,
        accounts_hit=[account for account, _ in hits],
        status="closed" if is_over(total, now) else "open",
        opened_with=total.name,
        accounts=total.accounts.listed(LISTED),
        counts={"alerts": total.alerts.count, "ips": total.ips.count, "hit": len(hits)},
        hits=[
            Hit(account=account, at=_written(at), rule=rule, next=_next(total, account))
            for account, (at, rule) in hits
        ],
        growth=[Hour(at=_written(hour * HOUR_MS), alerts=n) for hour, n in total.growth()],
    )


def is_over(total: Sum, now: int) -> bool:
    """Whether nothing can join it any more, but for alerts that come late."""
    return now - total.last > REACH_MS


def incident_id(alert_id: str) -> str:
    """The id of the incident that was opened with an alert."""
    return blake2b(alert_id.encode(), digest_size=16, person=b"lw-inc").hexdigest()


def in_order(found: Iterable[Incident]) -> list[Incident]:
    """By first instant and id."""
    return sorted(found, key=lambda one: (one.first_seen.removesuffix("Z"), one.incident_id))


def encode(incident: Incident) -> bytes:
    """One line of JSON, fields in the order of the class."""
    return msgspec.json.encode(incident)


_decoder: Final = msgspec.json.Decoder(Incident)


def decode(raw: bytes) -> Incident:
    """The incident of a record. Raises msgspec.DecodeError."""
    return _decoder.decode(raw)


def _next(total: Sum, account: str) -> list[Deed]:
    return [
        Deed(at=_written(at), rule=rule, alert_id=alert)
        for at, rule, alert in total.done_in(account)
    ]


def _kind(total: Sum, tried: int) -> Kind:
    targeted = total.shapes["targeted"]
    if targeted and tried <= targeted:
        return "targeted"
    if total.shapes["enumeration"] > total.shapes["stuffing"]:
        return "enumeration"
    return "stuffing"


def _reasons(rules: Mapping[str, int]) -> list[str]:
    """How many alerts of which detection, the most first."""
    return [f"{number} {rule}" for rule, number in sorted(rules.items(), key=_most_first)]


def _most_first(counted: tuple[str, int]) -> tuple[int, str]:
    return -counted[1], counted[0]


def _written(ms: int) -> str:
    return rfc3339(instant(ms))
