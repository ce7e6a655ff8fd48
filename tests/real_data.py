"""Public logs of real attacks, where they lie beside the checkout; else tests are skipped."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from detectors import wire
from detectors.events import LoginEvent

from .checkout import ROOT

FOLDER = ROOT.parent / "shared" / "data"


def lines(name: str) -> list[dict[str, Any]]:
    """The objects of a file of JSON lines; skips the test where the data is absent."""
    path = _present(name)
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def document(name: str) -> Any:
    """A JSON document; skips the test where the data is absent."""
    return json.loads(_present(name).read_text(encoding="utf-8"))


def logins(name: str, *, system: str = "sshd") -> list[LoginEvent]:
    """A set's events as they would come off the wire, numbered in their order."""
    return [_login(number, line, system) for number, line in enumerate(lines(name))]


def _login(number: int, line: dict[str, Any], system: str) -> LoginEvent:
    said = {
        "schema": 1,
        "event_id": str(number),
        "occurred_at": line["ts"],
        "received_at": line["ts"],  # as an import of old files sets it
        "system": system,
        "account": line["user"],
        "ip": line["ip"],
        "outcome": line["outcome"],
        "user_agent": line["user_agent"],
    }
    if line["reason"] is not None:
        said["reason"] = line["reason"]
    return wire.decode(json.dumps(said).encode())


def _present(name: str) -> Path:
    path = FOLDER / name
    if not path.is_file():
        pytest.skip(f"{name}: the public logs are not beside this checkout (../shared/data)")
    return path
