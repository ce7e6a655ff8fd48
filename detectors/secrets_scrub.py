"""Fields that look like a secret lose their value before anything is written: only its length
stays.
"""

from __future__ import annotations

import re
from typing import Any

import msgspec

SECRET_NAMES = (
    "password",
    "passwd",
    "passphrase",
    "pwd",
    "pin",
    "pincode",
    "otp",
    "totp",
    "secret",
    "clientsecret",
    "token",
    "accesstoken",
    "refreshtoken",
    "idtoken",
    "authorization",
    "cookie",
    "setcookie",
    "apikey",
    "privatekey",
    "cvv",
    "cvc",
    "credential",
    "credentials",
    "securityanswer",
)
"""Names of fields, compared without case, `_`, `-`, `.` and spaces; also as the end of a longer
name.
"""

_SUFFIXES = ("password", "passwd", "pwd", "secret", "token", "otp", "apikey", "privatekey")
_HINTS = (
    *(b"pass", b"pwd", b"pin", b"otp", b"secret", b"token", b"author", b"cookie", b"key"),
    *(b"cvv", b"cvc", b"credential", b"security"),
    rb"\u",  # an escaped letter may hide any of them
)
_SEPARATORS = b" \t_.-"
_LOWER = bytes.maketrans(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ", b"abcdefghijklmnopqrstuvwxyz")
_FOLD = re.compile(r"[\s_.\-]")


def is_secret(name: str) -> bool:
    """Whether a field of this name must never be written with its value."""
    folded = _FOLD.sub("", name).casefold()
    return folded in SECRET_NAMES or folded.endswith(_SUFFIXES)


def scrub(raw: bytes) -> bytes:
    """`raw` with every secret-shaped field's value replaced by `removed:<length>`; other bytes as
    they were.

    A record that is no JSON object, or nested without end, is returned unchanged. Records without
    any hint of a secret (nearly all) cost a few substring searches.
    """
    folded = raw.translate(_LOWER, _SEPARATORS)
    folded = folded.replace(b'"badpassword"', b"")  # a reason on the wire, not a field
    if not any(hint in folded for hint in _HINTS):
        return raw
    try:
        tree = msgspec.json.decode(raw)
        return msgspec.json.encode(tree) if _clean(tree) else raw
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        return raw


def _clean(tree: Any) -> bool:
    """Replace secrets in place; whether there were any. No recursion: depth is the sender's."""
    found = False
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        if isinstance(node, list):
            waiting += node
        elif isinstance(node, dict):
            for name, value in node.items():
                if value is not None and is_secret(name):
                    node[name], found = f"removed:{_length(value)}", True
                else:
                    waiting.append(value)
    return found


def _length(value: Any) -> int:
    return len(value) if isinstance(value, str) else len(msgspec.json.encode(value))
