"""All parts on one machine: each a child process, started again when it ends, stopped together."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import structlog

FIRST_PAUSE_S = 0.5
LONGEST_PAUSE_S = 30.0
STEADY_S = 60.0
"""A child that has run this long was not failing at its start: its pause begins anew."""
STOP_S = 45.0
"""Longer than a worker's own grace for the batch in work."""

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class Child:
    """One part and its process."""

    name: str
    command: list[str]
    environment: dict[str, str]
    process: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    pause: float = FIRST_PAUSE_S
    due: float = field(default_factory=time.monotonic)
    restarts: int = 0


def parts(workers: int, environment: dict[str, str], also: Sequence[str] = ()) -> list[Child]:
    """The children of `run all`: `workers` times detect, one relay, one archive, one of `also`."""
    base = [sys.executable, "-m", "loginward_cli", "run"]
    names = [f"detect-{number}" for number in range(workers)] + ["relay", "archive", *also]
    return [Child(name, [*base, name.partition("-")[0]], dict(environment)) for name in names]


class Supervisor:
    """Keeps children running until `stop`; safe to call from other threads."""

    def __init__(self, children: Iterable[Child]) -> None:
        self.children = list(children)
        self._stopping = threading.Event()

    def run(self) -> None:
        """Start and restart children until `stop` is called; then end them in order."""
        while not self._stopping.wait(0.1):
            for child in self.children:
                self._tend(child)
        self._end()

    def stop(self) -> None:
        """Ask `run` to end."""
        self._stopping.set()

    def _tend(self, child: Child) -> None:
        now = time.monotonic()
        if child.process is not None:
            code = child.process.poll()
            if code is None:
                return
            child.pause = FIRST_PAUSE_S if now - child.started > STEADY_S else child.pause
            log.warning("child ended", child=child.name, code=code, again_in_s=child.pause)
            child.process, child.due = None, now + child.pause
            child.pause = min(LONGEST_PAUSE_S, child.pause * 2)
            child.restarts += 1
        if now >= child.due:
            child.process = subprocess.Popen(child.command, env=child.environment)
            child.started = now

    def _end(self) -> None:
        running = [child.process for child in self.children if child.process is not None]
        for process in running:
            process.send_signal(signal.SIGTERM)
        deadline = time.monotonic() + STOP_S
        for process in running:
            try:
                process.wait(timeout=max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def run_all(workers: int, environment: dict[str, str], also: Sequence[str] = ()) -> int:
    """Run everything, with the parts that are configured (`also`), until SIGTERM or Ctrl-C."""
    supervisor = Supervisor(parts(workers, environment, also))
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: supervisor.stop())
    supervisor.run()
    return 0
