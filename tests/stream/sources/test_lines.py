"""Lines of files: whole, bounded, with damage told by its place."""

from __future__ import annotations

import gzip
import hashlib
import io
import tracemalloc
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.wire import MAX_RECORD_BYTES
from stream.sources.base import Line
from stream.sources.lines import DamagedInputError, numbered

from .logs import read_log


def _stream(content: bytes) -> io.BufferedReader:
    return io.BufferedReader(io.BytesIO(content))


def _drain(reading: Iterator[Line], into: list[bytes]) -> None:
    for line in reading:
        into.append(line.raw)  # noqa: PERF401 (what came before the error must stay)


@given(parts=st.lists(st.binary(max_size=40).filter(lambda b: b"\n" not in b), max_size=8))
@pytest.mark.parametrize("packed", [False, True])
def test_every_line_comes_once_in_order(parts: list[bytes], packed: bool) -> None:
    """Joined by line ends they are the file again; NULs and bad UTF-8 included."""
    content = b"\n".join(part.rstrip(b"\r") for part in parts)
    content = content.removeprefix(b"\x1f\x8b")

    lines = list(numbered(_stream(gzip.compress(content) if packed else content), "log"))

    assert b"\n".join(line.raw for line in lines) == content.removesuffix(b"\n")
    assert [line.at for line in lines] == list(range(1, len(lines) + 1))


def test_a_10_mb_line_is_cut_and_what_follows_is_read() -> None:
    """Of it remain 64 KiB, its SHA-256 and its length; memory stays small; the next is whole."""
    long = b"x" * 10_000_000
    stream = _stream(long + b"\nnext\n")
    tracemalloc.start()
    try:
        first, second = numbered(stream, "log")
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert first.raw == long[:MAX_RECORD_BYTES]
    assert first.cut is not None
    assert (first.cut.length, first.cut.sha256) == (len(long), hashlib.sha256(long).hexdigest())
    assert second.raw == b"next"
    assert peak < 4_000_000


@pytest.mark.parametrize("over", [0, 1])
def test_the_longest_line_is_64_kib(over: int) -> None:
    """One byte more is cut, with or without a line end."""
    content = b"y" * (MAX_RECORD_BYTES + over)

    lines = [*numbered(_stream(content), "log"), *numbered(_stream(content + b"\r\n"), "log")]

    assert [line.cut is not None for line in lines] == [bool(over)] * 2


def test_a_cut_line_is_refused_as_too_large() -> None:
    """It is a reject, not a login, whatever its beginning says."""
    source_line = (
        b"Nov 22 10:00:00 h sshd[1]: Failed password for a from 192.0.2.1 port 1" + b" " * 70_000
    )
    (line,) = numbered(_stream(source_line), "log")
    log = read_log([line.raw])

    assert log.refused == {}  # uncut, the same bytes are a login
    assert line.cut is not None


def test_a_truncated_gzip_file_is_read_up_to_the_damage() -> None:
    """Every line before it comes, then an error that names the file and the line."""
    content = b"".join(
        f"line {n} {hashlib.sha256(str(n).encode())}\n".encode() for n in range(5000)
    )
    lines: list[bytes] = []
    reading = numbered(_stream(gzip.compress(content)[:-2000]), "log.gz")

    with pytest.raises(DamagedInputError, match=r"^log\.gz: after line \d+: the gzip data") as told:
        _drain(reading, lines)

    assert f"after line {len(lines)}:" in str(told.value)
    assert lines == content.splitlines()[: len(lines)]
    assert len(lines) > 3000


def test_a_gzip_file_with_a_wrong_checksum_is_told() -> None:
    """A flipped bit is damage, even where it decompresses."""
    packed = bytearray(gzip.compress(b"a\nb\n"))
    packed[-5] ^= 1

    with pytest.raises(DamagedInputError, match="after line"):
        list(numbered(_stream(bytes(packed)), "log.gz"))
