"""OffsetMarks against a model that remembers every single offset."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, multiple, rule

from stream.transport import Claim, OffsetMarks, Partition

P0, P1 = Partition("logins", 0), Partition("logins", 1)


def hand(marks: OffsetMarks, start: int, end: int, *, epoch: int = 1, of: Partition = P0) -> Claim:
    """Hand over and insist that it was accepted."""
    claim = marks.hand_over(of, epoch=epoch, start=start, end=end)
    assert claim is not None
    return claim


@given(
    widths=st.lists(st.integers(1, 50), min_size=1, max_size=12),
    base=st.integers(0, 1000),
    data=st.data(),
)
def test_a_mark_stands_at_the_first_unfinished_batch_whatever_the_order(
    widths: list[int], base: int, data: st.DataObject
) -> None:
    """After any done() in any order the mark is the end of the finished prefix, never beyond."""
    marks = OffsetMarks()
    claims, start = [], base
    for width in widths:
        claims.append(hand(marks, start, start + width))
        start += width
    order = data.draw(st.permutations(range(len(claims))))

    finished: set[int] = set()
    for number in order:
        marks.done(claims[number])
        finished.add(number)
        prefix = next((i for i in range(len(claims)) if i not in finished), len(claims))
        expected = claims[prefix].start if prefix < len(claims) else start
        assert marks.mark(P0) == expected
        assert marks.open_count() == len(claims) - len(finished)


def test_nothing_is_committable_before_something_was_done() -> None:
    """A batch that was only handed over moves no commit, at offset 0 as little as elsewhere."""
    marks = OffsetMarks()
    first, second = hand(marks, 0, 1), hand(marks, 1, 2)

    assert marks.committable() == {}
    marks.done(second)
    assert marks.committable() == {}
    marks.done(first)
    assert marks.committable() == {P0: 2}


def test_done_twice_counts_once() -> None:
    """The second done() of a batch changes nothing."""
    marks = OffsetMarks()
    claim = hand(marks, 0, 5)

    assert marks.done(claim)
    assert not marks.done(claim)
    assert marks.mark(P0) == 5


def test_a_revoked_batch_marks_nothing_even_when_the_partition_came_back() -> None:
    """A worker that finishes late must not mark offsets it no longer owns."""
    marks = OffsetMarks()
    zombie = hand(marks, 0, 10, epoch=1)
    marks.close_epoch(1)

    assert not marks.done(zombie)
    assert marks.mark(P0) is None
    fresh = hand(marks, 0, 4, epoch=2)
    assert not marks.done(zombie)
    assert marks.mark(P0) == 0
    assert marks.done(fresh)
    assert marks.committable() == {P0: 4}


def test_a_batch_of_an_assignment_gone_by_is_refused() -> None:
    """What was fetched before a rebalance and arrives after it is not handed over."""
    marks = OffsetMarks()
    marks.close_epoch(3)

    assert marks.hand_over(P0, epoch=3, start=0, end=1) is None
    assert marks.hand_over(P0, epoch=4, start=0, end=1) is not None


def test_a_newer_assignment_replaces_every_partition_of_the_older() -> None:
    """With the eager protocol a first batch of a new epoch says that all else was revoked."""
    marks = OffsetMarks()
    old = hand(marks, 0, 5, epoch=1, of=P1)

    hand(marks, 7, 9, epoch=2, of=P0)

    assert not old.live
    assert marks.mark(P1) is None


def test_reading_again_from_an_earlier_place_starts_the_partition_anew() -> None:
    """After the broker reset the position, marks of the former run do not cover the new one."""
    marks = OffsetMarks()
    marks.done(hand(marks, 50, 90))
    marks.committed({P0: 90})

    claim = hand(marks, 10, 20)

    assert marks.mark(P0) == 10
    marks.done(claim)
    assert marks.committable() == {P0: 20}


def test_a_commit_confirmed_late_does_not_hide_newer_marks() -> None:
    """What was done while a commit was on its way is committed by the next one."""
    marks = OffsetMarks()
    marks.done(hand(marks, 0, 5))
    on_its_way = marks.committable()
    marks.done(hand(marks, 5, 8))
    marks.committed(on_its_way)

    assert marks.committable() == {P0: 8}


def test_a_commit_confirmed_for_a_lost_partition_is_ignored() -> None:
    """A confirmation that outlives its partition leaves no trace."""
    marks = OffsetMarks()
    marks.committed({P0: 5})

    assert marks.committable() == {}


def test_a_gap_in_the_log_is_covered_by_the_batch_around_it() -> None:
    """Compacted offsets inside and between batches do not hold the mark back."""
    marks = OffsetMarks()
    for start, end in ((0, 100), (100, 101), (101, 5000)):
        marks.done(hand(marks, start, end))

    assert marks.mark(P0) == 5000
    (progress,) = marks.progress({P0: 6000})
    assert (progress.handed_over, progress.done, progress.highwater) == (5000, 5000, 6000)


def test_a_batch_must_cover_something() -> None:
    """An empty range is a mistake of the caller and refused."""
    with pytest.raises(ValueError, match="must cover an offset"):
        OffsetMarks().hand_over(P0, epoch=1, start=5, end=5)


class MarksModel(RuleBasedStateMachine):
    """Any history of handing over, finishing, committing and rebalancing."""

    claims = Bundle("claims")

    def __init__(self) -> None:
        super().__init__()
        self.marks = OffsetMarks()
        self.marks.close_epoch(0)
        self.epoch = 1
        self.position = {P0: 0, P1: 0}  # where the consumer reads next
        self.done: dict[Partition, set[int]] = {P0: set(), P1: set()}
        self.broker = {P0: 0, P1: 0}

    @rule(target=claims, of=st.sampled_from([P0, P1]), width=st.integers(1, 5))
    def hand_over(self, of: Partition, width: int) -> object:
        """Read on."""
        start = self.position[of]
        claim = self.marks.hand_over(of, epoch=self.epoch, start=start, end=start + width)
        assert claim is not None
        self.position[of] += width
        return of, claim

    @rule(target=claims, of=st.sampled_from([P0, P1]))
    def late_chunk(self, of: Partition) -> object:
        """A chunk of the former assignment arrives."""
        assert self.marks.hand_over(of, epoch=self.epoch - 1, start=0, end=100) is None
        return multiple()

    @rule(entry=claims)
    def finish(self, entry: tuple[Partition, Claim]) -> None:
        """Whoever holds a batch, owner or zombie, has done its work before saying so."""
        of, claim = entry
        self.done[of].update(range(claim.start, claim.end))
        self.marks.done(claim)

    @rule()
    def commit(self) -> None:
        """The broker takes what is committable."""
        offsets = self.marks.committable()
        self.broker.update(offsets)
        self.marks.committed(offsets)
        assert self.marks.committable() == {}

    @rule()
    def rebalance(self) -> None:
        """Everything is revoked; reading goes on from the last commit."""
        self.marks.close_epoch(self.epoch)
        self.epoch += 1
        self.position = dict(self.broker)

    @invariant()
    def nothing_undone_is_committed(self) -> None:
        """Every offset below a commit, made or possible, was done."""
        for of, offset in {**self.broker, **self.marks.committable()}.items():
            assert set(range(offset)) <= self.done[of]

    @invariant()
    def commits_only_go_forward(self) -> None:
        """No mark of the present assignment lies below what the broker has."""
        for of, offset in self.marks.committable().items():
            assert offset >= self.broker[of]


TestMarksModel = MarksModel.TestCase
