"""What a login record says beyond the fields we know: archived with it, ignored by rules."""

from __future__ import annotations

import hashlib
import json
import math
from typing import Any

import msgspec

from detectors.events import LoginEvent, Origin
from detectors.secrets_scrub import scrub

_LONGEST_NUMBER = 300
"""Digits beyond which an unknown number is kept as text: Python refuses 4,300, msgspec 1e309."""


class _KnownOrigin(Origin, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An origin with no field we do not know."""


class _KnownLogin(LoginEvent, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A login with no field we do not know, and a `seq` that fits 64 bits."""

    origin: _KnownOrigin | None = None


_check = msgspec.json.Decoder(_KnownLogin).decode
_LOGIN = frozenset(LoginEvent.__struct_fields__)
_ORIGIN = frozenset(Origin.__struct_fields__)


def unknown(raw: bytes, event: LoginEvent) -> bytes | None:
    """The unknown fields of a record that decoded as `event`, as JSON, secrets scrubbed; or None.

    A `seq` of more than 64 bits is among them, since no column holds it.
    """
    big = event.seq is not None and abs(event.seq) >= 2**63
    if not big:
        try:
            _check(raw)
        except msgspec.DecodeError:
            pass
        else:
            return None
    tree = _tree(raw)
    if tree is None:
        return _unreadable(raw)
    extra = {name: value for name, value in tree.items() if name not in _LOGIN}
    origin = tree.get("origin")
    inner = (
        {name: value for name, value in origin.items() if name not in _ORIGIN}
        if isinstance(origin, dict)
        else {}
    )
    if inner:
        extra["origin"] = inner
    if big:
        extra["seq"] = str(event.seq)
    return msgspec.json.encode(extra, order="sorted") if extra else None


def _tree(raw: bytes) -> dict[str, Any] | None:
    try:
        return msgspec.json.decode(scrub(raw), type=dict[str, Any])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return _lenient(raw)


def _lenient(raw: bytes) -> dict[str, Any] | None:
    """The typed decoder skips unknown values without judging them: bad UTF-8, huge numbers."""
    try:
        tree = json.loads(
            raw.decode("utf-8", "replace"), parse_int=_int, parse_float=_float, parse_constant=str
        )
        return msgspec.json.decode(
            scrub(json.dumps(tree, ensure_ascii=False).encode()), type=dict[str, Any]
        )
    except (ValueError, RecursionError):
        return None


def _int(digits: str) -> int | str:
    return int(digits) if len(digits) <= _LONGEST_NUMBER else digits


def _float(digits: str) -> float | str:
    number = float(digits)
    return number if math.isfinite(number) and len(digits) <= _LONGEST_NUMBER else digits


def _unreadable(raw: bytes) -> bytes:
    """Neither reader could take the unknown fields apart, and unscrubbed they are not written."""
    return msgspec.json.encode(
        {"unreadable": {"bytes": len(raw), "sha256": hashlib.sha256(raw).hexdigest()}}
    )
