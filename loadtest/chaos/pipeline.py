"""The pipeline as separate processes on an embedded stack, each of which can be killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

from deploy.embedded import Stack
from detectors.errors import LoginwardError

from .proxy import Proxy
from .small_disk import SmallDisk

STOP_S = 60.0
"""Longer than the grace a worker has for the batch in work."""
ROOT = Path(__file__).resolve().parents[2]


class Pipeline:
    """A stack and the parts of loginward on it, in one folder; nothing of it outlives the block.

    `proxied`: the parts reach Kafka and Valkey through `kafka_line` and `valkey_line`.
    `disk_bytes`: the archive lies on a disk of that size, where the system lets us make one.
    """

    def __init__(
        self,
        folder: Path,
        settings: Mapping[str, str],
        *,
        proxied: bool = False,
        disk_bytes: int = 0,
    ) -> None:
        self.folder = folder
        self.kafka_line = Proxy(lambda: ("127.0.0.1", self._port("kafka")))
        self.valkey_line = Proxy(lambda: ("127.0.0.1", self._port("valkey")))
        self._proxied = proxied
        self.disk = SmallDisk(folder / "disk", disk_bytes) if disk_bytes else None
        self._settings = {
            "LOGINWARD_HOME": str(folder / "home"),
            "LOGINWARD_ARCHIVE_SEGMENT_INTERVAL": "2s",
            "LOGINWARD_METRICS_PORT": "0",
            "PYTHONPATH": str(ROOT),
            **settings,
        }
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self._running = ExitStack()

    def __enter__(self) -> Self:
        self.folder.mkdir(parents=True, exist_ok=True)
        with ExitStack() as started:
            if self._proxied:
                started.enter_context(self.kafka_line)
                started.enter_context(self.valkey_line)
            if self.disk is not None:
                started.enter_context(self.disk)
            self.stack = Stack(
                self.folder / "stack",
                owned=True,
                kafka_advertised_port=self.kafka_line.port or None,
            )
            started.callback(self.stack.down)
            self.stack.up()
            started.callback(self._end)
            self._running = started.pop_all()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._running.close()

    def _end(self) -> None:
        for process in self._processes.values():
            process.kill()
            process.wait()

    def _port(self, name: str) -> int:
        server = self.stack.kafka if name == "kafka" else self.stack.valkey
        return 0 if server is None else server.port

    @property
    def environment(self) -> dict[str, str]:
        """What every part reads: the stack's addresses, and one home for keys and archive."""
        ends = self.stack.endpoints
        kafka, redis = ends.kafka_bootstrap, ends.redis_url
        if self._proxied:
            kafka, redis = self.kafka_line.address, f"redis://{self.valkey_line.address}/0"
        return {
            **os.environ,
            **self._settings,
            "KAFKA_BOOTSTRAP": kafka,
            "REDIS_URL": redis,
            "LOGINWARD_ARCHIVE_DIRECTORY": str(self.archive),
        }

    @property
    def parts(self) -> frozenset[str]:
        """The parts that were started and not stopped."""
        return frozenset(self._processes)

    @property
    def home(self) -> Path:
        """The folder of keys."""
        return self.folder / "home"

    @property
    def archive(self) -> Path:
        """The folder of sealed segments."""
        if self.disk is not None and self.disk.mounted:
            return self.disk.folder / "archive"
        return self.home / "archive"

    def move_to(self, folder: Path, *, prefix: str) -> None:
        """From now on work in another folder and on other topics of the same servers."""
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self._settings["LOGINWARD_HOME"] = str(folder / "home")
        self._settings["LOGINWARD_KAFKA_TOPIC_PREFIX"] = prefix

    def start(
        self, name: str, environment: Mapping[str, str] | None = None, *, planted: str = ""
    ) -> None:
        """Start `detect-<n>`, `relay`, `archive` or `notify`; its output goes to `<name>.log`.

        `planted`: with that defect (loadtest/chaos/planted.py).
        """
        running = self._processes.get(name)
        if running is not None and running.poll() is None:
            # Overwritten, it would outlive the block.
            raise LoginwardError(f"{name}: runs already, as process {running.pid}")
        command = [*_PLANTED, planted] if planted else _COMMAND
        with self._log(name).open("ab") as log:
            self._processes[name] = subprocess.Popen(
                [*command, "run", name.partition("-")[0]],
                env={**self.environment, **(environment or {})},
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
            )

    def restart(self, name: str, environment: Mapping[str, str] | None = None) -> None:
        """Stop a part as an operator would and start it with another environment."""
        if name in self._processes:
            self.stop([name])
        self.start(name, environment)

    def kill(self, name: str) -> int:
        """End a part at once (kill -9); what it ended with."""
        process = self._processes[name]
        process.kill()
        return process.wait()

    def signal(self, name: str, number: signal.Signals) -> None:
        """Send a signal to a part."""
        self._processes[name].send_signal(number)

    def ended(self, name: str) -> int | None:
        """What a part ended with; None while it runs."""
        return self._processes[name].poll()

    def stop(self, names: Iterable[str] | None = None) -> None:
        """End parts as an operator would, and wait for them."""
        chosen = list(self._processes if names is None else names)
        for name in chosen:
            self._processes[name].terminate()
        for name in chosen:
            process = self._processes.pop(name)
            try:
                process.wait(timeout=STOP_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
                raise LoginwardError(
                    f"{name}: did not stop within {STOP_S:.0f} s; see {self._log(name)}"
                ) from None

    def revive(self) -> list[str]:
        """Start parts that have ended by themselves again; returns their names."""
        ended = [name for name, process in self._processes.items() if process.poll() is not None]
        for name in ended:
            self.start(name)
        return ended

    def _log(self, name: str) -> Path:
        return self.folder / f"{name}.log"

    def log_size(self, name: str) -> int:
        """Bytes that a part has logged so far."""
        path = self._log(name)
        return path.stat().st_size if path.exists() else 0

    def logged(self, name: str, text: str, since: int = 0) -> bool:
        """Whether a part has logged `text` after its first `since` bytes."""
        path = self._log(name)
        if not path.exists():
            return False
        with path.open("rb") as log:
            log.seek(since)
            return text.encode() in log.read()

    def log_sizes(self) -> dict[str, int]:
        """How much each part has logged so far."""
        return {path.stem: path.stat().st_size for path in self.folder.glob("*.log")}

    def any_logged(self, part: str, text: str, since: Mapping[str, int]) -> bool:
        """Whether any process of a part has logged `text` since."""
        names = (path.stem for path in self.folder.glob(f"{part}*.log"))
        return any(self.logged(name, text, since.get(name, 0)) for name in names)

    def pids(self) -> dict[str, int]:
        """The process of each part that runs."""
        return {n: one.pid for n, one in self._processes.items() if one.poll() is None}

    def command(self, name: str, *arguments: str) -> subprocess.Popen[bytes]:
        """Begin a command of loginward, which the caller ends; its output goes to `<name>.log`."""
        with self._log(name).open("ab") as log:
            return subprocess.Popen(
                [*_COMMAND, *arguments],
                env=self.environment,
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
            )

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
_PLANTED = [sys.executable, "-m", "loadtest.chaos.planted"]
