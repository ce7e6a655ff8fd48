"""A kill -9 at any step of writing leaves an archive that verifies and goes on."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from .corner import ROOT
from .kill_many import STEPS

KILLS = 200


@pytest.mark.timeout(600)
def test_two_hundred_kills_leave_nothing_torn(tmp_path: Path) -> None:
    """200 times, at each write step: verify is clean after each, nothing lost or doubled."""
    run = subprocess.run(
        [sys.executable, "-m", "tests.archive.kill_many", str(tmp_path), str(KILLS)],
        cwd=ROOT,
        check=True,
        capture_output=True,
        timeout=560,
    )

    said = msgspec.json.decode(run.stdout)
    assert said["wrong"] == []
    assert sum(said["killed"].values()) == KILLS
    assert set(said["killed"]) == set(STEPS)
