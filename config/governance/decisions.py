"""What may be decided: each function checks a decision against the ledger and gives its record."""

from __future__ import annotations

from datetime import datetime, timedelta
from ipaddress import ip_address, ip_network
from typing import get_args

from detectors.addresses import canonical, counted_as
from detectors.errors import LoginwardError, escaped
from detectors.windows import Kind

from ..durations import written
from ..suppressions import LONGEST_ALLOWED, LONGEST_MUTE, NEVER, Suppression, load
from .changes import approve_change, changes, withdraw_change
from .ledger import Ledger
from .people import must_differ
from .records import Allowed, Approved, Muted, Withdrawn

_WIDEST = {4: 16, 6: 32}
"""A provider's share is a /16 or a /32 at most; who allows more allows the world."""


def subject_of(text: str) -> tuple[str, str]:
    """`203.0.113.7`, `203.0.113.0/24`, `AS64500` or `account=...` as an alert names its subject.

    Raises LoginwardError.
    """
    kind, equals, value = text.partition("=")
    if equals and kind in get_args(Kind) and value:
        return kind, value
    if text.upper().startswith("AS") and text[2:].isascii() and text[2:].isdigit():
        return "asn", text[2:]
    try:
        if "/" not in text:
            return "ip", counted_as(canonical(text))
        network = ip_network(text)
    except ValueError:
        raise LoginwardError(
            f"{escaped(text, 80)}: names no subject; write 203.0.113.7, 203.0.113.0/24, or "
            f"account=PSEUDONYM as the alert's `subject` says"
        ) from None
    # An IPv6 address is counted by its /64: in alerts that is one `ip`.
    return ("ip" if (network.version, network.prefixlen) == (6, 64) else "subnet"), str(network)


def mute(
    ledger: Ledger,
    *,
    rule: str,
    subject: tuple[str, str],
    system: str | None,
    span: timedelta,
    now: datetime,
) -> Muted:
    """A mute from `now` on. Raises LoginwardError where it may not be."""
    if rule in NEVER:
        raise LoginwardError(
            f"{rule}: is never muted: somebody is in, or one step before it; handle the alert"
        )
    if not timedelta() < span <= LONGEST_MUTE:
        raise LoginwardError(
            f"--for: {written(span)}: a mute lasts at most {written(LONGEST_MUTE)}, a shift; "
            "for longer change the rule, or allow-list the address"
        )
    for known in load(ledger.lines).entries:
        if (known.rule, known.subject, known.system) == (rule, subject, system) and _owed(known):
            raise LoginwardError(
                f"{known.id}: the same was muted by {known.by} and nobody has approved it; "
                f"another person approves it first: loginward rules approve {known.id} --by NAME"
            )
    return Muted(
        rule=rule,
        subject_type=subject[0],
        subject_value=subject[1],
        system=system,
        until=now + span,
    )


def _owed(known: Suppression) -> bool:
    return known.approved_by is None and known.withdrawn_at is None


def allow(*, network: str, owner: str, until: datetime, now: datetime) -> Allowed:
    """An allow-list entry, in force once approved. Raises LoginwardError where it may not be."""
    try:
        given = ip_network(network) if "/" in network else ip_address(canonical(network))
    except ValueError as failure:
        raise LoginwardError(
            f"{escaped(network, 80)}: {escaped(str(failure), 120)}; write 203.0.113.7 or "
            "203.0.113.0/24"
        ) from None
    wide = getattr(given, "prefixlen", given.max_prefixlen)
    if wide < _WIDEST[given.version]:
        raise LoginwardError(
            f"{given}: is wider than a /{_WIDEST[given.version]}; allow the addresses that you know"
        )
    if not now < until <= now + LONGEST_ALLOWED:
        raise LoginwardError(
            f"--until: {until.isoformat()}: must lie ahead, and at most a year; renew it then"
        )
    return Allowed(network=str(given), owner=owner, until=until)


def approve(ledger: Ledger, identity: str, *, by: str, now: datetime) -> Approved:
    """Another person's approval of a change, mute or allow-list entry. Raises LoginwardError."""
    if identity.startswith("C"):
        return approve_change(changes(ledger.lines), identity, by=by, now=now)
    known = _standing(ledger, identity)
    if known.approved_by is not None:
        raise LoginwardError(f"{identity}: was approved by {known.approved_by}")
    must_differ(ledger.lines[int(identity[1:]) - 1], by)
    return Approved(id=identity)


def withdraw(ledger: Ledger, identity: str) -> Withdrawn:
    """Take back a mute, an allow-list entry, or a change that is not approved yet.

    Raises LoginwardError.
    """
    if identity.startswith("C"):
        return withdraw_change(changes(ledger.lines), identity)
    _standing(ledger, identity)
    return Withdrawn(id=identity)


def _standing(ledger: Ledger, identity: str) -> Suppression:
    known = next((one for one in load(ledger.lines).entries if one.id == identity), None)
    if known is None:
        raise LoginwardError(
            f"{escaped(identity, 40)}: no such change, mute or entry; see `loginward rules history`"
        )
    if known.withdrawn_at is not None:
        raise LoginwardError(f"{identity}: was withdrawn at {known.withdrawn_at.isoformat()}")
    return known
