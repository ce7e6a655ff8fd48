"""Records of `judged`: which count after a kill, and what nobody speaks for."""

from __future__ import annotations

import msgspec

from archive.daily.batches import Judged, Offsets, read_batches, totals
from archive.daily.files import Kept
from stream import judged
from tests.archive.builders import PART

from .archives import JUDGED


def batch(offset: int, first: int, until: int, *, judged: int = 1) -> Kept:
    """A record of `judged` at `offset`."""
    record = Judged(
        topic_id=PART.topic_id,
        partition=0,
        first_offset=first,
        next_offset=until,
        read=until - first,
        judged=judged,
        duplicates=0,
        rejected=0,
        reasons={},
        hours=[],
        versions={},
    )
    return Kept(
        part=JUDGED,
        offset=offset,
        timestamp=1000 + offset,
        key=None,
        value=msgspec.json.encode(record),
        headers=(),
    )


def spans(*records: Kept) -> list[tuple[int, int]]:
    """The offsets of the batches that count."""
    kept = read_batches(records).kept.values()
    return [(b.record.first_offset, b.record.next_offset) for part in kept for b in part]


def test_after_a_kill_the_last_word_counts() -> None:
    """Batches that were cut anew are counted once, however they were cut before."""
    first = [batch(0, 0, 100), batch(1, 100, 200)]
    again = [batch(2, 0, 150), batch(3, 150, 250)]

    assert spans(*first, *again) == [(0, 150), (150, 250)]
    assert totals(read_batches([*first, *again]).between(0, 10**9)).read == 250


def test_what_was_not_repeated_stays() -> None:
    """Only what later records cover is replaced."""
    assert spans(batch(0, 0, 100), batch(1, 100, 200), batch(2, 100, 180), batch(3, 180, 220)) == [
        (0, 100),
        (100, 180),
        (180, 220),
    ]


def test_an_unreadable_record_is_counted() -> None:
    """It says nothing of any offset, and does not stop the rest."""
    bad = Kept(part=JUDGED, offset=2, timestamp=1, key=None, value=b"\xff{", headers=())

    found = read_batches([batch(0, 0, 100), bad])

    assert (len(found.unreadable), len(found.between(0, 10**9))) == (1, 1)


def test_the_record_is_the_one_detect_writes() -> None:
    """Every field that is read here is a field detect writes, of the same name."""
    written = set(judged.Judged.__struct_fields__)

    assert set(Judged.__struct_fields__) <= written
    assert set(Judged.__annotations__) & {"hours"}
    assert {"hour", "source", "judged", "duplicates", "conflicts"} == set(
        judged.Hour.__struct_fields__
    )


def test_offsets_know_what_is_lacking() -> None:
    """Ranges join where they touch; what lies between them is named."""
    found = Offsets([(0, 10), (20, 30), (10, 12)])

    assert found.ranges == [(0, 12), (20, 30)]
    assert found.lacking(5, 35) == [(12, 20), (30, 35)]
    assert not found.add(21, 29)
    assert found.add(11, 21)
    assert found.ranges == [(0, 30)]
