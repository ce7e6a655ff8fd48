"""How far a followed log has been delivered, on disk: written after the brokers have confirmed."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

import msgspec

from config.files import PRIVATE, whole_file
from detectors.errors import LoginwardError

from .file_identity import FileId


class Position(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Everything before byte `delivered` of the last of `files` has been delivered.

    `warm_from` is the byte of the first of `files` at which reading must begin so that lines which
    belong together are understood as before; from there to `delivered` nothing is sent again.
    `changed_ns`: when the last of `files` was last written.
    """

    version: Literal[1]
    path: str
    files: list[FileId]
    warm_from: int
    delivered: int
    changed_ns: int


def load_position(file: Path, path: Path) -> Position | None:
    """The position of the log `path` kept in `file`; None where there is none yet."""
    try:
        raw = file.read_bytes()
    except FileNotFoundError:
        return None
    try:
        position = msgspec.json.decode(raw, type=Position)
    except msgspec.DecodeError as problem:
        raise LoginwardError(
            f"{file}: is no position of a followed log ({problem}); remove it to read {path} from "
            "its start again: events keep their ids"
        ) from None
    if position.path != str(path) or not position.files:
        raise LoginwardError(
            f"{file}: is the position of {position.path}, not of {path}; name another --position"
        )
    return position


def save_position(file: Path, position: Position) -> None:
    """Replace the position on disk, whole, and synced."""
    with whole_file(file) as out:
        out.write(msgspec.json.encode(position) + b"\n")


@contextmanager
def only_one(file: Path) -> Iterator[None]:
    """Hold the right to write `file` while the block runs; LoginwardError where another has it."""
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle = os.open(file.with_name(f"{file.name}.lock"), os.O_RDWR | os.O_CREAT, PRIVATE)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise LoginwardError(
                f"{file}: another process follows this log; stop it, or name another --position"
            ) from None
        yield
    finally:
        os.close(handle)
