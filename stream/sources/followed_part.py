"""One file of a followed log, read by byte offsets; a log is a row of them, oldest first."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from .base import Line
from .file_identity import HEAD_BYTES, FileId, begins_as, identify, is_packed, open_plain
from .lines import read_line

SPAN = 1 << 40
"""Places of one file: 1 TiB, more than any log has bytes."""


@dataclass(slots=True, eq=False)
class Part:
    """An open file of the log.

    `base` is the place of its first byte, `there` how many bytes had been written before following
    began, `offset` the byte to be read next. `retired`: nobody writes to it any more.
    """

    name: str
    identity: FileId
    stream: IO[bytes]
    base: int
    there: int
    retired: bool
    offset: int = 0
    spent: bool = False

    @property
    def at(self) -> int:
        """The place of the byte to be read next."""
        return self.base + self.offset

    @property
    def changed_ns(self) -> int:
        """When the file was last written, even if it has no name any more."""
        return os.fstat(self.stream.fileno()).st_mtime_ns

    def line(self, *, final: bool) -> Line | None:
        """The next line; one without an end only if `final`, since its rest may be on its way."""
        read = None if self.spent else read_line(self.stream, self.at)
        if read is None:
            return None
        if not read.ended and not final:
            self.stream.seek(self.offset)
            return None
        self.offset += read.size
        return read.line

    def truncated(self) -> bool:
        """Whether the file lost what was read of it, whatever was written to it since."""
        size = os.fstat(self.stream.fileno()).st_size
        return size < self.offset or not begins_as(self.stream, self.identity)

    def grow(self) -> None:
        """Know a file by more of its first bytes once it has them."""
        if not self.retired and self.identity.head_bytes < HEAD_BYTES and not self.truncated():
            self.identity = identify(self.stream)

    def seek(self, offset: int) -> None:
        """Go on at `offset`."""
        self.offset = offset
        self.stream.seek(offset)

    def spend(self) -> None:
        """Nothing more can be read of this file."""
        self.spent = self.retired = True

    def close(self) -> None:
        """Close the file."""
        self.stream.close()


def opened(path: Path, *, base: int, there: int) -> Part:
    """The file from its start; a compressed one is retired, any other may still be written."""
    stream = open_plain(path)
    identity = identify(stream)
    stream.seek(0)
    return Part(path.name, identity, stream, base, there, retired=is_packed(stream))


def copied(path: Path, original: Part) -> Part:
    """The copy of a file that was then truncated, to be read in its stead from there on."""
    stream = open_plain(path)
    stream.seek(original.offset)
    return Part(
        path.name,
        original.identity,
        stream,
        original.base,
        original.there,
        retired=True,
        offset=original.offset,
    )
