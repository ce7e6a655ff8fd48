"""What the page signs itself, so that it needs no cookie: forms, and the address of its thanks."""

from __future__ import annotations

import hmac
import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from config.key_files import ensure_key
from detectors.notices import Answer

FORM_LIFETIME: Final = timedelta(hours=4)
"""A form is filled in within minutes; who comes back after lunch may still send it."""

_FORM = re.compile(r"([0-9]{10,12})\.([0-9a-f]{64})")
_SHORT = 32
"""Hexadecimal digits of a receipt's seal: 128 bits."""


@dataclass(frozen=True, slots=True, repr=False)
class Seals:
    """Signs with a key that only processes of this page have."""

    key: bytes

    def form(self, token: str, now: datetime) -> str:
        """The value in a form's hidden field: when the form was given out, for which token."""
        at = str(int(now.timestamp()))
        return f"{at}.{self._seal('form', token, at)}"

    def is_form(self, said: str, token: str, now: datetime) -> bool:
        """Whether `said` came out of `form` for this token, not too long ago."""
        match = _FORM.fullmatch(said)
        if match is None:
            return False
        right = hmac.compare_digest(match[2], self._seal("form", token, match[1]))
        age = now.timestamp() - int(match[1])
        # A second of grace: another process's clock may be ahead by the part we cut off.
        return right and -1 <= age <= FORM_LIFETIME.total_seconds()

    def receipt(self, answer: Answer, number: str) -> str:
        """What makes the address of a page of thanks ours; nobody else can make one to deceive."""
        return self._seal("receipt", answer, number)[:_SHORT]

    def is_receipt(self, said: str, answer: Answer, number: str) -> bool:
        """Whether `said` came out of `receipt`."""
        return hmac.compare_digest(said.encode(), self.receipt(answer, number).encode())

    def _seal(self, *parts: str) -> str:
        return hmac.new(self.key, "\0".join(parts).encode(), "sha256").hexdigest()


def load_seals(path: Path) -> Seals:
    """Seals under the key in `path`; made at first start, one for all processes that use the file.

    Raises LoginwardError as `ensure_key`.
    """
    way_out = "Remove it and a new one is made (open forms then have to be sent twice)"
    return Seals(ensure_key("answers.key_file", path, way_out=way_out))
