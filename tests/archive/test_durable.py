"""Files are whole and on the disk under their name, or not there at all."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from archive import durable
from archive.errors import Superseded
from archive.layout import HEADS
from config import failpoints

from .builders import AT, PART, logins, open_part, seal, store
from .kill_many import STEPS


@pytest.fixture(autouse=True)
def _disarmed() -> Iterator[None]:
    yield
    failpoints.arm("")


def test_a_name_that_is_taken_is_never_replaced(tmp_path: Path) -> None:
    """The first to publish a name has it; the second leaves nothing behind."""
    durable.publish(tmp_path, "x", b"first", kind="seal")

    with pytest.raises(FileExistsError):
        durable.publish(tmp_path, "x", b"second", kind="seal")

    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("x", b"first")]


def test_modes_are_for_the_owner_alone(tmp_path: Path) -> None:
    """Folders are made 0700 and files 0600."""
    folder = tmp_path / "a" / "b"
    durable.make_folder(folder)
    durable.publish(folder, "x", b"", kind="seal")
    durable.append_line(folder / "lines", b"x")

    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.rglob("*")}
    assert modes == {"a": 0o700, "b": 0o700, "x": 0o600, "lines": 0o600}


def test_a_line_that_was_cut_short_harms_itself_alone(tmp_path: Path) -> None:
    """After a line without an end the next one begins anew."""
    path = tmp_path / "lines"
    path.write_bytes(b"whole\ncut sho")

    durable.append_line(path, b"next")

    assert path.read_bytes() == b"whole\ncut sho\nnext\n"


@pytest.mark.parametrize("step", STEPS)
def test_a_refused_write_can_be_repeated(tmp_path: Path, step: str) -> None:
    """Whatever step the disk refuses, a second try archives everything once and leaves no waste."""
    where = store(tmp_path)
    shelf = open_part(where)
    shelf.add(logins(0, 10), 0.0)
    failpoints.arm(f"{step}=raise:ENOSPC@1")

    with pytest.raises(OSError, match="failpoint"):
        shelf.seal(AT)
    if step not in {"archive.seal_linked", "archive.seal_durable", "archive.head_written"}:
        assert list(PART.folder(where.root).iterdir()) == []
    try:
        shelf.seal(AT)
    except Superseded:  # our own seal had been linked: it stands
        shelf = open_part(where)

    assert shelf.pending.first == 10
    assert open_part(where).pending.first == 10
    names = sorted(path.suffix for path in PART.folder(where.root).iterdir())
    assert names == [".key", ".parquet", ".seal"]


def test_a_swept_temporary_file_is_a_race_that_was_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If another archiver takes over between write and link, ours is not an error of the disk."""
    where = store(tmp_path)
    shelf = open_part(where)
    shelf.add(logins(0, 10), 0.0)
    monkeypatch.setattr(
        durable, "hit", lambda name: open_part(where) if name == "archive.seal_synced" else None
    )

    with pytest.raises(Superseded):
        shelf.seal(AT)

    monkeypatch.undo()
    seal(where, logins(0, 10))
    assert open_part(where).pending.first == 10


def test_heads_are_appended_one_a_seal(tmp_path: Path) -> None:
    """The list of heads grows by one line a segment."""
    where = store(tmp_path)
    for first in (0, 5, 10):
        seal(where, logins(first, 5))

    assert len((where.root / HEADS).read_bytes().splitlines()) == 3
