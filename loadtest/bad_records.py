"""Records that no decoder may accept and no process may die of, each different from all others."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, NamedTuple

_LARGE = 70_000
_DEEP = 20_000


class Bad(NamedTuple):
    """One planted record: `kind` says what is wrong with it."""

    kind: str
    value: bytes | None


def _event(serial: int, run: str, **changed: Any) -> dict[str, Any]:
    event: dict[str, Any] = {
        "schema": 1,
        "event_id": f"{run}-bad-{serial}",
        "occurred_at": "2026-11-16T01:00:00Z",
        "system": "trading-web",
        "account": "A000000001",
        "ip": "192.0.2.1",
        "outcome": "failure",
    }
    return event | changed


def _json(serial: int, run: str, **changed: Any) -> bytes:
    return json.dumps(_event(serial, run, **changed)).encode()


def _without(name: str) -> Callable[[int, str], bytes]:
    def made(serial: int, run: str) -> bytes:
        event = _event(serial, run)
        if name == "event_id":
            event["device_id"] = event["event_id"]  # still distinct
        del event[name]
        return json.dumps(event).encode()

    return made


def _with(**changed: Any) -> Callable[[int, str], bytes]:
    return lambda serial, run: _json(serial, run, **changed)


_KINDS: dict[str, Callable[[int, str], bytes]] = {
    "cut_off": lambda serial, run: _json(serial, run)[:-9],
    "no_json": lambda serial, run: f"Failed password for root {run} {serial}".encode(),
    "no_object": lambda serial, run: f'["{run}",{serial}]'.encode(),
    "wrong_type": _with(account=7),
    "wrong_type_ip": _with(ip=["192.0.2.1"]),
    "missing_account": _without("account"),
    "missing_ip": _without("ip"),
    "missing_event_id": _without("event_id"),
    "missing_outcome": _without("outcome"),
    "other_schema": _with(schema=2),
    "no_time": _with(occurred_at="yesterday"),
    "no_offset": _with(occurred_at="2026-11-16T01:00:00"),
    "before_1970": _with(occurred_at="1901-12-13T20:45:52Z"),
    "no_address": _with(ip="192.0.2.999"),
    "octal_address": _with(ip="192.0.2.010"),
    "outcome": _with(outcome="maybe"),
    "long_account": _with(account="a" * 257),
    "control_system": _with(system="trading\x1b[2J"),
    "too_large": _with(user_agent="x" * _LARGE),
    "nul": lambda serial, run: _json(serial, run).replace(b"A000", b"A\x0000"),
    "not_utf8": lambda serial, run: _json(serial, run).replace(b"A000", b"\xff\xfe0"),
    "deep": lambda serial, run: (
        b'{"event_id":"%s-bad-%d","x":%s'
        % (
            run.encode(),
            serial,
            b"[" * _DEEP,
        )
    ),
    "nan": lambda serial, run: _json(serial, run).replace(b'"schema": 1', b'"schema": NaN'),
    "utf16": lambda serial, run: json.dumps(_event(serial, run)).encode("utf-16-be"),
    "two_documents": lambda serial, run: _json(serial, run) + b" {}",
}


def planted(count: int, run: str) -> list[Bad]:
    """`count` bad records, kinds in turn, no two alike and none with a line break."""
    kinds = list(_KINDS.items())
    bad = [kinds[serial % len(kinds)] for serial in range(count)]
    return [Bad(kind, make(serial, run)) for serial, (kind, make) in enumerate(bad)]
