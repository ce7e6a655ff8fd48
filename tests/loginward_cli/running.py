"""Runs the command line as a user does: a process of its own, from another folder."""

from __future__ import annotations

import atexit
import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from functools import cache
from itertools import cycle
from pathlib import Path

import msgspec

from .forks import Job

ROOT = Path(__file__).resolve().parents[2]
_PATIENCE_S = 120.0


def loginward(
    *args: str, cwd: Path, root: Path = ROOT, environ: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """`python -m loginward_cli ARGS` in `cwd`: the packages of `root`, a bare environment.

    What Python reads at its start only (PYTHON..., the locale) or other packages take a new Python;
    everything else is forked from one that has imported them.
    """
    whole = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(root),
        "HOME": str(cwd),
        "COLUMNS": "100",
        **(environ or {}),
    }
    if root == ROOT and not any(
        name.startswith(("PYTHON", "LC_", "LANG")) for name in environ or ()
    ):
        return next(_forkers()).run(args, cwd, whole)
    return subprocess.run(
        [sys.executable, "-m", "loginward_cli", *args],
        cwd=cwd,
        env=whole,
        capture_output=True,
        text=True,
        timeout=_PATIENCE_S,
        check=False,
        stdin=subprocess.DEVNULL,
    )


class _Forker:
    """A Python that has imported everything, started when first needed."""

    def __init__(self) -> None:
        self._ours, theirs = socket.socketpair()
        self._ours.settimeout(_PATIENCE_S)
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.loginward_cli.forks", str(theirs.fileno())],
                cwd="/",
                env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
            )
        atexit.register(self.end)

    def run(
        self, args: tuple[str, ...], cwd: Path, environ: dict[str, str]
    ) -> subprocess.CompletedProcess[str]:
        with tempfile.TemporaryDirectory() as folder:
            out, err = Path(folder, "out"), Path(folder, "err")
            job = Job([*args], str(cwd), environ, str(out), str(err))
            self._ours.sendall(msgspec.json.encode(job) + b"\n")
            code = self._ours.recv(16)
            assert code, f"the forker ended with {self._process.wait()}"
            return subprocess.CompletedProcess(
                ["loginward", *args], int(code), out.read_text(), err.read_text()
            )

    def end(self) -> None:
        self._ours.close()
        self._process.wait()


@cache
def _forkers() -> Iterator[_Forker]:
    """Two in turn: what a run takes from the hash of a string differs from one run to the next."""
    return cycle([_Forker(), _Forker()])
