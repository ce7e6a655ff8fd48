"""Logins found in the archive as lines for a person, a spreadsheet or a program."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from detectors.errors import escaped

from .query import FIELDS

SHORT = ("occurred_at", "system", "action", "outcome", "reason", "account", "ip", "event_id")
"""The columns of the table for a person."""

# A spreadsheet takes a cell that begins like this for a formula (OWASP, CSV injection).
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
_LONGEST = 65_536
"""Characters of a cell: as long as a record can be."""


def table(rows: Iterable[Mapping[str, Any]]) -> Iterator[Sequence[str]]:
    """Rows of the short columns as text; the caller escapes what it prints."""
    for row in rows:
        yield [_text(row[name]) for name in SHORT]


def as_json(rows: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """One JSON object a login, ASCII only: no terminal can be driven by it."""
    for row in rows:
        yield json.dumps(row, ensure_ascii=True)


def as_csv(rows: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """A header and one line a login (RFC 4180), safe to open in a spreadsheet."""
    yield _line(FIELDS)
    for row in rows:
        yield _line(_cell(row[name]) for name in FIELDS)


def _line(cells: Iterable[str]) -> str:
    out = io.StringIO()
    csv.writer(out, lineterminator="").writerow(cells)
    return out.getvalue()


def _cell(value: Any) -> str:
    text = _text(value)
    # The quote goes first: escaping would hide a leading tab or line end.
    guard = "'" if isinstance(value, str) and text.startswith(FORMULA) else ""
    return guard + escaped(text, _LONGEST)


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)
