"""Names are listed by time and counted, whatever the order and however sums were joined."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors import distinct
from detectors.distinct import Distinct, first_of

KEPT = 20


@pytest.fixture(autouse=True)
def _few_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """Twenty instead of ten thousand."""
    monkeypatch.setattr(distinct, "KEPT", KEPT)


def seen(names: range) -> Distinct:
    """Each name at the time of its number."""
    return first_of((f"n{number:05}", number) for number in names)


def test_the_earliest_time_of_a_name_counts() -> None:
    """Seen again later it stays where it was; seen earlier it moves."""
    names = first_of([("a", 5), ("b", 3), ("a", 9), ("b", 4), ("a", 1)])

    assert names.listed() == ["a", "b"]
    assert (names.count, "a" in names, "c" in names) == (2, True, False)


def test_beyond_what_is_kept_the_earliest_are_listed_and_the_rest_is_estimated() -> None:
    """A thousand names of which twenty are kept: in the order of time, counted within a half."""
    names = seen(range(1_000, 0, -1))

    assert names.listed(3) == ["n00001", "n00002", "n00003"]
    assert 500 < names.count < 1_500


def test_a_few_too_many_are_still_counted_exactly() -> None:
    """While every hash is kept nothing is estimated."""
    assert seen(range(KEPT + 1)).count == pytest.approx(KEPT + 1, rel=0.5)
    assert seen(range(KEPT)).count == KEPT


@given(st.lists(st.integers(1, 400), min_size=1, max_size=4))
def test_joined_in_any_way_they_are_one(sizes: list[int]) -> None:
    """Parts that overlap, joined in either direction, list the same and count the same."""
    parts = [range(50 * n, 50 * n + size) for n, size in enumerate(sizes)]
    forwards, backwards = Distinct(), Distinct()
    for part in parts:
        forwards.join(seen(part))
    for part in reversed(parts):
        backwards.join(seen(part))

    assert forwards.listed(KEPT) == backwards.listed(KEPT)
    assert forwards.count == backwards.count
    everything = {number for part in parts for number in part}
    if len(everything) <= KEPT:
        assert forwards.count == len(everything)


def test_a_part_that_forgot_names_still_counts_them() -> None:
    """Ten names and a thousand others: the ten are known, the thousand are not listed twice."""
    names = seen(range(10))
    names.join(seen(range(1_000)))
    names.join(seen(range(1_000)))

    assert names.listed(KEPT) == [f"n{number:05}" for number in range(KEPT)]
    assert names.count == seen(range(1_000)).count
