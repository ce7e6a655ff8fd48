"""The JSON body of a webhook: an envelope around the alert, the same bytes for every try."""

from __future__ import annotations

from typing import Final

import msgspec

from .item import Item

SCHEMA: Final = 1


def body(item: Item) -> bytes:
    """`{"schema", "type", "idempotency_key", "alert"}`; the alert as it stands in `alerts`."""
    return msgspec.json.encode(
        {
            "schema": SCHEMA,
            "type": item.kind,
            "idempotency_key": item.key,
            item.kind: msgspec.Raw(item.body),
        }
    )
