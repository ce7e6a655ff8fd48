"""A server's own folder: usable names, private mode, enough room."""

import shutil
from pathlib import Path

from .errors import StackError

_NEEDED_MB = 64
# What a comma is to Kafka's lists, a colon to Java's class path, a backslash, `$` and line ends
# to properties files: each would be read as something else than a path.
_UNUSABLE = frozenset(',:\\$"\n\r')


def make_folder(directory: Path) -> None:
    """Make the folder, readable by its owner alone.

    Raises:
        StackError: it cannot be made, or its name cannot stand in the servers' configuration.
    """
    if bad := sorted(_UNUSABLE & set(str(directory))):
        raise StackError(
            f"{str(directory)!r}: {', '.join(map(repr, bad))} in a path is read as something "
            "else by Kafka: choose another data folder"
        )
    try:
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise StackError(f"{directory}: {error.strerror}: choose another data folder") from error


def check_room(directory: Path) -> None:
    """Make sure that a server can start to write.

    Raises:
        StackError: its disk is nearly full.
    """
    free = shutil.disk_usage(directory).free // 1_000_000
    if free < _NEEDED_MB:
        raise StackError(
            f"{directory}: {free} MB free, at least {_NEEDED_MB} MB are needed: "
            "free some space or choose another data folder"
        )
