"""Two persons: whoever approves is another one than whoever decided."""

from __future__ import annotations

import unicodedata
from datetime import timedelta

import msgspec

from detectors.errors import LoginwardError, escaped

from .records import Line, Text

APPROVAL_DUE = timedelta(hours=24)
"""Emergency changes and mutes owe an approval within this time (COMPLIANCE.md 1, D3)."""


def checked(option: str, text: str) -> str:
    """A name or a reason as the ledger takes it. Raises LoginwardError with `option`."""
    said = text.strip()
    try:
        return msgspec.convert(said, Text)
    except msgspec.ValidationError:
        raise LoginwardError(
            f"{option}: '{escaped(said, 60)}': write 1 to 500 characters; they stand in the history"
        ) from None


def must_differ(first: Line, by: str) -> None:
    """Raises LoginwardError where `by` is the one who made `first`, however it is spelled."""
    if _same(first.by, by):
        raise LoginwardError(
            f"--by: {escaped(by, 60)} made line {first.number} too; another person must approve it"
        )


def _same(one: str, other: str) -> bool:
    return _folded(one) == _folded(other)


def _folded(name: str) -> str:
    return "".join(unicodedata.normalize("NFKC", name).casefold().split())
