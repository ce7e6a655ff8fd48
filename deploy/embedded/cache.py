"""Where fetched and derived files are kept between runs, shared by all data folders."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from fcntl import LOCK_EX, LOCK_UN, flock
from pathlib import Path

CACHE_VARIABLE = "LOGINWARD_CACHE"


def cache_dir(environ: Mapping[str, str] | None = None) -> Path:
    """Give the cache folder: LOGINWARD_CACHE, else `loginward` in the user's cache folder."""
    environ = os.environ if environ is None else environ
    if chosen := environ.get(CACHE_VARIABLE):
        return Path(chosen).absolute()
    base = environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base).absolute() / "loginward"


@contextmanager
def only_one(lock: Path) -> Iterator[None]:
    """Hold an advisory lock on a file: a second process waits here until the first is done."""
    lock.parent.mkdir(parents=True, exist_ok=True)
    with lock.open("a", encoding="utf-8") as handle:
        flock(handle, LOCK_EX)
        try:
            yield
        finally:
            flock(handle, LOCK_UN)
