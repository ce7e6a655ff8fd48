"""The file all of this stands in: SQLite in WAL mode, every commit on the disk before it counts."""

from __future__ import annotations

import fcntl
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from detectors.errors import LoginwardError

_SCHEMA: Final = Path(__file__).with_name("schema.sql")
_VERSION: Final = 1
_BUSY_S: Final = 10.0


def open_store(path: Path) -> sqlite3.Connection:
    """The store at `path`, made where there is none (0600, its folder 0700).

    Raises LoginwardError where it cannot be opened or is of a newer version.
    """
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
        return _opened(path)
    except (OSError, sqlite3.Error) as failure:
        raise LoginwardError(
            f"outputs.queue: {path}: {failure}; name a file on a disk that can be written"
        ) from None


def _opened(path: Path) -> sqlite3.Connection:
    store = sqlite3.connect(path, timeout=_BUSY_S, isolation_level=None)
    try:
        store.execute("PRAGMA journal_mode=WAL")
        # Not NORMAL: in WAL mode it would lose commits of the last moment with the power.
        store.execute("PRAGMA synchronous=FULL")
        (version,) = store.execute("PRAGMA user_version").fetchone()
        if version > _VERSION:
            raise LoginwardError(
                f"outputs.queue: {path}: was written by a newer loginward (version {version}, "
                f"we know {_VERSION}); use that one, or name another file"
            )
        store.executescript(_SCHEMA.read_text())
        store.execute(f"PRAGMA user_version={_VERSION}")
    except BaseException:
        store.close()
        raise
    return store


@contextmanager
def transaction(store: sqlite3.Connection) -> Iterator[sqlite3.Connection]:
    """All that the block writes, or nothing of it; the write lock is taken at once."""
    store.execute("BEGIN IMMEDIATE")
    try:
        yield store
    except BaseException:
        store.execute("ROLLBACK")
        raise
    store.execute("COMMIT")


@contextmanager
def only_one(path: Path) -> Iterator[None]:
    """Held while the block runs: two processes that serve one queue would send everything twice.

    Raises LoginwardError where another holds it.
    """
    lock = path.with_name(path.name + ".lock")
    lock.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(handle)
        raise LoginwardError(
            f"outputs.queue: {path}: another `loginward run outputs` serves it; "
            "one process a queue, several outputs a process"
        ) from None
    try:
        yield
    finally:
        os.close(handle)
