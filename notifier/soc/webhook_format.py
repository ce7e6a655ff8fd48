"""The JSON body of a webhook: an envelope around the alert or incident, as it stands in Kafka."""

from __future__ import annotations

from typing import Final

import msgspec

from .item import Item

SCHEMA: Final = 1


def body(item: Item) -> bytes:
    """`{"schema", "type", "idempotency_key", "alert" or "incident"}`.

    An alert says `incident_id` beside, once its incident is known: the rest is the same bytes for
    every try.
    """
    head = {"schema": SCHEMA, "type": item.kind, "idempotency_key": item.key}
    if item.kind == "alert" and item.incident:
        head["incident_id"] = item.incident
    return msgspec.json.encode(head | {item.kind: msgspec.Raw(item.body)})
