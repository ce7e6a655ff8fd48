"""A core system's own totals of a day, from a CSV or JSON file: by hour, or the day in one row."""

from __future__ import annotations

import csv
import hashlib
import io
from pathlib import Path
from typing import Annotated, Any, Final

import msgspec

from archive.errors import ArchiveError
from detectors.errors import escaped

LARGEST: Final = 1024 * 1024
Count = Annotated[int, msgspec.Meta(ge=0)]
MEASURES: Final = ("successes", "failures", "unknown_accounts")
WAY_OUT: Final = (
    "write the columns hour (0 to 23, or empty for the whole day), successes, failures, "
    "unknown_accounts; what the system does not count is left out"
)


class Row(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One hour of the day (local), or all of it; None: the system does not count that."""

    hour: Annotated[int, msgspec.Meta(ge=0, le=24)] | None = None
    successes: Count | None = None
    failures: Count | None = None
    unknown_accounts: Count | None = None


class CoreTotals(msgspec.Struct, frozen=True, kw_only=True):
    """The file as it was read."""

    name: str
    sha256: str
    rows: list[Row]


def read(path: Path) -> CoreTotals:
    """The totals of `path`. Raises ArchiveError with the line of what is wrong."""
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST + 1)
    except OSError as failure:
        raise ArchiveError(f"{path}: {failure.strerror}; name a file of totals") from None
    if len(content) > LARGEST:
        raise ArchiveError(f"{path}: larger than {LARGEST} bytes; {WAY_OUT}")
    json = path.suffix.lower() == ".json"
    rows = _from_json(path, content) if json else _from_csv(path, content)
    periods = [row.hour for row in rows]
    if not rows or len(set(periods)) < len(periods) or (None in periods and len(periods) > 1):
        raise ArchiveError(f"{path}: no row, an hour twice, or hours beside the day; {WAY_OUT}")
    return CoreTotals(name=path.name, sha256=hashlib.sha256(content).hexdigest(), rows=rows)


def _from_json(path: Path, content: bytes) -> list[Row]:
    try:
        return msgspec.json.decode(content, type=list[Row])
    except (msgspec.DecodeError, UnicodeDecodeError) as failure:
        raise ArchiveError(f"{path}: {escaped(str(failure))}; {WAY_OUT}") from None


def _from_csv(path: Path, content: bytes) -> list[Row]:
    try:
        reader = csv.DictReader(io.StringIO(content.decode("utf-8-sig")), strict=True)
        return [_row(path, reader.line_num, told) for told in reader]
    except (UnicodeDecodeError, csv.Error) as failure:
        raise ArchiveError(f"{path}: {escaped(str(failure))}; {WAY_OUT}") from None


def _row(path: Path, line: int, told: dict[Any, Any]) -> Row:
    given = {key: value for key, value in told.items() if value not in (None, "")}
    try:
        return msgspec.convert(given, Row, strict=False)
    except msgspec.ValidationError as failure:
        raise ArchiveError(f"{path}:{line}: {escaped(str(failure))}; {WAY_OUT}") from None
