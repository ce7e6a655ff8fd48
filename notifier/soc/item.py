"""What waits in the queue: one revision of an alert (later: of an incident) as it came."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, Literal

import msgspec

from detectors import alerts
from detectors.alerts import Alert

Kind = Literal["alert"]
"""What is sent. Incidents join here: a name, a decoder in DECODERS, a topic in `intake`."""

OWN_SYSTEM: Final = "_loginward"
CANARY: Final = "_canary"
UNDELIVERED: Final = "alert_undelivered"


class Item(msgspec.Struct, frozen=True, kw_only=True):
    """One revision. `body` is the record's bytes, sent on unchanged; `alert` is what they say.

    `own`: raised here, and so not yet in the topic.
    """

    kind: Kind
    alert: Alert
    body: bytes
    own: bool = False

    @property
    def id(self) -> str:
        """Which alert it is."""
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


DECODERS: Final[Mapping[Kind, Callable[[bytes], Item]]] = {"alert": _alert}


def item_of(kind: Kind, body: bytes) -> Item:
    """The item of a record's bytes. Raises msgspec.DecodeError."""
    return DECODERS[kind](body)


def own_item(alert: Alert) -> Item:
    """An alert that this part raises itself."""
    return Item(kind="alert", alert=alert, body=alerts.encode(alert), own=True)
