"""A change is in force when another person has approved it, and not before."""

from __future__ import annotations

from pathlib import Path

import pytest

from config.governance.changes import Change, changes, in_force, spells
from config.governance.decisions import approve, withdraw
from config.governance.ledger import read
from detectors.errors import LoginwardError

from .builders import ONE, THREE, TWO, adopted, at, say


def approved(folder: Path, identity: str, by: str = "bob", minutes: float = 1) -> None:
    """`by` approves `identity`."""
    say(folder, lambda ledger: approve(ledger, identity, by=by, now=at(minutes)), by, minutes)


def withdrawn(folder: Path, identity: str, minutes: float) -> None:
    """Alice takes `identity` back."""
    say(folder, lambda ledger: withdraw(ledger, identity), minutes=minutes)


def known(folder: Path) -> dict[str, Change]:
    """The changes that the ledger tells."""
    return changes(read(folder).lines)


def held(folder: Path) -> list[tuple[str, str]]:
    """Which book was in force from when (hours and minutes), by its first digit."""
    return [(f"{spell.since:%H:%M}", spell.rules[0]) for spell in spells(known(folder).values())]


def test_an_unapproved_change_is_never_in_force(tmp_path: Path) -> None:
    """Adopting alone changes nothing, however long ago (COMPLIANCE.md 4, #17)."""
    say(tmp_path, adopted(TWO, ONE))

    assert held(tmp_path) == []
    assert known(tmp_path)["C1"].state(at(100_000)) == "to be approved"


def test_an_approved_change_holds_from_a_full_minute_ahead(tmp_path: Path) -> None:
    """At least a minute after the approval, so that every worker has noticed it by then."""
    say(tmp_path, adopted(TWO, ONE))
    approved(tmp_path, "C1", minutes=3.5)

    assert held(tmp_path) == [("12:05", "2")]
    assert known(tmp_path)["C1"].state(at(4)) == "approved, not yet due"
    assert known(tmp_path)["C1"].state(at(5)) == "approved"
    found = spells(known(tmp_path).values())
    assert in_force(found, at(4.99)) is None
    assert in_force(found, at(5)) == found[0]


@pytest.mark.parametrize("by", ["alice", "ALICE", " a l i c e", "ａｌｉｃｅ"])
def test_nobody_approves_what_is_his_own(tmp_path: Path, by: str) -> None:
    """However the name is spelled."""
    say(tmp_path, adopted(TWO, ONE))

    with pytest.raises(LoginwardError, match="another person"):
        approved(tmp_path, "C1", by=by)


def test_an_emergency_holds_at_once_and_is_overdue_after_a_day(tmp_path: Path) -> None:
    """24 hours for the approval, and it stays in force: the finding is that nobody looked."""
    say(tmp_path, adopted(TWO, ONE, emergency=True))

    assert held(tmp_path) == [("12:00", "2")]
    change = known(tmp_path)["C1"]
    assert not change.overdue(at(24 * 60))
    assert change.overdue(at(24 * 60 + 1))
    approved(tmp_path, "C1", minutes=2000)
    assert not known(tmp_path)["C1"].overdue(at(9000))
    assert held(tmp_path) == [("12:00", "2")]


def test_a_withdrawn_emergency_gives_way_to_what_it_replaced(tmp_path: Path) -> None:
    """To the approved book before it, and without one to the book it was compared with."""
    say(tmp_path, adopted(TWO, ONE, emergency=True))
    withdrawn(tmp_path, "C1", minutes=10)
    assert held(tmp_path) == [("12:00", "2"), ("12:10", "1")]

    say(tmp_path, adopted(THREE, ONE), minutes=20)
    approved(tmp_path, "C3", minutes=30)
    say(tmp_path, adopted(TWO, THREE, emergency=True), minutes=40)
    withdrawn(tmp_path, "C5", minutes=50)

    assert held(tmp_path)[2:] == [("12:31", "3"), ("12:40", "2"), ("12:50", "3")]


def test_what_is_approved_is_what_was_looked_at(tmp_path: Path) -> None:
    """A change that was compared with another book than the one in force must be adopted again."""
    say(tmp_path, adopted(TWO, ONE))
    say(tmp_path, adopted(THREE, ONE))
    approved(tmp_path, "C1")

    with pytest.raises(LoginwardError, match=r"in force \(C1\); adopt the file again"):
        approved(tmp_path, "C2", minutes=9)


@pytest.mark.parametrize(
    ("identity", "says"),
    [
        pytest.param("C9", "no such change", id="unknown"),
        pytest.param("C1", "was approved by bob", id="approved"),
        pytest.param("C3", "was withdrawn by alice", id="withdrawn"),
        pytest.param("M1", "no such change, mute or entry", id="not a mute"),
        pytest.param("X\x1b", "no such change, mute or entry", id="nonsense"),
    ],
)
def test_what_is_not_open_is_told(tmp_path: Path, identity: str, says: str) -> None:
    """Approving and withdrawing want a change that is still to be decided."""
    say(tmp_path, adopted(TWO, ONE))
    approved(tmp_path, "C1")
    say(tmp_path, adopted(THREE, TWO))
    withdrawn(tmp_path, "C3", 5)

    with pytest.raises(LoginwardError, match=says) as caught:
        approved(tmp_path, identity)
    assert str(caught.value).isprintable()
    with pytest.raises(LoginwardError, match=says):
        withdrawn(tmp_path, identity, 9)
