"""Keys of 32 random bytes, a file each: made once, shared by all processes, for one owner alone."""

from __future__ import annotations

import os
import secrets
import stat
from pathlib import Path
from typing import Final

from detectors.errors import LoginwardError

from .files import PRIVATE, sync_folder

KEY_BYTES: Final = 32
_HEX_DIGITS: Final = 2 * KEY_BYTES
_LONGEST: Final = 1024
"""Bytes read of a key file: enough to see that it is none."""


def ensure_key(setting: str, path: Path, *, way_out: str, written: Path | None = None) -> bytes:
    """The key in `path`; where nothing is there, one is made, for its owner alone (0600).

    Of several processes that start at once one makes it and all read the same. None is made beside
    `written`, a file that another key can never read. Raises LoginwardError, naming `setting`,
    where others may read the file, it cannot be read or made, or holds no key; `way_out` says what
    to do then.
    """
    try:
        if not path.exists():
            if written is not None and written.exists() and written.stat().st_size:
                raise LoginwardError(
                    f"{setting}: {path} is missing, but {written} is there; put the key back from "
                    "its copy, or remove that file and load it again"
                )
            _make(path)
        return _read(setting, path, way_out)
    except OSError as failure:
        raise LoginwardError(
            f"{setting}: {path}: {failure.strerror}; name a file that can be read or made"
        ) from None


def _read(setting: str, path: Path, way_out: str) -> bytes:
    with path.open("rb") as file:
        # Of the open file, not of the path: nobody can swap it between check and reading.
        mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
        text = file.read(_LONGEST).strip()
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise LoginwardError(
            f"{setting}: {path}: mode {mode:04o} lets others read the key; run chmod 600 {path}"
        )
    try:
        key = bytes.fromhex(text.decode("ascii"))
    except ValueError:
        key = b""
    if len(key) != KEY_BYTES or len(text) != _HEX_DIGITS:
        raise LoginwardError(
            f"{setting}: {path}: {len(text)} characters; a key is {_HEX_DIGITS} hexadecimal "
            f"digits. {way_out}"
        )
    return key


def _make(path: Path) -> None:
    """Write a whole file under a name of our own, then link it: the first link wins."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(secrets.token_hex(KEY_BYTES).encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(draft, path)
        except FileExistsError:
            return
        sync_folder(path.parent)
    finally:
        draft.unlink()
