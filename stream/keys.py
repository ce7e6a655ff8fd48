"""The pseudonym key: made at first start, the same for every process, no one else's to read."""

from __future__ import annotations

import os
import secrets
import stat
from pathlib import Path

from config.settings import Settings
from detectors.errors import LoginwardError
from detectors.pseudonyms import KEY_BYTES, Pseudonyms

from .files import PRIVATE, sync_folder

_HEX_DIGITS = 2 * KEY_BYTES
_LONGEST = 1024
"""Bytes read of a key file: enough to see that it is none."""


def load_pseudonyms(settings: Settings) -> Pseudonyms:
    """Pseudonyms under the key of `keys.pseudonym_key_file` (LOGINWARD_PSEUDONYM_KEY_FILE).

    A missing file is made with 32 random bytes, readable by its owner alone; of several processes
    that start at once one makes it and all read the same. Raises LoginwardError where the file is
    readable by others, malformed, or cannot be read or made.
    """
    path = settings.keys.pseudonym_key_file
    try:
        if not path.exists():
            _make(path)
        return Pseudonyms(_read(path))
    except OSError as failure:
        raise LoginwardError(
            f"keys.pseudonym_key_file: {path}: {failure.strerror}; "
            "set LOGINWARD_PSEUDONYM_KEY_FILE to a file that can be read or made"
        ) from None


def _read(path: Path) -> bytes:
    with path.open("rb") as file:
        # Of the open file, not of the path: nobody can swap it between check and reading.
        mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
        text = file.read(_LONGEST).strip()
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise LoginwardError(
            f"keys.pseudonym_key_file: {path}: mode {mode:04o} lets others read the key; "
            f"run chmod 600 {path}"
        )
    try:
        key = bytes.fromhex(text.decode("ascii"))
    except ValueError:
        key = b""
    if len(key) != KEY_BYTES or len(text) != _HEX_DIGITS:
        raise LoginwardError(
            f"keys.pseudonym_key_file: {path}: {len(text)} characters; a key is {_HEX_DIGITS} "
            "hexadecimal digits. Put the copy you kept in its place; a new key cuts the memory "
            "of every account"
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
