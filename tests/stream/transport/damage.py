"""Damages record batches in a broker's log files, while the broker is down."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from aiokafka.record.util import calc_crc32c

_HEADER = struct.Struct(">qiibIhiqqqhii")
_CRC_AT = struct.calcsize(">qiib")
_ATTRIBUTES_AT = struct.calcsize(">qiibI")
_LENGTH_AT = 8
_OVERHEAD = 12  # base offset and length stand before what the length counts


class Frame(NamedTuple):
    """One record batch in a segment file."""

    position: int
    size: int
    base_offset: int


def frames(data: bytes | bytearray) -> Iterator[Frame]:
    """Every record batch of a segment file."""
    position = 0
    while position < len(data):
        base_offset, length = struct.unpack_from(">qi", data, position)
        yield Frame(position, length + _OVERHEAD, base_offset)
        position += length + _OVERHEAD


def damage(
    server: Path, partition: str, base_offset: int, how: Callable[[bytearray], None]
) -> None:
    """Change the record batch of `topic-number` that begins at `base_offset`, in place."""
    (segment,) = server.rglob(f"{partition}/*.log")
    data = bytearray(segment.read_bytes())
    (frame,) = [f for f in frames(data) if f.base_offset == base_offset]
    part = data[frame.position : frame.position + frame.size]
    how(part)
    data[frame.position : frame.position + frame.size] = part
    segment.write_bytes(data)


def wrong_checksum(frame: bytearray) -> None:
    """Flip a bit of the last record's value, as a bad disk does."""
    frame[-10] ^= 1


def unknown_codec(frame: bytearray) -> None:
    """Say that it is compressed by codec 7, which nobody has."""
    frame[_ATTRIBUTES_AT + 1] |= 7
    _sign(frame)


def broken_records(frame: bytearray) -> None:
    """Make the first record longer than the frame, with a checksum that fits."""
    frame[_HEADER.size] = 0x7E
    _sign(frame)


def lying_header(frame: bytearray) -> None:
    """Say that it ends 1,000 offsets later, and leave the checksum wrong."""
    struct.pack_into(">i", frame, _ATTRIBUTES_AT + 2, 1000)


def _sign(frame: bytearray) -> None:
    struct.pack_into(">I", frame, _CRC_AT, calc_crc32c(bytes(frame[_ATTRIBUTES_AT:])))
