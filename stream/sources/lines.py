"""Lines of files, pipes and gzip files: whole, bounded, numbered, damage told by its place."""

from __future__ import annotations

import gzip
import hashlib
import io
import zlib
from collections.abc import Iterator
from typing import IO, NamedTuple, cast

from detectors.errors import LoginwardError
from detectors.wire import MAX_RECORD_BYTES

from .base import Cut, Line

GZIP = b"\x1f\x8b"
"""The first bytes of every gzip file (RFC 1952)."""
_CHUNK = 1024 * 1024


DAMAGE = (EOFError, zlib.error, gzip.BadGzipFile)
"""What gzip raises for a file that ends early, is garbled, or fails its checksum."""


class DamagedInputError(LoginwardError):
    """A compressed file that ends early or is damaged; what came before has been read."""


def numbered(stream: io.BufferedReader, name: str) -> Iterator[Line]:
    """The lines of `stream` (gzip or not, told by its first bytes), `at` = line number from 1.

    A line longer than a record may be is cut: its first 64 KiB, the SHA-256 and the length of the
    whole remain, and never more than that is held. Raises `DamagedInputError`.
    """
    plain, packed = _unpacked(stream)
    number = 0
    try:
        while True:
            read = read_line(plain, number + 1)
            if read is None:
                return
            number += 1
            yield read.line
    except DAMAGE as problem:
        if not packed:
            raise
        raise DamagedInputError(
            f"{name}: after line {number}: the gzip data is damaged or ends early ({problem}); "
            "what stands before was read. Get the file again"
        ) from None


class Read(NamedTuple):
    """A line, its size in bytes with its end, and whether it has one: else more may come."""

    line: Line
    size: int
    ended: bool


def read_line(stream: IO[bytes], at: int) -> Read | None:
    """The next line of `stream`; None at the end of the stream."""
    limit = MAX_RECORD_BYTES + 2  # room for the end of the line
    raw = stream.readline(limit)
    if not raw:
        return None
    body, ended = raw.rstrip(b"\r\n"), raw.endswith(b"\n")
    if len(body) <= MAX_RECORD_BYTES and (ended or len(raw) < limit):
        return Read(Line(body, at), len(raw), ended)
    return _cut(stream, raw, at)


def _cut(stream: IO[bytes], raw: bytes, at: int) -> Read:
    digest, length, size, ended, part = hashlib.sha256(), 0, 0, False, raw
    while part:
        size += len(part)
        ended = part.endswith(b"\n")
        body = part[:-1] if ended else part
        digest.update(body)
        length += len(body)
        part = b"" if ended else stream.readline(_CHUNK)
    line = Line(raw[:MAX_RECORD_BYTES], at, Cut(digest.hexdigest(), length))
    return Read(line, size, ended)


def _unpacked(stream: io.BufferedReader) -> tuple[IO[bytes], bool]:
    if stream.peek(len(GZIP))[: len(GZIP)] != GZIP:
        return stream, False
    return cast("IO[bytes]", gzip.GzipFile(fileobj=stream, mode="rb")), True
