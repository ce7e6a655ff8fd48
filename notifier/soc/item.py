"""What waits in the queue: one revision of an alert or of an incident, as it came."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, Literal

import msgspec

from detectors import alerts, incidents
from detectors.alerts import LISTED, Alert, AlertSubject
from detectors.incidents import Incident

Kind = Literal["alert", "incident"]
"""What is sent, by the topic that it comes from."""

OWN_SYSTEM: Final = "_loginward"
CANARY: Final = "_canary"
UNDELIVERED: Final = "alert_undelivered"


class Item(msgspec.Struct, frozen=True, kw_only=True):
    """One revision. `body` is the record's bytes, sent on unchanged; `alert` is what they say, of
    an incident as much as an alert has room for.

    `own`: raised here, and so not yet in the topic. `incident`: the incident that the alert belongs
    to as far as is known here, or that it is; empty for none. `members`: the alerts of an incident.
    """

    kind: Kind
    alert: Alert
    body: bytes
    own: bool = False
    incident: str = ""
    members: tuple[str, ...] = ()

    @property
    def id(self) -> str:
        """Which alert or incident it is."""
        return self.alert.alert_id

    @property
    def key(self) -> str:
        """The same for every try: receivers that know it have this revision already."""
        return f"{self.alert.alert_id}:{self.alert.revision}"

    @property
    def own_about(self) -> str | None:
        """The output that this alert calls broken; None for every other alert."""
        own = self.alert.system == OWN_SYSTEM and self.alert.rule == UNDELIVERED
        return self.alert.subject.value if own else None


def _alert(body: bytes) -> Item:
    return Item(kind="alert", alert=alerts.decode(body), body=body)


def _incident(body: bytes) -> Item:
    told = incidents.decode(body)
    return Item(
        kind="incident",
        alert=_as_alert(told),
        body=body,
        incident=told.merged_into or told.incident_id,
        members=tuple(told.alerts),
    )


def _as_alert(told: Incident) -> Alert:
    """For heads and flat formats, which know the fields of an alert."""
    counts = told.counts | {"accounts": told.accounts_tried}
    said = ", ".join(f"{count} {name}" for name, count in counts.items())
    return Alert(
        alert_id=told.incident_id,
        revision=told.revision,
        system=told.system,
        rule="incident",
        rule_version="",
        severity=told.severity,
        opened_at=told.first_seen,
        updated_at=told.last_seen,
        subject=AlertSubject("incident", told.incident_id),
        counts=counts,
        window_s=0,
        threshold=0,
        accounts=told.accounts[:LISTED],
        ips=told.ips[:LISTED],
        event_ids=[],
        attack_ids=[],
        checklist_item="",
        summary=f"campaign ({told.kind}), {told.status}: {said}",
    )


DECODERS: Final[Mapping[Kind, Callable[[bytes], Item]]] = {"alert": _alert, "incident": _incident}


def item_of(kind: Kind, body: bytes) -> Item:
    """The item of a record's bytes. Raises msgspec.DecodeError."""
    return DECODERS[kind](body)


def own_item(alert: Alert) -> Item:
    """An alert that this part raises itself."""
    return Item(kind="alert", alert=alert, body=alerts.encode(alert), own=True)
