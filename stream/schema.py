"""JSON Schemas of the records of Kafka's topics, made from the types that write and read them.

`python -m stream.schema` writes docs/event.schema.json, what core systems send (`logins`), and
docs/records.schema.json, what loginward sends; a test holds both to the types.
"""

from __future__ import annotations

from inspect import cleandoc
from pathlib import Path
from typing import Any, Final

import msgspec

from detectors.alerts import Alert
from detectors.events import LoginEvent
from detectors.incidents import Incident
from detectors.notices import Confirmation, NoticeStep
from detectors.verdicts import Verdict

from .judged import Judged

DIALECT = "https://json-schema.org/draft/2020-12/schema"
NAME = "urn:loginward:login-event:1"
FILE = Path("docs/event.schema.json")
RECORDS_NAME = "urn:loginward:records:1"
RECORDS_FILE = Path("docs/records.schema.json")

RECORDS: Final = {
    "judged": Judged,
    "alerts": Alert,
    "verdicts": Verdict,
    "incidents": Incident,
    "notices": NoticeStep,
    "confirmations": Confirmation,
}
"""What loginward writes, by topic; `logins.rejected` holds bytes as they came."""


def event_schema() -> dict[str, Any]:
    """The schema. Unknown fields are allowed: they are archived, and rules ignore them."""
    return {"$schema": DIALECT, "$id": NAME, **msgspec.json.schema(LoginEvent)}


def records_schema() -> dict[str, Any]:
    """A schema each under `$defs`, by the name of its type; fields may be added later."""
    _, parts = msgspec.json.schema_components(list(RECORDS.values()), ref_template="#/$defs/{name}")
    for part in parts.values():
        # Which Python it was compiled by decides how far a docstring is indented.
        part["description"] = cleandoc(part.get("description", ""))
    return {"$schema": DIALECT, "$id": RECORDS_NAME, "$defs": parts}


def schema_text() -> bytes:
    """What stands in docs/event.schema.json."""
    return _text(event_schema())


def records_text() -> bytes:
    """What stands in docs/records.schema.json."""
    return _text(records_schema())


def _text(schema: dict[str, Any]) -> bytes:
    return msgspec.json.format(msgspec.json.encode(schema), indent=2) + b"\n"


if __name__ == "__main__":
    root = Path(__file__).resolve().parent.parent
    (root / FILE).write_bytes(schema_text())
    (root / RECORDS_FILE).write_bytes(records_text())
