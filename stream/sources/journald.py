"""One entry of the systemd journal as `journalctl -o json` writes it.

Fields: https://www.freedesktop.org/software/systemd/man/latest/systemd.journal-fields.html
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec

from detectors.errors import Rejected

from .stamps import from_microseconds


class Entry(msgspec.Struct, frozen=True):
    """The fields that matter of one entry."""

    occurred_at: datetime
    host: str
    program: str
    process: str
    message: str


class _Fields(msgspec.Struct, frozen=True):
    # A field given several times is a list of texts, one that is no UTF-8 a list of numbers, and
    # one larger than journalctl's limit is null: hence Any.
    message: Any = msgspec.field(name="MESSAGE", default=None)
    identifier: Any = msgspec.field(name="SYSLOG_IDENTIFIER", default=None)
    command: Any = msgspec.field(name="_COMM", default=None)
    process: Any = msgspec.field(name="_PID", default=None)
    syslog_process: Any = msgspec.field(name="SYSLOG_PID", default=None)
    host: Any = msgspec.field(name="_HOSTNAME", default=None)
    sent: Any = msgspec.field(name="_SOURCE_REALTIME_TIMESTAMP", default=None)
    received: Any = msgspec.field(name="__REALTIME_TIMESTAMP", default=None)


_decode = msgspec.json.Decoder(_Fields).decode


def read_entry(raw: bytes) -> Entry:
    """One entry. Raises `Rejected` where the line is no journal entry or has no time."""
    try:
        fields = _decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as problem:
        raise Rejected("unparsable_line", f"no journal entry: {problem}") from None
    time = _text(fields.sent) or _text(fields.received)
    if not time:
        raise Rejected("unparsable_line", "a JSON object without __REALTIME_TIMESTAMP")
    return Entry(
        from_microseconds(time),
        _text(fields.host),
        _text(fields.identifier) or _text(fields.command),
        _text(fields.syslog_process) or _text(fields.process),
        _text(fields.message),
    )


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, list) and value:
        if isinstance(value[0], str):
            return value[0]
        if all(isinstance(byte, int) and 0 <= byte <= 255 for byte in value):  # noqa: PLR2004 (a byte)
            return bytes(value).decode("utf-8", "backslashreplace")
    return ""
