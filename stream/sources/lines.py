"""Lines of files, pipes and gzip files: whole, bounded, numbered, damage told by its place."""

from __future__ import annotations

import gzip
import hashlib
import io
import zlib
from collections.abc import Iterator
from typing import IO, BinaryIO, cast

from detectors.errors import LoginwardError
from detectors.wire import MAX_RECORD_BYTES

from .base import Cut, Line

_GZIP = b"\x1f\x8b"
_CHUNK = 1024 * 1024


class DamagedInputError(LoginwardError):
    """A compressed file that ends early or is damaged; what came before has been read."""


def numbered(stream: BinaryIO, name: str) -> Iterator[Line]:
    """The lines of `stream` (gzip or not, told by its first bytes), `at` = line number from 1.

    A line longer than a record may be is cut: its first 64 KiB, the SHA-256 and the length of the
    whole remain, and never more than that is held. Raises `DamagedInputError`.
    """
    plain, packed = _unpacked(stream)
    number = 0
    try:
        while True:
            line = read_line(plain, number + 1)
            if line is None:
                return
            number += 1
            yield line
    except (EOFError, zlib.error, gzip.BadGzipFile) as problem:
        if not packed:
            raise
        raise DamagedInputError(
            f"{name}: after line {number}: the gzip data is damaged or ends early ({problem}); "
            "what stands before was read. Get the file again"
        ) from None


def read_line(stream: IO[bytes], at: int) -> Line | None:
    """The next line of `stream`, without its end; None at the end of the stream."""
    limit = MAX_RECORD_BYTES + 2  # room for the end of the line
    raw = stream.readline(limit)
    if not raw:
        return None
    body = raw.rstrip(b"\r\n")
    whole = raw.endswith(b"\n") or len(raw) < limit
    return Line(body, at) if whole and len(body) <= MAX_RECORD_BYTES else _cut(stream, raw, at)


def _cut(stream: IO[bytes], raw: bytes, at: int) -> Line:
    digest, length, head, tail = hashlib.sha256(), 0, raw[:MAX_RECORD_BYTES], raw
    while tail:
        ended = tail.endswith(b"\n")
        body = tail[:-1] if ended else tail
        digest.update(body)
        length += len(body)
        tail = b"" if ended else stream.readline(_CHUNK)
    return Line(head, at, Cut(digest.hexdigest(), length))


def _unpacked(stream: BinaryIO) -> tuple[IO[bytes], bool]:
    buffered = io.BufferedReader(cast("io.RawIOBase", stream), _CHUNK)
    if buffered.peek(len(_GZIP))[: len(_GZIP)] != _GZIP:
        return buffered, False
    return cast("IO[bytes]", gzip.GzipFile(fileobj=buffered, mode="rb")), True
