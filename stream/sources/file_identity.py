"""Which file is which, whatever it is called now: log rotation renames, copies and compresses."""

from __future__ import annotations

import gzip
import hashlib
import os
import re
from pathlib import Path
from typing import IO, cast

import msgspec

from .lines import DAMAGE, GZIP

HEAD_BYTES = 1024
"""The first lines of a log, with their times, tell it from any other."""

_ROTATED = re.compile(r"[.-](?:(?P<number>\d{1,6})|\d{8}(?:-?\d{1,10})?)(?P<packed>\.gz)?")
"""What logrotate puts behind a name: .1, .2.gz, -20261122, -20261122-1700000000.gz."""


class FileId(msgspec.Struct, frozen=True):
    """A file by device and inode, and by the SHA-256 of its first `head_bytes` bytes."""

    device: int
    inode: int
    head_bytes: int
    head_sha256: str


def identify(stream: IO[bytes]) -> FileId:
    """The identity of an open file, by what it holds if it is compressed."""
    status = os.fstat(stream.fileno())
    head = _head(stream, HEAD_BYTES)
    return FileId(status.st_dev, status.st_ino, len(head), hashlib.sha256(head).hexdigest())


def begins_as(stream: IO[bytes], known: FileId) -> bool:
    """Whether the file begins with the bytes `known` began with; true of its copy too."""
    head = _head(stream, known.head_bytes)
    return len(head) == known.head_bytes and hashlib.sha256(head).hexdigest() == known.head_sha256


def _head(stream: IO[bytes], size: int) -> bytes:
    if is_packed(stream):
        stream.seek(0)
        return stream.read(size)
    # Not through the stream: its buffer would still hold what the file was before a truncation.
    return os.pread(stream.fileno(), size, 0)


def is_packed(stream: IO[bytes]) -> bool:
    """Whether the stream decompresses what it reads."""
    opened: object = stream  # gzip.GzipFile is no IO for the type checker
    return isinstance(opened, gzip.GzipFile)


def open_plain(path: Path) -> IO[bytes]:
    """The file, decompressed where it is gzip, seekable."""
    stream: IO[bytes] = path.open("rb")
    if stream.read(len(GZIP)) != GZIP:
        stream.seek(0)
        return stream
    stream.close()
    return cast("IO[bytes]", gzip.open(path, "rb"))


def rotated(path: Path) -> list[Path]:
    """What rotation made of `path` before, oldest first; of a file and its .gz only the file."""
    found: list[tuple[int, int, Path]] = []
    for entry in path.parent.iterdir():
        rest = entry.name.removeprefix(path.name)
        match = _ROTATED.fullmatch(rest) if rest != entry.name else None
        if match is None or not entry.is_file():
            continue
        if match["packed"] and entry.with_suffix("").exists():
            continue
        number = int(match["number"] or 0)
        found.append((changed_ns(entry), -number, entry))  # of two as old, .2 was first
    return [entry for _, _, entry in sorted(found)]


def changed_ns(entry: Path) -> int:
    """When the file was last written; 0 for one that is being renamed or removed just now."""
    try:
        return entry.stat().st_mtime_ns
    except FileNotFoundError:
        return 0


def inode(entry: Path) -> tuple[int, int]:
    """Device and inode of what has that name now."""
    status = entry.stat()
    return status.st_dev, status.st_ino


def find(path: Path, known: FileId) -> Path | None:
    """Where the file `known` is now: `path` itself, or what rotation made of it; None if gone."""
    fitting = [entry for entry in (path, *reversed(rotated(path))) if _fits(entry, known)]
    same = [entry for entry in fitting if _is(entry, known)]
    if same:
        return same[0]
    # Everything begins like an empty file, so that one is known by its inode alone.
    return fitting[0] if fitting and known.head_bytes else None


def _is(entry: Path, known: FileId) -> bool:
    return inode(entry) == (known.device, known.inode)


def _fits(entry: Path, known: FileId) -> bool:
    try:
        with open_plain(entry) as stream:
            return begins_as(stream, known)
    except (OSError, *DAMAGE):
        return False  # not ours to read, gone, or no longer what it was: not the one we know
