"""A kill -9 of the notifier at any step loses no notice, and doubles none but the counted SMS."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from tests.checkout import ROOT

from .kill_many import STEPS

KILLS = 26
"""Two at each step; `python -m tests.notifier.kill_many FOLDER 300` does more."""


@pytest.mark.timeout(600)
def test_kills_at_every_step_lose_and_double_nothing(tmp_path: Path) -> None:
    """Every verdict has one notice, every notice each of its messages; SMS doubles are counted."""
    run = subprocess.run(
        [sys.executable, "-m", "tests.notifier.kill_many", str(tmp_path), str(KILLS)],
        cwd=ROOT,
        check=True,
        capture_output=True,
        timeout=560,
    )

    said = msgspec.json.decode(run.stdout)
    assert said["wrong"] == []
    assert set(said["killed"]) == set(STEPS)
    assert sum(said["killed"].values()) == KILLS
    assert said["told"]["notices"] == KILLS * 2
