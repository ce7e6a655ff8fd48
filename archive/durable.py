"""Files that are either whole and on the disk, or not there: temporary, fsync, exclusive link."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

from config.failpoints import hit

from .layout import TEMPORARY

FOLDER_MODE = 0o700
FILE_MODE = 0o600


def make_folder(path: Path) -> None:
    """Make `path` and its parents (0700), each entry on the disk before the next is made."""
    if path.is_dir():
        return
    make_folder(path.parent)
    path.mkdir(mode=FOLDER_MODE, exist_ok=True)
    sync_folder(path.parent)


def publish(folder: Path, name: str, data: bytes | memoryview, *, kind: str) -> None:
    """Write `data` under `name` (0600), whole and fsynced, unless the name is taken.

    The entry itself is on the disk only after `sync_folder`. Raises FileExistsError where `name` is
    taken, FileNotFoundError where another archiver swept our temporary file, OSError where the disk
    refuses; then nothing of ours is left. `kind` names the failpoints.
    """
    temporary = folder / f"{TEMPORARY}{uuid4().hex}"
    try:
        _write(temporary, data, kind)
        # link, not rename: rename would replace what another archiver has published meanwhile.
        os.link(temporary, folder / name)
        hit(f"archive.{kind}_linked")
    finally:
        temporary.unlink(missing_ok=True)


def _write(path: Path, data: bytes | memoryview, kind: str) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, FILE_MODE)
    try:
        hit(f"archive.{kind}_opened")
        view = memoryview(data)
        _write_all(handle, view[: len(view) // 2])
        hit(f"archive.{kind}_half")
        _write_all(handle, view[len(view) // 2 :])
        hit(f"archive.{kind}_written")
        os.fsync(handle)
        hit(f"archive.{kind}_synced")
    finally:
        os.close(handle)


def _write_all(handle: int, view: memoryview) -> None:
    while view:
        view = view[os.write(handle, view) :]


def append_line(path: Path, line: bytes) -> None:
    """Add one line to `path` (0600) and fsync it; one write, so that two appenders never mix.

    A line that a full disk cut short is closed first, so that it harms itself alone.
    """
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, FILE_MODE)
    try:
        size = os.fstat(handle).st_size
        whole = size == 0 or os.pread(handle, 1, size - 1) == b"\n"
        _write_all(handle, memoryview((b"" if whole else b"\n") + line + b"\n"))
        os.fsync(handle)
    finally:
        os.close(handle)


def sync_folder(path: Path) -> None:
    """Put the folder's entries on the disk."""
    handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def sweep(folder: Path, unwanted: Callable[[str], bool]) -> int:
    """Remove the files whose name is `unwanted`; how many there were."""
    swept = 0
    for entry in folder.iterdir():
        if unwanted(entry.name):
            entry.unlink(missing_ok=True)
            swept += 1
    return swept
