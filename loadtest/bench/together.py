"""Runs parts of the pipeline side by side, as one contender; ends them when it is ended.

Run as `python -m loadtest.bench.together PART...`: a process each, `loginward run PART`.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading

from .contender import python

_LOOK_S, _STOP_S = 0.1, 25.0


def main(parts: list[str]) -> int:
    """Run them until SIGTERM, or until one ends by itself, which is a failure."""
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    # Where Prometheus would ask: two on one machine need two ports, here nobody asks.
    environ = {**os.environ, "LOGINWARD_METRICS_PORT": "0"}
    running = [
        subprocess.Popen(python("loginward_cli", "run", part), env=environ) for part in parts
    ]
    while not stop.wait(_LOOK_S) and all(process.poll() is None for process in running):
        continue
    for process in running:
        process.terminate()
    for process in running:
        try:
            process.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    return 0 if stop.is_set() else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
