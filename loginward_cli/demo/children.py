"""The pipeline's processes: each on a leash, with a log file, started again when it ends."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import structlog

from config.settings import ALIASES
from deploy.embedded import StackError, process
from deploy.embedded.ports import free_port
from detectors.errors import LoginwardError

from .folder import DemoFolder, write_child_config

STOP_S = 15.0
"""A worker finishes its batch and the archive seals what is pending; both take a second or two."""

MOST_RESTARTS = 5
"""Of one child. More means that it cannot run here; its log says why."""

_LOOK_EVERY_S = 0.2

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class Child:
    """One part of the pipeline and its process."""

    name: str
    part: str
    config: Path
    log: Path
    pid: int = 0
    port: int = 0
    restarts: int = 0

    @property
    def running(self) -> bool:
        """Whether the process lives."""
        return process.is_running(self.pid, str(self.config))

    @property
    def state(self) -> str:
        """`up`, `up (restarted 2x)` or `DOWN`."""
        times = f" (restarted {self.restarts}x)" if self.restarts else ""
        return ("up" if self.running else "DOWN") + times


PARTS = ("relay", "incidents", "notify", "answers", "archive")
"""Beside the detect workers, one of each."""


class Children:
    """The pipeline as processes that never outlive this one: from detect to the answer page.

    As a context manager they run inside the block. Each is the child of a leash, which ends it
    when this process ends, by whatever signal.
    """

    def __init__(self, folder: DemoFolder, workers: int, home: Path) -> None:
        self._folder = folder
        self._home = home
        names = [f"detect-{number}" for number in range(1, workers + 1)] + list(PARTS)
        self.all = [
            Child(
                name=name,
                part=name.partition("-")[0],
                config=folder.child_config(name),
                log=folder.logs / f"{name}.log",
            )
            for name in names
        ]
        self._stopping = threading.Event()
        self._failure: LoginwardError | None = None
        self._thread = threading.Thread(target=self._tend, name="children", daemon=True)

    def __enter__(self) -> Self:
        try:
            for child in self.all:
                self._start(child)
        except BaseException:
            self.stop()
            raise
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def check(self) -> None:
        """Raise LoginwardError where a child cannot be kept running."""
        if self._failure is not None:
            raise self._failure

    def stop(self) -> None:
        """End all: first who reads and judges, last the archive, which seals what is pending."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join()
        for parts in (
            ("detect",),
            ("relay",),
            ("incidents", "notify", "answers"),
            ("archive",),
        ):
            self._stop_all([child for child in self.all if child.part in parts])

    def _stop_all(self, children: Sequence[Child]) -> None:
        threads = [
            threading.Thread(
                target=process.stop,
                args=(child.pid, str(child.config)),
                kwargs={"within_s": STOP_S},
            )
            for child in children
        ]
        for thread in threads:
            thread.start()
        for thread, child in zip(threads, children, strict=True):
            thread.join()
            process.reap(str(child.config))

    def _start(self, child: Child) -> None:
        child.port = free_port([other.port for other in self.all])
        write_child_config(self._folder, child.name, child.port)
        command = process.Command(
            argv=[
                *(sys.executable, "-m", "loginward_cli"),
                *("--config", str(child.config)),
                *("run", child.part),
            ],
            marker=str(child.config),
            log=child.log,
            environ=_environment(self._home),
        )
        try:
            child.pid = process.start(command, owner=os.getpid())
        except StackError as failure:
            raise LoginwardError(f"{child.name}: {failure}") from None

    def _tend(self) -> None:
        while not self._stopping.wait(_LOOK_EVERY_S):
            for child in self.all:
                if not child.running:
                    self._again(child)

    def _again(self, child: Child) -> None:
        process.reap(str(child.config))
        log.warning("child ended", child=child.name, restarts=child.restarts)
        if child.restarts >= MOST_RESTARTS:
            self._failure = LoginwardError(
                f"{child.name}: ended {child.restarts + 1} times; read {child.log}\n"
                + process.tail((child.log,))
            )
            self._stopping.set()
            return
        child.restarts += 1
        # A process that ends at its start must not take the machine with it.
        if self._stopping.wait(min(4.0, 0.25 * 2**child.restarts) if child.restarts > 1 else 0):
            return
        try:
            self._start(child)
        except LoginwardError as failure:
            self._failure = failure
            self._stopping.set()


def left_running(root: Path) -> list[int]:
    """Process ids of everything that still runs for the demo in this folder."""
    import psutil

    found = []
    for running in psutil.process_iter(["cmdline", "status"]):
        cmdline = running.info["cmdline"] or []
        ours = any(argument.startswith(f"{root}/") for argument in cmdline)
        if ours and running.info["status"] != psutil.STATUS_ZOMBIE and running.pid != os.getpid():
            found.append(int(running.pid))
    return sorted(found)


def _environment(home: Path) -> dict[str, str]:
    """Ours without the settings in it: a child reads its file, and nothing of the user's Kafka."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if name not in ALIASES and (not name.startswith("LOGINWARD_") or name == "LOGINWARD_CACHE")
    }
    search = kept.get("PYTHONPATH", "")
    if str(home) not in search.split(os.pathsep):
        kept["PYTHONPATH"] = os.pathsep.join(filter(None, (str(home), search)))
    return kept | {"PYTHONUNBUFFERED": "1"}
