"""A log is a set in one order: deduplicated, capped by the hour, trimmed once it was judged."""

from __future__ import annotations

from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from detectors.attempts import HEAD_BYTES, split
from detectors.caps import at_ms, cap
from detectors.counting import present_ms
from detectors.frontiers import least_frontier
from detectors.windows import (
    FOR_EVER_MS,
    HOUR_CAP,
    RETENTION_MS,
    SubjectLog,
    compacted,
    look_bytes,
    worth_telling,
)
from tests.builders import HOUR, login, series

from .logs import entry, log_of

TIMES = st.lists(st.integers(0, 48 * 60), max_size=60)


@given(minutes=TIMES, seed=st.integers())
@settings(deadline=None)
def test_a_log_is_the_same_in_every_order(minutes: list[int], seed: int) -> None:
    """Order of arrival and repetition leave no trace; time is the order, ids break ties."""
    entries = [entry(login(60 * at, f"e{n}")) for n, at in enumerate(minutes)]
    mixed = entries + entries[: len(entries) // 2]
    Random(seed).shuffle(mixed)

    log = log_of(mixed)

    assert log == log_of(entries)
    assert list(log.entries) == sorted(set(entries))
    assert list(log.at) == sorted(log.at)
    assert len(log) == len(entries)


@given(minutes=TIMES)
@settings(deadline=None)
def test_compacting_twice_is_compacting_once(minutes: list[int]) -> None:
    """A rewritten log holds what is young enough, and rewriting it again changes nothing."""
    entries = [entry(login(60 * at, f"e{n}")) for n, at in enumerate(minutes)]
    oldest = present_ms(sorted(map(at_ms, entries))) - RETENTION_MS

    whole = compacted(b"".join(entries * 2), oldest)

    assert split(whole) == sorted(entry for entry in entries if at_ms(entry) >= oldest)
    assert compacted(whole, oldest) == whole


def test_old_attempts_are_judged_until_they_are_compacted_away() -> None:
    """Reading a log never trims it: a batch may hold more days than are remembered."""
    entries = [entry(login(0, "old")), entry(login(72 * HOUR, "new"))]

    assert len(log_of(entries)) == 2
    assert split(compacted(b"".join(entries), at_ms(entries[1]))) == entries[1:]


def test_the_present_of_a_log_is_not_moved_by_a_few_strays() -> None:
    """Seven attempts dated years ahead leave it where it is; eight are a story of their own."""
    assert present_ms([]) == 0
    assert present_ms([5]) == 5
    assert present_ms([1, 2, 3, *[10**12] * 7]) == 3
    assert present_ms([1, 2, 3, *[10**12] * 8]) == 10**12


def test_an_hour_is_full_with_one_more_than_its_cap() -> None:
    """512 attempts are all there are; 513 are `at least 512`, also after a compaction."""
    full = [entry(event) for event in series(HOUR_CAP, every=1)]
    more = [*full, entry(login(HOUR_CAP, "more"))]

    assert log_of(full).capped_hours == frozenset()
    capped = log_of(more)
    assert len(capped) == HOUR_CAP
    assert capped.capped_hours == {at_ms(full[0]) // 3_600_000}
    assert SubjectLog.of(compacted(b"".join(more))) == capped
    assert len(split(compacted(b"".join(more * 3)))) == HOUR_CAP + 1


def test_the_first_of_an_hour_are_kept_however_many_hours_there_are() -> None:
    """One full hour takes nothing from the others."""
    entries = sorted(
        entry(event)
        for event in (*series(700, every=1), *series(3, every=1, start=HOUR, name="next"))
    )

    kept, full = cap(entries, HOUR_CAP)

    assert kept == [*entries[:HOUR_CAP], *entries[700:]]
    assert len(full) == 1


def test_a_look_is_asked_for_no_later_than_the_shortest_entries_would_need_it() -> None:
    """No attempt is shorter than its head, so bytes never promise more attempts than there are."""
    shortest = entry(login(0, "x"))

    assert look_bytes(3, "ip") == 3 * HEAD_BYTES
    assert len(shortest) == HEAD_BYTES + 1


def test_a_revision_is_worth_telling_when_new_doubled_graver_or_at_rest() -> None:
    """And never when it says less than what was told."""
    told = (10, 1)

    assert worth_telling(1, 0, (0, -1), final=False)
    assert not worth_telling(10, 3, told, final=True)
    assert not worth_telling(9, 3, told, final=True)
    assert not worth_telling(19, 1, told, final=False)
    assert worth_telling(20, 1, told, final=False)
    assert worth_telling(11, 2, told, final=False)
    assert worth_telling(11, 1, told, final=True)


def test_the_least_frontier_is_that_of_the_slowest_partition() -> None:
    """Nobody heard of: nothing is settled; nobody else: everything is."""
    assert least_frontier({}, None) == 0
    assert least_frontier({0: 5, 1: 3}, None) == 3
    assert least_frontier({0: 5, 1: 3}, 1) == 5
    assert least_frontier({1: 3}, 1) == FOR_EVER_MS
