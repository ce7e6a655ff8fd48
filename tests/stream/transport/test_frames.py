"""Frames of a fetch: cut anywhere without loss, and damage that ends where two witnesses agree."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from aiokafka.record.default_records import DefaultRecordBatchBuilder
from aiokafka.record.memory_records import MemoryRecords
from hypothesis import given
from hypothesis import strategies as st

from stream.transport import Partition
from stream.transport.frames import Frames

from .damage import broken_records, lying_header, unknown_codec, wrong_checksum


def frame(base: int, count: int, *how: Callable[[bytearray], None]) -> bytes:
    """One record batch of `count` records from offset `base` on, damaged as told."""
    builder = DefaultRecordBatchBuilder(2, 0, 0, -1, -1, -1, 1 << 20)
    for i in range(count):
        builder.append(i, timestamp=0, key=None, value=b"%020d" % (base + i), headers=[])
    built = bytearray(builder.build())
    built[:8] = base.to_bytes(8, "big")
    for change in how:
        change(built)
    return bytes(built)


def frames(data: bytes, *, position: int = 0, limit: int = 1000) -> Frames:
    """A reader of that fetch."""
    return Frames(MemoryRecords(data), position, limit)


@given(
    sizes=st.lists(st.tuples(st.integers(0, 3), st.integers(1, 6)), min_size=1, max_size=6),
    into=st.integers(0, 5),
    limit=st.integers(1, 8),
)
def test_read_in_any_cuts_every_record_comes_once_and_every_offset_is_covered(
    sizes: list[tuple[int, int]], into: int, limit: int
) -> None:
    """Gaps, a start in the middle of a frame and any batch size: same records, chained ranges."""
    data, at = b"", 0
    offsets: list[int] = []
    for gap, count in sizes:
        at += gap
        data += frame(at, count)
        offsets += range(at, at + count)
        at += count
    position = min(into, at - 1)
    records = MemoryRecords(data)

    got: list[int] = []
    while position < at:
        part = Frames(records, position, limit)
        assert part.read(at, check_crcs=True) is None
        for chunk in part.sliced(Partition("logins", 0), 1, position, part.position, at, None):
            assert chunk.start == position
            assert all(chunk.start <= offset < chunk.end for offset in chunk.offsets)
            assert len(chunk.offsets) == len(chunk.values) <= limit
            assert [int(value or b"") for value in chunk.values] == list(chunk.offsets)
            got += chunk.offsets
            position = chunk.end
    assert got == [offset for offset in offsets if offset >= min(into, at - 1)]


@pytest.mark.parametrize(
    ("data", "end"),
    [
        pytest.param(frame(0, 5, wrong_checksum) + frame(5, 5), 5, id="the next frame is sound"),
        pytest.param(frame(0, 5, wrong_checksum) + frame(9, 5), 9, id="a sound one after a gap"),
        pytest.param(
            frame(0, 5, wrong_checksum) + frame(5, 5, wrong_checksum), 5, id="both bad, they agree"
        ),
        pytest.param(
            frame(0, 5, lying_header) + frame(5, 5, wrong_checksum), None, id="they disagree"
        ),
        pytest.param(frame(0, 5, lying_header), None, id="alone, and beyond the log's end"),
        pytest.param(frame(0, 5, wrong_checksum), None, id="alone, more may follow"),
        pytest.param(frame(0, 10, wrong_checksum), 10, id="the last of the log"),
        pytest.param(frame(0, 5, unknown_codec), 5, id="the checksum vouches for its header"),
        pytest.param(frame(0, 5, broken_records), 5, id="so it does for broken records"),
    ],
)
def test_damage_ends_where_two_witnesses_agree_or_nowhere(data: bytes, end: int | None) -> None:
    """A header no checksum vouches for is not believed: skipping by it could lose records."""
    damage = frames(data).read(10, check_crcs=True)

    assert damage is not None
    assert (damage.first_offset, damage.next_offset) == (0, end)


def test_what_stands_before_a_damage_is_kept() -> None:
    """Reading stops in front of it, with the good records in hand."""
    part = frames(frame(0, 5) + frame(5, 5, wrong_checksum) + frame(10, 5))

    damage = part.read(15, check_crcs=True)

    assert damage is not None
    assert (part.position, part.offsets, damage.first_offset) == (5, [0, 1, 2, 3, 4], 5)


@given(data=st.binary(max_size=200), base=st.integers(0, 3))
def test_any_bytes_at_all_are_records_or_damage_but_never_an_error(data: bytes, base: int) -> None:
    """Fuzz: whatever follows a sound frame, the sound one is read."""
    part = frames(frame(base, 3) + data, position=base)

    part.read(100, check_crcs=True)

    assert part.offsets[:3] == [base, base + 1, base + 2]
