"""The pipeline as separate processes on an embedded stack, each of which can be killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from deploy.embedded import Stack
from detectors.errors import LoginwardError

STOP_S = 60.0
"""Longer than the grace a worker has for the batch in work."""


class Pipeline:
    """A stack and the parts of loginward on it, in one folder; nothing of it outlives the block."""

    def __init__(self, folder: Path, settings: Mapping[str, str]) -> None:
        self.folder = folder
        self.stack = Stack(folder / "stack", owned=True)
        self._settings = {
            "LOGINWARD_HOME": str(folder / "home"),
            "LOGINWARD_ARCHIVE_SEGMENT_INTERVAL": "2s",
            "LOGINWARD_METRICS_PORT": "0",
            "PYTHONPATH": str(Path(__file__).resolve().parents[2]),
            **settings,
        }
        self._processes: dict[str, subprocess.Popen[bytes]] = {}

    def __enter__(self) -> Self:
        self.folder.mkdir(parents=True, exist_ok=True)
        self.stack.up()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for process in self._processes.values():
            process.kill()
            process.wait()
        self.stack.down()

    @property
    def environment(self) -> dict[str, str]:
        """What every part reads: the stack's addresses, and one home for keys and archive."""
        ends = self.stack.endpoints
        return {
            **os.environ,
            **self._settings,
            "KAFKA_BOOTSTRAP": ends.kafka_bootstrap,
            "REDIS_URL": ends.redis_url,
        }

    @property
    def home(self) -> Path:
        """The folder of keys and archive."""
        return self.folder / "home"

    def start(self, name: str, *, failpoints: str = "") -> None:
        """Start `detect-<n>`, `relay` or `archive`; its output goes to `<name>.log`."""
        environment = self.environment
        if failpoints:
            environment["LOGINWARD_FAILPOINTS"] = failpoints
        with (self.folder / f"{name}.log").open("ab") as log:
            self._processes[name] = subprocess.Popen(
                [*_COMMAND, "run", name.partition("-")[0]],
                env=environment,
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
            )

    def kill(self, name: str) -> None:
        """End a part at once (kill -9)."""
        process = self._processes[name]
        process.kill()
        process.wait()

    def signal(self, name: str, number: signal.Signals) -> None:
        """Send a signal to a part."""
        self._processes[name].send_signal(number)

    def stop(self, names: Iterable[str] | None = None) -> None:
        """End parts as an operator would, and wait for them."""
        chosen = list(self._processes if names is None else names)
        for name in chosen:
            self._processes[name].terminate()
        for name in chosen:
            self._processes.pop(name).wait(timeout=STOP_S)

    def revive(self) -> list[str]:
        """Start parts that have ended by themselves again; returns their names."""
        ended = [name for name, process in self._processes.items() if process.poll() is not None]
        for name in ended:
            self.start(name)
        return ended

    def run(self, *arguments: str) -> str:
        """Run a command of loginward to its end; what it printed. Raises where it fails."""
        done = subprocess.run(
            [*_COMMAND, *arguments],
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
            stdin=subprocess.DEVNULL,
        )
        if done.returncode:
            raise LoginwardError(
                f"loginward {' '.join(arguments[:2])}: exit {done.returncode}: {done.stderr[-800:]}"
            )
        return done.stdout


_COMMAND = [sys.executable, "-m", "loginward_cli"]
