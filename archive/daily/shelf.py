"""Where the records of all days lie, and how they get there: whole files, never half ones."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Final

import msgspec

from archive.durable import FILE_MODE, make_folder
from archive.errors import ArchiveError

from . import record as records
from .page import LANGUAGES, Language, page
from .record import DayRecord

_NAME = re.compile(r"(?P<day>\d{4}-\d{2}-\d{2})\.json", re.ASCII)
_PLAIN = re.compile(r"[^A-Za-z0-9_-]+", re.ASCII)
_LARGEST: Final = 64 * 1024 * 1024


class SignedFile(msgspec.Struct, frozen=True, kw_only=True):
    """A file as a signature names it: name, size in bytes, SHA-256 in hex."""

    name: str
    size: int
    sha256: str


def stem(record: DayRecord, *, system: str | None, usual_zone: str) -> str:
    """The files' name: the day; a part of it (one system, another zone's day) says so."""
    parts = [record.date]
    if system is not None:
        # A name may hold anything; of two that look alike the hash tells them apart.
        told = hashlib.sha256(system.encode("utf-8", "surrogatepass")).hexdigest()[:8]
        parts.append(f"{_PLAIN.sub('_', system)[:40]}-{told}")
    if record.tz != usual_zone:
        parts.append(_PLAIN.sub("_", record.tz))
    return ".".join(parts)


def made(record: DayRecord, name: str, languages: tuple[Language, ...]) -> dict[str, bytes]:
    """The JSON and a page a language, by file name."""
    files = {f"{name}.json": records.written(record)}
    return files | {f"{name}.{language}.html": page(record, language) for language in languages}


def put(folder: Path, files: Mapping[str, bytes]) -> list[Path]:
    """Write them; what stood there is replaced. Raises ArchiveError where the folder refuses."""
    try:
        make_folder(folder)
        return [_put(folder / name, content) for name, content in files.items()]
    except OSError as failure:
        raise ArchiveError(
            f"{failure.filename or folder}: {failure.strerror}; name another folder with -o, or "
            "set report.directory"
        ) from None


def _put(path: Path, content: bytes) -> Path:
    partial = path.with_name(f".{path.name}.partial")
    partial.write_bytes(content)
    partial.chmod(FILE_MODE)
    partial.replace(path)
    return path


def files_of(folder: Path, day: date) -> list[SignedFile]:
    """The whole-day files that are there, by name: JSON and pages."""
    names = [f"{day}.json", *(f"{day}.{language}.html" for language in LANGUAGES)]
    found = ((name, _content(folder / name)) for name in sorted(names))
    return [named(name, content) for name, content in found if content is not None]


def named(name: str, content: bytes) -> SignedFile:
    """A file as a signature names it."""
    return SignedFile(name=name, size=len(content), sha256=hashlib.sha256(content).hexdigest())


def digest(path: Path) -> str:
    """SHA-256 of a file, in hex."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def produced(folder: Path) -> Mapping[date, Path]:
    """The days whose JSON is there."""
    if not folder.is_dir():
        return {}
    found = ((_NAME.fullmatch(path.name), path) for path in sorted(folder.iterdir()))
    days: dict[date, Path] = {}
    for match, path in found:
        try:
            days |= {} if match is None else {date.fromisoformat(match["day"]): path}
        except ValueError:
            continue  # 2026-02-31.json is not ours
    return days


def read(folder: Path, day: date) -> DayRecord:
    """The record of a day as it was produced. Raises ArchiveError."""
    path = folder / f"{day}.json"
    content = _content(path)
    if content is None:
        raise ArchiveError(f"{path}: not there; run `loginward report daily --day {day}` first")
    try:
        return records.decode(content)
    except (msgspec.DecodeError, UnicodeDecodeError) as failure:
        raise ArchiveError(f"{path}: {failure}; produce it again") from None


def _content(path: Path) -> bytes | None:
    try:
        with path.open("rb") as file:
            return file.read(_LARGEST)
    except FileNotFoundError:
        return None
