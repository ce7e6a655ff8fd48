"""A core system's totals against ours: equal, explained exactly, or unexplained."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from archive.daily.core_totals import CoreTotals, Row, read
from archive.daily.known import Known
from archive.daily.reconcile import Reconciled, explanation, reconcile
from archive.daily.span import DaySpan
from archive.errors import ArchiveError
from detectors import wire
from tests.archive.builders import REJECTED

from .archives import MONDAY, TAIPEI, Shelf, appended, at, attempt


def day(tmp_path: Path) -> Shelf:
    """Monday: 20 failures, 10 of them at 9 o'clock, 5 successes, 2 failures repeated."""
    shelf = Shelf(tmp_path)
    fails = [
        attempt(at(MONDAY, f"{9 if n < 10 else 15:02d}:{n:02d}:00"), f"f{n}") for n in range(20)
    ]
    good = [attempt(at(MONDAY, f"16:{n:02d}:00"), f"s{n}", outcome="success") for n in range(5)]
    shelf.logins([*fails, *good, fails[0], fails[1]])
    shelf.logins([attempt(at(MONDAY + timedelta(days=1), "09:00:00"), "next")])
    return shelf


def compared(shelf: Shelf, *rows: dict[str, Any]) -> Reconciled:
    """The comparison with these rows."""
    totals = CoreTotals(name="t.csv", sha256="0" * 64, rows=msgspec.convert(rows, list[Row]))
    span = DaySpan(MONDAY, TAIPEI)
    return reconcile(shelf.store.root, span, "trading-web", totals, Known(), shelf.store.keys)


@pytest.mark.parametrize(
    ("failures", "explained_by", "agrees"),
    [
        pytest.param(20, [], True, id="equal"),
        pytest.param(22, ["duplicates"], True, id="they counted the repeats"),
        pytest.param(21, [], False, id="one of two repeats explains nothing"),
        pytest.param(19, [], False, id="we have one more"),
    ],
)
def test_a_difference_is_explained_exactly_or_not_at_all(
    tmp_path: Path, failures: int, explained_by: list[str], agrees: bool
) -> None:
    """Known causes must add up to the difference; what is nearly explained is not."""
    found = compared(day(tmp_path), {"successes": 5, "failures": failures})

    assert [one.explained_by for one in found.rows] == [[], explained_by]
    assert found.agrees is agrees


def test_hours_are_compared_with_hours(tmp_path: Path) -> None:
    """A total that is right and stands in the wrong hour is a difference of both."""
    found = compared(day(tmp_path), {"hour": 9, "failures": 11}, {"hour": 15, "failures": 9})

    assert [(one.hour, one.difference, one.explained) for one in found.rows] == [
        (9, 1, False),
        (15, -1, False),
    ]


def test_rejects_that_still_say_whose_they_were_explain(tmp_path: Path) -> None:
    """A record of the system that could not be read is missing here and counted there."""
    shelf = day(tmp_path)
    bad = attempt(at(MONDAY, "10:00:00"), "bad")
    raw = wire.encode(bad).replace(b'"schema":1', b'"schema":9')
    shelf.put(REJECTED, [(appended(bad), (("reason", b"unsupported_schema"),), raw)])

    [found] = compared(shelf, {"failures": 21}).rows

    assert found.explained_by == ["rejected"]


def test_a_day_of_another_zone_is_named(tmp_path: Path) -> None:
    """Totals that are exactly those of the UTC day agree, and the record says whose day it is."""
    shelf = Shelf(tmp_path)
    early = [attempt(at(MONDAY, f"02:00:{n:02d}"), f"e{n}") for n in range(3)]
    late = [attempt(at(MONDAY + timedelta(days=1), f"02:00:{n:02d}"), f"l{n}") for n in range(7)]
    shelf.logins([*early, *late])

    found = compared(shelf, {"failures": 7})

    assert (found.zone, found.agrees) == ("UTC", True)


def test_the_fewest_causes_explain() -> None:
    """Causes are added up; without a sum that fits there is no explanation."""
    causes = {"duplicates": 2, "late": -3, "rejected": 5}

    assert explanation(0, causes) == []
    assert explanation(-1, causes) == ["duplicates", "late"]
    assert explanation(4, causes) == ["duplicates", "late", "rejected"]
    assert explanation(1, causes) is None


def test_a_file_of_totals_is_read_with_the_line_of_what_is_wrong(tmp_path: Path) -> None:
    """CSV and JSON say the same; a number that is none is named with its line."""
    csv, json = tmp_path / "t.csv", tmp_path / "t.json"
    csv.write_text("hour,successes,failures\n9,1,2\n10,,4\n")
    json.write_text('[{"hour":9,"successes":1,"failures":2},{"hour":10,"failures":4}]')
    assert read(csv).rows == read(json).rows
    assert read(csv).rows[1].successes is None

    csv.write_text("hour,failures\n9,2\n10,many\n")
    with pytest.raises(ArchiveError, match=r"t\.csv:3: .*failures"):
        read(csv)
    csv.write_text("hour,failures\n9,2\n9,3\n")
    with pytest.raises(ArchiveError, match="an hour twice"):
        read(csv)
