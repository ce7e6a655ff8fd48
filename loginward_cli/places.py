"""Files and folders that a user names for results: looked at before the work, never lost by it."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from .output import fail

_OURS = ".loginward-trial"
"""In every folder that a trial has made: it may be emptied by the next one."""


def to_write(option: str, file: Path | None) -> None:
    """Refuse a file that could not be written, before the work is done; None is no file.

    Exits with 2 and a sentence that begins with `option`.
    """
    if file is None:
        return
    if file.is_dir():
        fail(f"{option} {file}: is a folder; name a file")
    if file.exists() and not file.is_file():
        return  # /dev/null or a pipe is written to as it is: see config.files.whole_file
    folder = file.parent
    if not folder.is_dir():
        fail(f"{option} {file}: {folder} is no folder; make it, or name another place")
    if not os.access(folder, os.W_OK):
        fail(f"{option} {file}: this user may not write in {folder}; name another place")


def made_anew(named: Path | None, usual: Path) -> Path:
    """An empty folder for a trial: what `--folder` names, else `usual`, which is ours alone.

    Exits with 2 where the one that was named holds anything that no trial has left there.
    """
    place = usual if named is None else named
    if named is not None and named.exists():
        if not named.is_dir():
            fail(f"--folder {named}: is no folder; name one that is empty or not there yet")
        if any(named.iterdir()) and not (named / _OURS).exists():
            fail(
                f"--folder {named}: holds files that are not of a trial, and would be emptied; "
                "name one that is empty or not there yet"
            )
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True, exist_ok=True)
    (place / _OURS).touch()
    return place
