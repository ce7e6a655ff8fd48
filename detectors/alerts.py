"""An alert: it convicts on its own, with subject, counts, window, limit, rule version and
evidence.
"""

from __future__ import annotations

from hashlib import blake2b
from typing import Final

import msgspec

from .rule import Severity

LISTED: Final = 100
"""Of accounts, addresses and event ids the first hundred by time stand in the alert; totals in
`counts`.
"""


class AlertSubject(msgspec.Struct, frozen=True):
    """Whom the alert is about."""

    type: str
    value: str


class Alert(msgspec.Struct, frozen=True, kw_only=True):
    """One revision of an alert; consumers keep the highest `revision` of an `alert_id`.

    `opened_at`: event time at which the limit was crossed. `updated_at`: event time of the last
    attempt
    that met it. `counts` hold totals; with `capped` 1 they read "at least".
    """

    alert_id: str
    revision: int
    system: str
    rule: str
    rule_version: str
    severity: Severity
    opened_at: str
    updated_at: str
    subject: AlertSubject
    counts: dict[str, int]
    window_s: int
    threshold: int
    accounts: list[str]
    ips: list[str]
    event_ids: list[str]
    attack_ids: list[str]
    checklist_item: str
    summary: str
    part: str = ""
    """Which limit of the rule, where it has several kinds of alert; empty for its main one."""
    mode: str = "live"


def alert_id(
    rule: str, version: str, part: str, subject: tuple[str, str, str], quiet_number: int
) -> str:
    """The same alert has the same id wherever and whenever it is computed (DESIGN.md section 5)."""
    said = "\0".join((rule, version, part, *subject, str(quiet_number)))
    return blake2b(said.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(Alert)


def encode(alert: Alert) -> bytes:
    """One line of JSON, fields in the order of the class: equal alerts are equal bytes."""
    return _encoder.encode(alert)


def decode(raw: bytes) -> Alert:
    """The alert of a line or record. Raises msgspec.DecodeError."""
    return _decoder.decode(raw)
