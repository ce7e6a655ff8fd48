"""Bulletins for tests, in documentation addresses."""

from __future__ import annotations

import json
from typing import Any
from uuid import NAMESPACE_URL, uuid5

AMBER = "marking-definition--f88d31f6-486f-44da-b317-01333bde0b82"
RED = "marking-definition--e828b379-4e03-4974-9ac4-e53a884c97c1"


def stix_indicator(pattern: Any = "[ipv4-addr:value = '192.0.2.7']", **said: Any) -> dict[str, Any]:
    """An indicator of STIX 2.1; `name` makes its id."""
    return {
        "type": "indicator",
        "spec_version": "2.1",
        "id": f"indicator--{uuid5(NAMESPACE_URL, str(said.get('name', pattern)))}",
        "created": "2026-11-20T00:00:00Z",
        "modified": "2026-11-20T00:00:00Z",
        "pattern": pattern,
        "pattern_type": "stix",
        "valid_from": "2026-11-20T00:00:00Z",
    } | said


def bundle(*objects: Any) -> bytes:
    """A STIX bundle."""
    name = "bundle--b4c7716a-d7b8-4326-9a7a-23da6bce6682"
    return json.dumps({"type": "bundle", "id": name, "objects": objects}).encode()


def misp(*attributes: Any, tags: tuple[str, ...] = (), objects: tuple[Any, ...] = ()) -> bytes:
    """A MISP event."""
    event = {
        "info": "Campaign 7",
        "Tag": [{"name": tag} for tag in tags],
        "Attribute": attributes,
        "Object": [{"Attribute": [one]} for one in objects],
    }
    return json.dumps({"Event": event}).encode()


def attribute(value: Any, kind: str = "ip-src", **said: Any) -> dict[str, Any]:
    """An attribute that MISP calls fit for detection."""
    return {"type": kind, "value": value, "to_ids": True} | said
