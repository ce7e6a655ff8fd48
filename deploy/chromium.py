"""The system's Chromium for the tests of pages: Debian's, installed where that is ours to do."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Final

NAMES: Final = ("chromium", "chromium-browser", "google-chrome")
_PATIENCE_S: Final = 600.0
_LOOK_AGAIN: Final = "the tests of pages are skipped"


def find() -> Path | None:
    """The browser on PATH, or None."""
    for name in NAMES:
        found = shutil.which(name)
        if found:
            return Path(found)
    return None


def provide(say: Callable[[str], None]) -> Path | None:
    """Find Chromium, or install Debian's where this runs as root and apt-get exists.

    One line says what was done. None, with a line that says so, where there is none afterwards:
    a missing browser is no reason to run no test.
    """
    found = find()
    if found is not None:
        say(f"chromium: {found}")
        return found
    apt = shutil.which("apt-get")
    if apt is None or os.geteuid() != 0:
        say(f"chromium: none on PATH, and not root with apt-get: {_LOOK_AGAIN}; install chromium")
        return None
    say("chromium: none on PATH, installing Debian's (apt-get, some 300 MB)")
    for arguments in (
        ("update", "-q"),
        ("install", "-q", "-y", "--no-install-recommends", "chromium"),
    ):
        if not _done((apt, *arguments)):
            break
    found = find()
    say(f"chromium: {found}" if found else f"chromium: apt-get brought none: {_LOOK_AGAIN}")
    return found


def _done(argv: tuple[str, ...]) -> bool:
    environ = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    try:
        return (
            subprocess.run(
                argv,
                env=environ,
                check=False,
                timeout=_PATIENCE_S,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
            ).returncode
            == 0
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
