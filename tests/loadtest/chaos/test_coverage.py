"""Offsets that no record of `judged` covers are found, however the stretches lie."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from loadtest.chaos.coverage import Coverage

STRETCHES = st.lists(
    st.tuples(st.integers(0, 1), st.integers(0, 20), st.integers(0, 5)), max_size=12
)
PLACES = st.sets(st.tuples(st.integers(0, 1), st.integers(0, 25)))


@given(STRETCHES, PLACES)
def test_missing_are_those_in_no_stretch(
    stretches: list[tuple[int, int, int]], places: set[tuple[int, int]]
) -> None:
    """As counted one by one."""
    coverage = Coverage()
    for partition, first, length in stretches:
        coverage.add(partition, first, first + length)

    covered = {(p, at) for p, first, length in stretches for at in range(first, first + length)}
    assert coverage.missing(places) == len(places - covered)
