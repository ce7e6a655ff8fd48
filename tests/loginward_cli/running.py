"""Runs the command line as a user does: a process of its own, from another folder."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def loginward(
    *args: str, cwd: Path, root: Path = ROOT, environ: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """`python -m loginward_cli ARGS` in `cwd`: the packages of `root`, a bare environment."""
    return subprocess.run(
        [sys.executable, "-m", "loginward_cli", *args],
        cwd=cwd,
        env={
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(root),
            "HOME": str(cwd),
            "COLUMNS": "100",
            **(environ or {}),
        },
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        stdin=subprocess.DEVNULL,
    )
