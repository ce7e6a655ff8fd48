"""Reads the customer list that the firm exports: CSV with account, customer and class."""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from io import TextIOWrapper
from pathlib import Path
from typing import Final, Protocol, cast

from detectors.errors import LoginwardError, escaped
from detectors.events import AccountClass
from detectors.pseudonyms import Pseudonyms

from .directory_file import CLASSES, encode, record

COLUMNS: Final = ("account", "customer", "class")
_LONGEST: Final = {"account": 256, "customer": 64, "class": 16}
"""Characters; an account is bounded as on the wire (DESIGN.md 3)."""
_MOST_NAMED: Final = 20
_STEP: Final = 10_000
"""Lines between two signs of progress."""


class _Lines(Protocol):
    """What csv.reader gives: cells by line, and how many lines of the file it has read."""

    line_num: int

    def __iter__(self) -> Iterator[list[str]]: ...

    def __next__(self) -> list[str]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Export:
    """One customer list to be read: its file, which column is which, and its age.

    `columns` maps our names to those in the file; `as_of` (aware) is when it was exported, by
    default the file's own date.
    """

    file: Path
    columns: Mapping[str, str] = field(default_factory=dict)
    as_of: datetime | None = None


def column_map(text: str) -> dict[str, str]:
    """`account=LOGIN_ID,class=STATUS` as a mapping. Raises LoginwardError."""
    mapped: dict[str, str] = {}
    for part in text.split(","):
        ours, equals, theirs = part.partition("=")
        if ours.strip() not in COLUMNS or not equals or not theirs.strip():
            raise LoginwardError(
                f"--column-map: '{escaped(part)}': write OURS=THEIRS with commas between, ours "
                f"being {', '.join(COLUMNS)}: account=LOGIN_ID,customer=CUST_NO"
            )
        mapped[ours.strip()] = theirs.strip()
    return mapped


def directory_of(
    export: Export,
    names: Pseudonyms,
    *,
    now: datetime,
    shrink_reason: str = "",
    progress: Callable[[int], object] = lambda _: None,
) -> bytes:
    """The directory file of a list. Raises LoginwardError with every bad line, up to 20.

    A list with a bad line is refused whole: whoever is missing in it would be called unknown. No
    message shows an account or a customer.
    """
    path = export.file
    with path.open("rb") as raw:
        written = datetime.fromtimestamp(path.stat().st_mtime, tz=UTC)
        source = hashlib.file_digest(raw, "sha256").hexdigest()
        raw.seek(0)
        # utf-8-sig: Excel writes a byte order mark in front of its "CSV UTF-8".
        with TextIOWrapper(raw, encoding="utf-8-sig", newline="") as text:
            records = list(_records(csv.reader(text, strict=True), export, names, progress))
    if not records:
        raise LoginwardError(f"{path}: holds no account; everybody would be called unknown")
    return encode(
        records,
        key_id=names.key_id,
        as_of=min(export.as_of or written, now),
        loaded_at=now,
        source_sha256=source,
        shrink_reason=shrink_reason,
    )


def _records(
    lines: _Lines, export: Export, names: Pseudonyms, progress: Callable[[int], object]
) -> Iterator[bytes]:
    """The records of all lines; raises at the end if any line was bad."""
    path = export.file
    problems: list[str] = []
    try:
        places = _places(next(lines, []), export)
        for row in lines:
            if not row:
                continue
            wrong = _wrong(row, places)
            if wrong is None:
                account, customer, kind = (row[place] for place in places)
                yield record(
                    account, cast("AccountClass", kind.strip().lower()), customer.strip(), names
                )
            else:
                problems.append(f"{path}:{lines.line_num} {wrong}")
                if len(problems) == _MOST_NAMED:
                    problems.append(f"{path}: perhaps more; mend these first")
                    break
            if lines.line_num % _STEP == 0:
                progress(_STEP)
    except UnicodeDecodeError:
        # The decoder reads ahead in blocks, so the line is a lower bound.
        problems.append(f"{path}:{lines.line_num + 1} or later: is not UTF-8; export it as UTF-8")
    except csv.Error as failure:
        problems.append(f"{path}:{lines.line_num}: is not CSV: {failure}")
    if problems:
        raise LoginwardError("\n".join(problems))


def _places(header: list[str], export: Export) -> tuple[int, int, int]:
    """Where account, customer and class stand in a line."""
    found = [cell.strip() for cell in header]
    wanted = [export.columns.get(ours, ours) for ours in COLUMNS]
    missing = [name for name in wanted if found.count(name) != 1]
    if missing:
        # The cells are not shown: without a line of names they are a customer's.
        raise LoginwardError(
            f"{export.file}:1: must name one column '{escaped(missing[0])}' among its "
            f"{len(found)}; name yours with --column-map account=...,customer=...,class=..."
        )
    account, customer, kind = (found.index(name) for name in wanted)
    return account, customer, kind


def _wrong(row: list[str], places: tuple[int, int, int]) -> str | None:
    """What is wrong with a line, without its values: they are personal data."""
    if len(row) <= max(places):
        return f"has {len(row)} columns, the first line has more"
    for ours, place in zip(COLUMNS, places, strict=True):
        cell = row[place]
        if not cell.strip():
            return f"{ours}: is empty"
        if len(cell) > _LONGEST[ours]:
            return f"{ours}: {len(cell)} characters; at most {_LONGEST[ours]}"
    if row[places[2]].strip().lower() not in CLASSES:
        return f"class: is none of {', '.join(CLASSES)}"
    return None
