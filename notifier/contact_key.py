"""The key of the contact book: 32 bytes in a file of its own, no one else's to read."""

from __future__ import annotations

import os
import secrets
import stat
from pathlib import Path
from typing import Final

from detectors.errors import LoginwardError

KEY_BYTES: Final = 32
_LONGEST: Final = 1024


def ensure_key(key_file: Path, book: Path) -> bytes:
    """The key, made (0600) where neither it nor a contact book exists.

    Raises LoginwardError where others may read it, it is none, or it is missing beside a book.
    """
    try:
        if not key_file.exists():
            if book.exists() and book.stat().st_size:
                raise LoginwardError(
                    f"notifier.contacts_key_file: {key_file} is missing, but {book} is there; put "
                    "the key back from its copy, or remove the book and load the list again"
                )
            _make(key_file)
        return _read(key_file)
    except OSError as failure:
        raise LoginwardError(
            f"notifier.contacts_key_file: {key_file}: {failure.strerror}; name a file that can be "
            "read or made"
        ) from None


def _read(key_file: Path) -> bytes:
    with key_file.open("rb") as file:
        mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
        text = file.read(_LONGEST).strip()
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise LoginwardError(
            f"notifier.contacts_key_file: {key_file}: mode {mode:04o} lets others read the key; "
            f"run chmod 600 {key_file}"
        )
    try:
        key = bytes.fromhex(text.decode("ascii"))
    except ValueError:
        key = b""
    if len(key) != KEY_BYTES:
        raise LoginwardError(
            f"notifier.contacts_key_file: {key_file}: is no key of {2 * KEY_BYTES} hexadecimal "
            "digits; put the copy you kept in its place"
        )
    return key


def _make(key_file: Path) -> None:
    """Write under a name of our own, then link: of two processes the first one's key holds."""
    key_file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = key_file.with_name(f".{key_file.name}.{os.getpid()}.{secrets.token_hex(4)}")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(secrets.token_hex(KEY_BYTES).encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(draft, key_file)
        except FileExistsError:
            return
    finally:
        draft.unlink()
