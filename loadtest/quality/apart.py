"""A run in a process of its own: its memory falls back, and a stop loses only what was running.

Run as a module: a trial as JSON on stdin, its outcome as JSON on stdout.
"""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Final

import msgspec

from detectors.errors import LoginwardError, escaped

from . import trial as trials
from .trial import Outcome, Trial

_LONGEST: Final = 2_000
_PR_SET_PDEATHSIG: Final = 1
_ROOT: Final = Path(__file__).resolve().parents[2]


def run(trial: Trial) -> Outcome:
    """Run it and wait. Raises LoginwardError where it failed, or was killed."""
    done = subprocess.run(
        [sys.executable, "-m", "loadtest.quality.apart"],
        input=msgspec.json.encode(trial),
        capture_output=True,
        check=False,
        env=os.environ | {"PYTHONPATH": str(_ROOT)},
    )
    if done.returncode != 0:
        said = escaped(done.stderr.decode("utf-8", "replace").strip(), _LONGEST)
        raise LoginwardError(said or f"the run ended with {done.returncode}; was memory short?")
    return msgspec.json.decode(done.stdout, type=Outcome)


def main() -> int:
    """Run the trial on stdin; 1 with one line on stderr where it failed."""
    # Whatever ends us, or our starter, goes through Python: the replay is ended, the folder gone.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    trial = msgspec.json.decode(sys.stdin.buffer.read(), type=Trial)
    try:
        outcome = trials.run(trial)
    except LoginwardError as failure:
        sys.stderr.write(f"{failure}\n")
        return 1
    sys.stdout.buffer.write(msgspec.json.encode(outcome))
    return 0


if __name__ == "__main__":
    sys.exit(main())
