"""Decompresses record batches up to a limit: one small frame must not take all memory.

aiokafka inflates a frame whole, whatever comes out: 1 MiB of zstd can become gigabytes. These
decoders give up at a limit; the frame then counts as damaged and is reported like any other.
"""

from __future__ import annotations

import io
import struct
import zlib

import cramjam
import lz4.frame
import snappy
import zstandard
from aiokafka.errors import CorruptRecordException

_GZIP = 16 + zlib.MAX_WBITS
_PIECE = 256 * 1024
_XERIAL = b"\x82SNAPPY\x00"
_XERIAL_HEADER = 16


class Inflater:
    """The four codecs of Kafka, each up to `limit` bytes; more raises CorruptRecordException."""

    def __init__(self, limit: int) -> None:
        self._limit = limit

    def gzip(self, payload: bytes | memoryview) -> bytes:
        """One or more gzip members."""
        out, rest = io.BytesIO(), bytes(payload)
        while rest:
            inflater = zlib.decompressobj(_GZIP)
            out.write(inflater.decompress(rest, self._limit + 1 - out.tell()))
            self._check(out.tell())
            if not inflater.eof:
                raise CorruptRecordException("its gzip data ends too early")
            rest = inflater.unused_data
        return out.getvalue()

    def snappy(self, payload: bytes | memoryview) -> bytes:
        """A raw snappy block, or blocks in the frame of the Java clients."""
        data = bytes(payload)
        if not data.startswith(_XERIAL):
            self._check(_snappy_size(data))
            return bytes(snappy.uncompress(data))
        out, position = io.BytesIO(), _XERIAL_HEADER
        while position < len(data):
            (size,) = struct.unpack_from(">i", data, position)
            block = data[position + 4 : position + 4 + size]
            self._check(out.tell() + _snappy_size(block))
            out.write(snappy.uncompress(block))
            position += 4 + size
        return out.getvalue()

    def lz4(self, payload: bytes | memoryview) -> bytes:
        """One lz4 frame."""
        inflater = lz4.frame.LZ4FrameDecompressor()
        out, piece = io.BytesIO(), inflater.decompress(payload, max_length=_PIECE)
        while piece:
            out.write(piece)
            self._check(out.tell())
            ended = inflater.eof or inflater.needs_input
            piece = b"" if ended else inflater.decompress(b"", max_length=_PIECE)
        if not inflater.eof:
            raise CorruptRecordException("its lz4 data ends too early")
        return out.getvalue()

    def zstd(self, payload: bytes | memoryview) -> bytes:
        """One or more zstd frames: measured first, since no decoder of it has both a limit and an
        error for data cut off.
        """
        size, scratch = 0, bytearray(_PIECE)
        with zstandard.ZstdDecompressor().stream_reader(payload, read_across_frames=True) as pieces:
            while got := pieces.readinto(scratch):
                size += got
                self._check(size)
        return bytes(cramjam.zstd.decompress(payload, output_len=size))

    def _check(self, size: int) -> None:
        if size > self._limit:
            raise CorruptRecordException(f"inflates to more than {self._limit} bytes")


def bound_inflation(limit: int) -> None:
    """Make aiokafka of this process inflate no frame beyond `limit` bytes."""
    # Both of aiokafka's parsers: the compiled one, and the one it falls back to.
    from aiokafka.record import default_records  # noqa: PLC0415 - only where it is changed
    from aiokafka.record._crecords import default_records as compiled  # noqa: PLC0415

    inflater = Inflater(limit)
    for module in (default_records, compiled):
        module.gzip_decode = inflater.gzip
        module.snappy_decode = inflater.snappy
        module.lz4_decode = inflater.lz4
        module.zstd_decode = inflater.zstd


def _snappy_size(block: bytes) -> int:
    """The inflated size a raw snappy block declares: a varint at its start, binding on it."""
    size = shift = 0
    for byte in block[:5]:
        size |= (byte & 0x7F) << shift
        if byte < 0x80:  # noqa: PLR2004 - the bit that says the number goes on
            return size
        shift += 7
    raise CorruptRecordException("its snappy data has no size")
