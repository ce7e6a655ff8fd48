"""A rule book with its periods as the text of a rules.toml, so that any day can be judged again."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import fields
from datetime import datetime, timedelta
from typing import Any

from ..durations import written
from ..rule_book import Entry, RuleBook


def as_toml(book: RuleBook, heading: str) -> str:
    """The whole book; read again it is equal. `heading` stands above it as a comment."""
    comment = "".join(f"# {line}\n" for line in heading.splitlines())
    return comment + "".join(f"\n{text}" for rule in book.entries for text in _entries(book, rule))


def _entries(book: RuleBook, rule: str) -> Iterator[str]:
    *before, newest = book.periods(rule)
    yield _table(f"[{rule}]", f"[{rule}.limits]", newest)
    for entry in before:
        yield _table(f"[[{rule}.earlier]]", f"[{rule}.earlier.limits]", entry)


def _table(title: str, limits: str, entry: Entry) -> str:
    lines = [title, *_pairs(entry, [part.name for part in fields(entry)])]
    if entry.limits is not None:
        lines += [limits, *_pairs(entry.limits, [part.name for part in fields(entry.limits)])]
    return "\n".join(lines) + "\n"


def _pairs(of: Any, names: list[str]) -> Iterator[str]:
    for name in names:
        value = getattr(of, name)
        if name != "limits" and value is not None:
            yield f"{name} = {_value(value)}"


def _value(value: object) -> str:
    if isinstance(value, timedelta):
        return f'"{written(value)}"'
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, bool | int | float):
        return json.dumps(value)
    # JSON's escapes are TOML's, save for the one control character that JSON leaves as it is.
    return json.dumps(str(value), ensure_ascii=False).replace("\x7f", "\\u007f")
