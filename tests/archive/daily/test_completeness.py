"""Whether a day is whole: what adds up, what is a gap, and which file is damaged."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from archive.daily.record import written
from archive.errors import ArchiveError
from archive.layout import data_stem
from tests.archive.builders import PART

from .archives import (
    ALERTS,
    JUDGED,
    MONDAY,
    Shelf,
    appended,
    at,
    attempt,
    counted,
    month,
    nobody,
    steady,
)


def test_completeness_adds_up(tmp_path: Path) -> None:
    """Read = judged + duplicates + rejected, archived = judged + duplicates + conflicts."""
    events = steady(MONDAY, count=40)
    shelf = Shelf(tmp_path)
    shelf.logins([*events, events[3], b"nonsense", b""])
    other = attempt(events[5].occurred_at, events[5].event_id, account="A999")
    shelf.logins([other])
    shelf.logins(steady(MONDAY + timedelta(days=1)))

    found = counted(shelf.store).completeness

    assert (found.read, found.judged, found.duplicates, found.rejected, found.conflicts) == (
        44, 40, 1, 3, 1,
    )  # fmt: skip
    assert found.archived == 42
    assert found.reasons == {"id_conflict": 1, "not_json": 2}
    assert found.cells_compared > 20
    assert (found.gaps, found.cells) == ([], [])
    assert found.adds_up
    assert found.whole_day


def test_a_lost_batch_is_a_gap_with_its_place(tmp_path: Path) -> None:
    """Records nobody judged are named by offset, and by hour and source."""
    shelf = Shelf(tmp_path)
    morning = [attempt(at(MONDAY, f"{h:02d}:30:00"), f"e{h}") for h in range(12)]
    shelf.logins(morning[:4])
    unseen = JUDGED
    before = shelf._next[unseen]
    shelf.logins(morning[4:8])
    (unseen.folder(shelf.store.root) / f"{before:020d}.seal").unlink()
    shelf.logins(morning[8:])

    found = counted(shelf.store).completeness

    assert [(g.first, g.until, g.why) for g in found.gaps] == [(4, 8, "unjudged")]
    assert [(c.hour, c.archived, c.judged) for c in found.cells] == [
        (f"2026-11-22T{h + 16:02d}:00:00Z", 1, 0) for h in range(4, 8)
    ]
    assert not found.adds_up


def test_what_is_judged_and_not_sealed_is_said(tmp_path: Path) -> None:
    """A segment that is missing from the archive is a gap of the other kind."""
    shelf = Shelf(tmp_path)
    morning = [attempt(at(MONDAY, f"{h:02d}:30:00"), f"e{h}") for h in range(8)]
    shelf.logins(morning[:4])
    shelf.logins(morning[4:])
    (PART.folder(shelf.store.root) / f"{4:020d}.seal").unlink()

    found = counted(shelf.store).completeness

    assert [(g.first, g.until, g.why) for g in found.gaps] == [(4, 8, "unsealed")]
    assert (found.archived, found.judged) == (4, 8)
    assert not found.adds_up


@pytest.mark.parametrize("topic", ["logins", "alerts"])
@pytest.mark.parametrize("harm", ["gone", "damaged"])
def test_a_file_that_is_gone_is_named(tmp_path: Path, topic: str, harm: str) -> None:
    """No record is made of half an archive: the file is named, and what to run."""
    shelf = Shelf(tmp_path)
    month(shelf, days=2)
    begin = at(MONDAY, "10:00:00")
    shelf.logins([attempt(begin + timedelta(seconds=9 * n), f"x{n}") for n in range(60)])
    shelf.alerts(at(MONDAY, "23:00:00"))
    [*_, file] = sorted(shelf.store.root.glob(f"{topic}/*/*/*.parquet"))
    if harm == "gone":
        file.unlink()
    else:
        file.write_bytes(file.read_bytes()[:-9] + b"nonsense!")

    with pytest.raises(ArchiveError, match=rf"{file.name}.*run `loginward archive verify`"):
        counted(shelf.store)


def test_damage_inside_a_file_is_told(tmp_path: Path) -> None:
    """A footer that reads well above pages that do not is no traceback either."""
    shelf = Shelf(tmp_path)
    shelf.logins(steady(MONDAY))
    [file] = shelf.store.root.glob("logins/*/*/*.parquet")
    raw = file.read_bytes()
    file.write_bytes(raw[:4] + bytes(2000) + raw[2004:])

    with pytest.raises(ArchiveError, match="run `loginward archive verify`"):
        counted(shelf.store)


def test_later_damage_changes_no_earlier_day(tmp_path: Path) -> None:
    """A record that cannot be read belongs to the day on which it came."""
    shelf = Shelf(tmp_path)
    shelf.logins(steady(MONDAY))
    shelf.logins(steady(MONDAY + timedelta(days=1)))
    before = written(counted(shelf.store))
    late = appended(steady(MONDAY + timedelta(days=1))[5])
    shelf.put(JUDGED, [(late, None, b"{")])
    shelf.put(ALERTS, [(late, None, b"{")])

    assert written(counted(shelf.store)) == before
    assert counted(shelf.store, MONDAY + timedelta(days=1)).unreadable == 2


def test_files_no_seal_names_are_not_read(tmp_path: Path) -> None:
    """A Parquet file without its seal is no part of the archive."""
    shelf = Shelf(tmp_path)
    shelf.logins([attempt(at(MONDAY, "01:00:00"), "a")])
    stray = PART.folder(shelf.store.root) / f"{data_stem(5, 6, 'ab' * 32)}.parquet"
    stray.write_bytes(b"no parquet")

    assert counted(shelf.store, register=nobody()).days[0].attempts == 1
