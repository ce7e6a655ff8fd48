"""Pending records account for every offset, whatever Kafka hands over."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from archive.pending import SEGMENT_BYTES, Pending
from archive.seal import ranges, span

from .builders import record


@given(
    batches=st.lists(
        st.tuples(st.integers(0, 40), st.sets(st.integers(0, 15), max_size=16)), max_size=12
    ),
    log_start=st.integers(0, 20),
    first=st.integers(0, 20),
)
def test_every_offset_is_a_record_or_named(
    batches: list[tuple[int, set[int]]], log_start: int, first: int
) -> None:
    """Redelivered, overlapping and gappy batches give one cut that holds each offset once."""
    pending = Pending.behind(first, log_start)
    for start, offsets in batches:
        batch = [record(start + offset, b"x") for offset in sorted(offsets)]
        pending.add([one for one in batch if one.offset >= log_start], now=0.0)

    if not pending.records:
        return
    cut = pending.cut()
    held = [one.offset for one in cut.records]
    named = [at for a, b in (*cut.absent, *cut.expired) for at in range(a, b + 1)]
    assert sorted([*held, *named]) == list(range(cut.first, cut.last + 1))
    assert cut.first == first
    assert held == sorted(set(held))
    assert cut.last == held[-1]
    assert all(at < log_start for a, b in cut.expired for at in range(a, b + 1))


def test_it_is_due_by_number_bytes_or_age() -> None:
    """A cut is due at the limit of records, of bytes, or of age since the first was read."""
    pending = Pending.behind(0, 0)
    assert not pending.due(1e9, most_records=1, interval=0.0)

    pending.add([record(0, b"x"), record(1, b"y")], now=100.0)
    assert pending.due(100.0, most_records=2, interval=10.0)
    assert not pending.due(109.9, most_records=3, interval=10.0)
    assert pending.due(110.0, most_records=3, interval=10.0)

    pending.add([record(2, b"z" * SEGMENT_BYTES)], now=105.0)
    assert pending.due(105.0, most_records=4, interval=10.0)


def test_what_follows_a_cut_begins_behind_it() -> None:
    """After a seal the next segment begins at the next offset, with nothing held."""
    pending = Pending.behind(0, 5)
    pending.add([record(7, b"x")], now=1.0)

    after = pending.sealed()

    assert (after.first, after.expected, after.records, after.since) == (8, 8, [], None)


@given(st.sets(st.integers(0, 60)))
def test_ranges_join_neighbours_and_lose_nothing(offsets: set[int]) -> None:
    """Ranges hold exactly the offsets, no two of them touch."""
    found = ranges(sorted(offsets))

    assert {at for a, b in found for at in range(a, b + 1)} == offsets
    assert span(found) == len(offsets)
    assert all(b + 1 < c for (_, b), (c, _) in pairwise(found))
