"""`loginward demo` as a person runs it: alerts come, figures add up, nothing outlives it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import psutil
import pytest

from loginward_cli.demo.children import left_running

from .running import ROOT, loginward

pytestmark = pytest.mark.long

_PATIENCE_S = 120.0


@dataclass(slots=True)
class Run:
    """A demo in a process and session of its own; `told` is its stderr so far."""

    process: subprocess.Popen[str]
    home: Path
    told: list[str] = field(default_factory=list)
    reader: threading.Thread = field(init=False)

    def __post_init__(self) -> None:
        """Make the thread that reads along."""
        self.reader = threading.Thread(target=self.follow, daemon=True)

    @property
    def folder(self) -> Path:
        """Where its data stands."""
        return self.home / "demo"

    def follow(self) -> None:
        """Collect stderr until it ends."""
        assert self.process.stderr is not None
        with self.process.stderr as stderr:
            for line in stderr:
                self.told.append(line)

    def until_told(self, beginning: str) -> None:
        """Return when a line begins so."""
        self.until(lambda: any(line.startswith(beginning) for line in self.told))

    def until(self, done: Callable[[], bool]) -> None:
        """Return when it is done; what was told explains where it is not."""
        deadline = time.monotonic() + _PATIENCE_S
        while not done():
            assert time.monotonic() < deadline, "".join(self.told)
            assert self.process.poll() is None, "".join(self.told)
            time.sleep(0.05)

    def pid_of(self, config: str) -> int:
        """The process with this settings file below the demo's folder; its leash is another."""
        for pid in left_running(self.folder):
            try:
                cmdline = psutil.Process(pid).cmdline()
            except psutil.NoSuchProcess:
                continue
            if "leash" not in " ".join(cmdline) and any(part.endswith(config) for part in cmdline):
                return pid
        return 0

    def runs_anew(self, config: str, before: int) -> bool:
        """Whether it runs under another process id."""
        return self.pid_of(config) not in {0, before}

    def summary(self) -> dict[str, Any]:
        """The last line of standard output, when it has ended by itself with 0."""
        assert self.process.stdout is not None
        out = self.process.stdout.read()
        self.process.wait(_PATIENCE_S)
        assert self.process.returncode == 0, "".join(self.told)
        summary: dict[str, Any] = json.loads(out.splitlines()[-1])
        return summary

    def end(self) -> None:
        """Close what is ours of it, once it is dead."""
        assert self.process.stdout is not None
        self.process.stdout.close()
        self.reader.join(_PATIENCE_S)
        self.gone()

    def gone(self) -> None:
        """Return when nothing of it runs any more."""
        deadline = time.monotonic() + _PATIENCE_S
        while (left := left_running(self.folder)) and time.monotonic() < deadline:
            time.sleep(0.1)
        assert left == []


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[Callable[..., Run]]:
    """Starts demos, each in a folder of its own, and leaves none behind."""
    runs: list[Run] = []

    def start(*args: str) -> Run:
        home = tmp_path / f"home{len(runs)}"
        process = subprocess.Popen(
            [sys.executable, "-m", "loginward_cli", "demo", "--no-view", "--json", *args],
            cwd=tmp_path,
            # A Kafka of the user's own must not be met by a demo.
            env=os.environ
            | {
                "PYTHONPATH": str(ROOT),
                "LOGINWARD_HOME": str(home),
                "KAFKA_BOOTSTRAP": "127.0.0.1:1",
                "REDIS_URL": "redis://127.0.0.1:1/0",
            },
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        run = Run(process=process, home=home)
        runs.append(run)
        run.reader.start()
        return run

    yield start
    for run in runs:
        run.process.kill()
        run.process.wait()
        run.end()


def test_a_short_demo_alerts_adds_up_and_leaves_nothing(demo: Callable[..., Run]) -> None:
    """Sent = judged + duplicates + rejected, all sealed, the replay agrees, no process is left."""
    run = demo("--seconds", "12")

    found = run.summary()

    assert found["alerts"] > 0
    assert found["by_severity"].keys() <= {"low", "medium", "high", "critical"}
    assert found["attackers_caught"]
    assert found["incidents"]
    assert found["times"]["attack_to_alert"] >= 0
    assert found["sent"] == found["judged"] + found["duplicates"] + found["rejected"]
    assert min(found["judged"], found["duplicates"], found["rejected"]) > 0
    archived = found["archived"]
    assert archived["events"] == found["judged"] + found["duplicates"]
    assert archived["undecodable"] == found["rejected"]
    assert found["replay"]["same"] is True
    assert found["replay"]["alerts"] == found["alerts"]
    assert found["adds_up"] is True
    assert found["left_running"] == []
    assert left_running(run.folder) == []
    assert "A0" not in "".join(run.told)  # how simulated accounts begin
    _day_by_day(run)


def _day_by_day(run: Run) -> None:
    """The daily record of what real servers archived adds up, and has the rows of replay."""
    named = ["--config", str(run.folder / "demo.toml")]
    files = ["--alerts", "alerts.jsonl", "--daily", "daily.json"]
    events = str(run.folder / "events.jsonl")
    replayed = loginward(*named, "replay", events, *files, cwd=run.home)
    assert replayed.returncode == 0, replayed.stderr
    rows = json.loads((run.home / "daily.json").read_text())["days"]

    for day in {row["date"] for row in rows}:
        made = loginward(*named, "report", "daily", "--day", day, "--json", cwd=run.home)

        record = json.loads(made.stdout.splitlines()[-1])
        assert record["complete"] is True, made.stderr
        assert [row for row in rows if row["date"] == day and row not in record["days"]] == []


def test_what_is_killed_returns_and_ctrl_c_reckons_up(demo: Callable[..., Run]) -> None:
    """A worker and the Valkey die at once, a second demo is refused, Ctrl-C asks for the summary:
    every figure still adds up.
    """
    run = demo("--seconds", "300", "--events", "--workers", "1")
    run.until_told("ALERT")

    killed = {name: run.pid_of(name) for name in ("children/detect-1.toml", "valkey.conf")}
    for pid in killed.values():
        os.kill(pid, signal.SIGKILL)
    second = loginward("demo", cwd=run.home, environ={"LOGINWARD_HOME": str(run.home)})
    for name, pid in killed.items():
        run.until(partial(run.runs_anew, name, pid))
    run.process.send_signal(signal.SIGINT)
    found = run.summary()

    assert second.returncode == 2
    assert "another demo runs there; end it" in second.stderr
    assert found["adds_up"] is True
    assert found["replay"]["same"] is True
    assert found["alerts"] > 0
    assert found["restarts"] == 1
    assert left_running(run.folder) == []
    assert any("  trading-" in line for line in run.told)


def test_kill_9_leaves_nothing_running(demo: Callable[..., Run]) -> None:
    """Servers and workers end with their demo though it could tell them nothing."""
    run = demo("--seconds", "300")
    run.until((run.folder / "archive").is_dir)
    assert len(left_running(run.folder)) > 4

    run.process.kill()
    run.process.wait()

    run.gone()


def test_sigterm_ends_a_demo_in_its_set_up(demo: Callable[..., Run]) -> None:
    """Ended while servers start: at once, in order, with the code a shell gives."""
    run = demo("--seconds", "300")
    run.until_told("Starting Kafka")

    run.process.terminate()

    assert run.process.wait(_PATIENCE_S) == 128 + signal.SIGTERM
    assert left_running(run.folder) == []


def test_a_wrong_profile_is_told_before_anything_starts(tmp_path: Path) -> None:
    """A typing error costs no start of Kafka."""
    result = loginward(
        "demo", "--profile", "A+?", cwd=tmp_path, environ={"LOGINWARD_HOME": str(tmp_path / "h")}
    )

    assert result.returncode == 2
    assert "--profile A+?" in result.stderr
    assert "Starting" not in result.stderr
