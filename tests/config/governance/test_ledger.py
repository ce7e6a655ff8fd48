"""The ledger is appended to and never changed: what is altered breaks the chain, and is told."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from config.governance.ledger import FILE, START, read
from config.governance.records import Approved
from detectors.errors import LoginwardError

from .builders import ONE, TWO, adopted, at, say


@pytest.fixture
def three(tmp_path: Path) -> Path:
    """A folder with a ledger of three lines."""
    say(tmp_path, adopted(TWO, ONE))
    say(tmp_path, Approved(id="C1", effective=at(2)), by="bob", minutes=1)
    say(tmp_path, adopted(ONE, TWO), minutes=5)
    return tmp_path


def test_nothing_is_an_empty_ledger(tmp_path: Path) -> None:
    """Without a file nothing was decided, and nothing is made by looking."""
    assert read(tmp_path / "none").head == START
    assert not (tmp_path / "none").exists()


def test_what_was_decided_is_read_again(three: Path) -> None:
    """Every line with who, when, why and the link to the one before; the file is private."""
    found = read(three)

    assert found.damage is None
    assert [(line.number, line.by, line.at) for line in found.lines] == [
        (1, "alice", at(0)),
        (2, "bob", at(1)),
        (3, "alice", at(5)),
    ]
    assert found.lines[1].what == Approved(id="C1", effective=at(2))
    assert (three / FILE).stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(
    ("old", "new", "kept"),
    [
        pytest.param(b"bob", b"eve", 2, id="altered: the next line does not follow"),
        pytest.param(b'"number":2', b'"number":9', 1, id="renumbered"),
        pytest.param(b'"reason"', b'"raison"', 0, id="unreadable"),
    ],
)
def test_an_altered_line_is_told_and_what_stands_before_it_holds(
    three: Path, old: bytes, new: bytes, kept: int
) -> None:
    """The damage is named by line; nothing can be added until it is mended."""
    path = three / FILE
    path.write_bytes(path.read_bytes().replace(old, new))

    found = read(three)

    assert len(found.lines) == kept
    assert f"{path}:{kept + 1}" in (found.damage or "")
    with pytest.raises(LoginwardError, match="damaged ledger"):
        say(three, adopted(TWO, ONE))


def test_a_removed_line_is_told(three: Path) -> None:
    """A ledger without its second line does not follow itself."""
    path = three / FILE
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(lines[0] + lines[2])

    assert "2: does not follow" in (read(three).damage or "")


def test_a_line_cut_off_by_a_crash_was_never_said(three: Path) -> None:
    """What has no line end was not acknowledged: it is not there, and the next takes its place."""
    path = three / FILE
    whole = path.read_bytes()
    path.write_bytes(whole + b'{"number":4,"at":"2026')

    assert len(read(three).lines) == 3
    say(three, adopted(TWO, ONE), minutes=9)

    found = read(three)
    assert (len(found.lines), found.damage) == (4, None)
    assert path.read_bytes().startswith(whole)


def test_two_who_write_at_once_both_stand_in_the_chain(tmp_path: Path) -> None:
    """A lock orders them; none forks the chain."""
    writers = [
        threading.Thread(target=lambda: [say(tmp_path, adopted(TWO, ONE)) for _ in range(10)])
        for _ in range(4)
    ]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()

    found = read(tmp_path)
    assert ([line.number for line in found.lines], found.damage) == (list(range(1, 41)), None)


def test_a_decision_that_is_refused_leaves_no_line(three: Path) -> None:
    """Whoever decides sees the ledger as it stands; what it raises is raised."""

    def refuse(ledger: object) -> Approved:
        raise LoginwardError("no")

    before = (three / FILE).read_bytes()
    with pytest.raises(LoginwardError, match="no"):
        say(three, refuse)

    assert (three / FILE).read_bytes() == before
