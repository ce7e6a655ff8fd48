"""Record batches are inflated up to a limit, and below it exactly as aiokafka would."""

from __future__ import annotations

import gzip
from collections.abc import Iterator

import cramjam
import pytest
import snappy
from aiokafka import codec
from aiokafka.errors import CorruptRecordException
from aiokafka.record.default_records import DefaultRecordBatchBuilder
from aiokafka.record.memory_records import MemoryRecords
from hypothesis import given
from hypothesis import strategies as st

from stream.transport.frames import Frames
from stream.transport.inflate import Inflater, bound_inflation

LIMIT = 4096
CODECS = {"gzip": 1, "snappy": 2, "lz4": 3, "zstd": 4}


def frame(number: int, *values: bytes) -> bytes:
    """One record batch as a producer would send it."""
    builder = DefaultRecordBatchBuilder(2, number, 0, -1, -1, -1, 1 << 26)
    for offset, value in enumerate(values):
        builder.append(offset, timestamp=0, key=None, value=value, headers=[])
    return bytes(builder.build())


@pytest.mark.parametrize("name", CODECS)
@given(data=st.binary(max_size=300), times=st.integers(1, 13))
def test_below_the_limit_nothing_is_different(name: str, data: bytes, times: int) -> None:
    """What any encoder of aiokafka made comes back byte for byte."""
    whole = data * times
    packed = getattr(codec, f"{name}_encode")(whole)

    assert getattr(Inflater(LIMIT), name)(packed) == whole
    assert getattr(Inflater(LIMIT), name)(memoryview(packed)) == whole


@pytest.mark.parametrize("name", CODECS)
@pytest.mark.parametrize("size", [LIMIT, LIMIT + 1, 100 * LIMIT])
def test_the_limit_is_the_last_size_that_passes(name: str, size: int) -> None:
    """One byte more is refused, whatever the codec."""
    packed = getattr(codec, f"{name}_encode")(bytes(size))

    if size <= LIMIT:
        assert len(getattr(Inflater(LIMIT), name)(packed)) == size
    else:
        with pytest.raises(CorruptRecordException, match="inflates to more than 4096 bytes"):
            getattr(Inflater(LIMIT), name)(packed)


def test_raw_snappy_and_two_gzip_members_are_read_as_well() -> None:
    """Other clients write snappy without the Java frame, and gzip in several members."""
    raw = codec.snappy_encode(b"raw" * 100, xerial_compatible=False)
    two = gzip.compress(b"one") + gzip.compress(b"two")

    assert Inflater(LIMIT).snappy(raw) == b"raw" * 100
    assert Inflater(LIMIT).gzip(two) == b"onetwo"
    with pytest.raises(CorruptRecordException, match="more than 4"):
        Inflater(4).gzip(two)
    with pytest.raises(CorruptRecordException, match="more than 299"):
        Inflater(299).snappy(raw)


@pytest.mark.parametrize("name", CODECS)
def test_data_cut_off_is_no_short_answer(name: str) -> None:
    """A payload without its end raises, it does not come back shorter."""
    packed = getattr(codec, f"{name}_encode")(b"whole" * 200)

    errors = (CorruptRecordException, snappy.UncompressError, cramjam.DecompressionError)
    with pytest.raises(errors):
        getattr(Inflater(LIMIT), name)(packed[:-9])


@pytest.fixture
def bounded() -> Iterator[None]:
    """Bound aiokafka for one test."""
    bound_inflation(LIMIT)
    yield
    bound_inflation(64 * 1024 * 1024)


@pytest.mark.parametrize(("name", "number"), CODECS.items())
def test_a_bomb_is_a_damaged_frame_and_its_neighbours_are_read(
    bounded: None, name: str, number: int
) -> None:
    """The parser of aiokafka uses the bounded decoders: the frame is refused by its offsets."""
    good = frame(number, b"a" * 1000)
    bomb = frame(number, bytes(1_000_000))
    reader = _frames(good)

    assert reader.read(0, check_crcs=True) is None
    assert reader.values == [b"a" * 1000]
    damage = _frames(bomb).read(0, check_crcs=True)
    assert damage is not None
    assert (damage.first_offset, damage.next_offset) == (0, 1)
    assert "CorruptRecordException" in damage.reason
    assert "inflates to more than 4096 bytes" in damage.reason


def _frames(data: bytes) -> Frames:
    return Frames(MemoryRecords(data), 0, 100)
