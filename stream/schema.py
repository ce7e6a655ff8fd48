"""The JSON Schema of a record of `logins`, made from the type that decodes it.

`python -m stream.schema` writes docs/event.schema.json; a test holds it to the type.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from detectors.events import LoginEvent

DIALECT = "https://json-schema.org/draft/2020-12/schema"
NAME = "urn:loginward:login-event:1"
FILE = Path("docs/event.schema.json")


def event_schema() -> dict[str, Any]:
    """The schema. Unknown fields are allowed: they are archived, and rules ignore them."""
    return {"$schema": DIALECT, "$id": NAME, **msgspec.json.schema(LoginEvent)}


def schema_text() -> bytes:
    """What stands in docs/event.schema.json."""
    return msgspec.json.format(msgspec.json.encode(event_schema()), indent=2) + b"\n"


if __name__ == "__main__":
    (Path(__file__).resolve().parent.parent / FILE).write_bytes(schema_text())
