"""The completeness record: by partition, hour and source, with the emitter's missing numbers."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from archive.daily.proof import Proof, Topic, prove, signed, written, wrong_cells
from archive.daily.span import DaySpan
from detectors.events import LoginEvent
from tests.archive.builders import PART

from .archives import MONDAY, TAIPEI, Shelf, at, attempt, steady

KEY = (PART.topic_id, 0)


def proof(shelf: Shelf, topic: Topic | None = None) -> Proof:
    """The record of Monday."""
    return prove(shelf.store.root, DaySpan(MONDAY, TAIPEI), "Asia/Taipei", topic)


def test_a_whole_day_adds_up_by_hour_source_and_topic(tmp_path: Path) -> None:
    """Every offset of the topic is judged, a repeat or a reject, and every cell is archived."""
    events = steady(MONDAY, count=40)
    shelf = Shelf(tmp_path)
    shelf.logins([*events, events[3], b"nonsense"])
    shelf.logins(steady(MONDAY + timedelta(days=1)))

    found = proof(shelf, {KEY: (0, 42)})

    [part] = found.partitions
    assert (part.first, part.until, part.topic_first, part.topic_until) == (0, 42, 0, 42)
    assert (part.read, part.judged, part.duplicates, part.rejected) == (42, 40, 1, 1)
    assert sum(cell.judged + cell.duplicates for cell in found.cells) == 41
    assert (wrong_cells(found), part.unjudged, found.adds_up) == ([], [], True)
    assert written(found) == written(proof(shelf, {KEY: (0, 42)}))


def test_offsets_that_the_topic_holds_and_nobody_judged_are_named(tmp_path: Path) -> None:
    """Detection that never read the end of the day shows here, though its own counts add up."""
    shelf = Shelf(tmp_path)
    shelf.logins(steady(MONDAY, count=10))

    without, found = proof(shelf), proof(shelf, {KEY: (0, 14), (PART.topic_id, 1): (5, 7)})

    assert without.adds_up
    assert not without.topic_asked
    assert [one.unjudged for one in found.partitions] == [[(10, 14)], [(5, 7)]]
    assert not found.adds_up


def numbered(seqs: list[int | None]) -> list[LoginEvent]:
    """Logins a minute apart with these numbers."""
    start = at(MONDAY, "09:00:00")
    return [attempt(start + timedelta(minutes=n), f"n{n}", seq=seq) for n, seq in enumerate(seqs)]


def test_missing_numbers_of_an_emitter_are_listed(tmp_path: Path) -> None:
    """A hole is a range; a restart at 0 or 1 is none; what has no number tells nothing."""
    shelf = Shelf(tmp_path)
    events = numbered([10, 11, 15, 16, 20, None, 1, 2, 4])
    shelf.logins([events[0], *reversed(events[1:])])

    [found] = proof(shelf).numbers

    assert [(r.first, r.last) for r in found.ranges] == [(12, 14), (17, 19), (3, 3)]
    assert (found.missing, found.runs, found.numbered, found.unnumbered) == (7, 2, 8, 1)


def test_the_signature_is_over_the_very_bytes(tmp_path: Path) -> None:
    """The archive's public key verifies the file as it lies there."""
    shelf = Shelf(tmp_path)
    shelf.logins(steady(MONDAY, count=3))
    content = written(proof(shelf))

    files = signed("day.json", content, shelf.store.keys)

    shelf.store.keys.public.verify(files["day.json.sig"], files["day.json"])
