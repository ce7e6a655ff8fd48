"""An alert or incident as a syslog message: RFC 5424, its text one line of ASCII JSON.

ASCII, because a receiver in the middle may cut, re-encode or interpret anything else: full-width
letters, emoji and control characters of an attacker's account name travel as JSON escapes and come
back exactly. Who routes by structured data needs no JSON.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import msgspec

from config.soc_sections import SyslogFormat
from detectors.alerts import Alert
from detectors.errors import escaped

from .flat_formats import cef, leef
from .item import Item

FACILITY: Final = 10
"""security/authorization (RFC 5424 table 1)."""

SEVERITY: Final[Mapping[str, int]] = {"critical": 2, "high": 3, "medium": 4, "low": 5}
"""Of RFC 5424 table 2: critical, error, warning, notice."""

_STAGED: Final = 6
"""Informational: a rule on trial wakes nobody, here neither."""

_PARAM: Final = 256
_CUT: Final = (
    *("event_ids", "growth", "hits", "alerts", "accounts"),
    *("ips", "accounts_hit", "attack_ids"),
)
"""Lists that are shortened where a message is too long, in this order."""

_SHORTEST_SUMMARY: Final = 200
_MICROSECONDS: Final = re.compile(r"(\.\d{6})\d+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sender:
    """What every message says of who sends it, and how long one may be, in bytes."""

    host: str
    enterprise: int
    largest: int
    text: SyslogFormat = "json"


def message(item: Item, sender: Sender) -> bytes:
    """The whole message without framing; never longer than `largest` where that can be done."""
    head = _head(item, sender)
    if sender.text == "json":
        return head + _text(item, sender.largest - len(head))
    # Not the BOM that RFC 5424 has before UTF-8: parsers look for `CEF:` at the very beginning.
    flat = (cef if sender.text == "cef" else leef)(item.alert, item.incident)
    return head + flat.encode()


def framed(said: bytes) -> bytes:
    """With octet counting (RFC 6587 3.4.1, RFC 5425 4.3): nothing inside can end it early."""
    return b"%d %b" % (len(said), said)


def priority(alert: Alert) -> int:
    """PRIVAL: facility times 8 plus severity."""
    severity = SEVERITY[alert.severity] if alert.mode == "live" else _STAGED
    return FACILITY * 8 + severity


def host_name(name: str) -> str:
    """HOSTNAME: printable US-ASCII without blanks, at most 255; `-` where nothing is left."""
    return "".join(c for c in name if "!" <= c <= "~")[:255] or "-"


def _head(item: Item, sender: Sender) -> bytes:
    alert = item.alert
    params = {
        **({"alert": alert.alert_id} if item.kind == "alert" else {}),
        **({"incident": item.incident} if item.incident else {}),
        "revision": str(alert.revision),
        "rule": alert.rule,
        "severity": alert.severity,
        "mode": alert.mode,
        "system": alert.system,
        "subject_type": alert.subject.type,
        "subject": alert.subject.value,
        "item": alert.checklist_item,
    }
    data = "".join(f' {name}="{_param(value)}"' for name, value in params.items())
    return (
        f"<{priority(alert)}>1 {_timestamp(alert.updated_at)} {host_name(sender.host)} loginward - "
        f"{alert.severity.upper()} [loginward@{sender.enterprise}{data}] "
    ).encode()


def _timestamp(text: str) -> str:
    """Event time, with at most the six decimals that RFC 5424 allows; `-` where it is none."""
    short = _MICROSECONDS.sub(r"\1", text)
    try:
        known = datetime.fromisoformat(short).tzinfo is not None
    except ValueError:
        known = False
    return short if known else "-"


def _param(value: str) -> str:
    """PARAM-VALUE (6.3.3): bounded, without control characters, quotes and brackets escaped."""
    clean = escaped(value, _PARAM)
    return clean.replace("\\", "\\\\").replace('"', '\\"').replace("]", "\\]")


def _text(item: Item, room: int) -> bytes:
    said: dict[str, Any] = msgspec.json.decode(item.body)
    encoded = _ascii(said)
    if len(encoded) <= room:
        return encoded
    # JSON that a receiver cuts is none; totals stand in `counts`, the whole in the archive.
    said["cut"] = True
    for name in _CUT:
        values = said.get(name)
        while values and len(encoded) > room:
            values = values[: len(values) // 2]
            said[name] = values
            encoded = _ascii(said)
    if len(encoded) > room:
        said["summary"] = str(said.get("summary", ""))[:_SHORTEST_SUMMARY]
        encoded = _ascii(said)
    return encoded


def _ascii(said: Mapping[str, Any]) -> bytes:
    return json.dumps(said, ensure_ascii=True, separators=(",", ":")).encode("ascii")
