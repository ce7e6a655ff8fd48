"""Files written whole or not at all."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from config.files import whole_file


def test_a_file_appears_when_it_is_whole(tmp_path: Path) -> None:
    """Until the block ends a reader meets the old content; then the new, private."""
    path = tmp_path / "out"
    path.write_text("old")

    with whole_file(path) as out:
        out.write(b"new")
        out.flush()
        meanwhile = path.read_text()

    assert (meanwhile, path.read_text()) == ("old", "new")
    assert path.stat().st_mode & 0o777 == 0o600


def _fail_inside(path: Path) -> None:
    with whole_file(path) as out:
        out.write(b"half")
        raise RuntimeError


def test_a_failure_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    """No half file, no draft."""
    path = tmp_path / "out"
    path.write_text("old")

    with pytest.raises(RuntimeError):
        _fail_inside(path)

    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_pipe_is_written_as_it_is(tmp_path: Path) -> None:
    """What is no regular file is not replaced by one."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    got: list[bytes] = []
    reader = threading.Thread(target=lambda: got.append(pipe.read_bytes()))
    reader.start()

    with whole_file(pipe) as out:
        out.write(b"through")
    reader.join(timeout=30)

    assert got == [b"through"]
    assert pipe.is_fifo()
