"""Owned servers end with their owner, whatever ends it; others stay."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from deploy.embedded import ValkeyServer

_OWNER = """
import signal
import sys
from pathlib import Path
from deploy.embedded import Stack
signal.signal(signal.SIGINT, signal.SIG_DFL)  # a shell's background job inherits it ignored
stack = Stack(Path(sys.argv[1]), kafka=sys.argv[2] == "both", owned=sys.argv[3] == "owned")
stack.up()
print(*[server.pid for server in stack.status()], flush=True)
sys.stdin.read()
"""
_ROOT = Path(__file__).resolve().parents[2]


def _owner(directory: Path, servers: str, kind: str) -> tuple[subprocess.Popen[str], list[int]]:
    """Start a process that starts servers and waits; give it and their pids."""
    process = subprocess.Popen(
        [sys.executable, "-c", _OWNER, str(directory), servers, kind],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(_ROOT)},
    )
    assert process.stdout is not None
    return process, [int(pid) for pid in process.stdout.readline().split()]


def _close(process: subprocess.Popen[str]) -> None:
    process.kill()
    process.communicate()


def _alive(pids: list[int], within_s: float) -> list[int]:
    """Give those that still live after at most that long."""
    processes = [psutil.Process(pid) for pid in pids if psutil.pid_exists(pid)]
    return [process.pid for process in psutil.wait_procs(processes, within_s)[1]]


def test_nothing_survives_an_owner_killed_with_9(tmp_path: Path) -> None:
    """Kafka and Valkey end although their owner had no chance to stop them."""
    owner, pids = _owner(tmp_path, "both", "owned")
    assert len(pids) == 2

    os.kill(owner.pid, signal.SIGKILL)

    assert _alive(pids, 60) == []
    _close(owner)


def test_nothing_survives_a_leash_killed_with_9(tmp_path: Path) -> None:
    """Not even the death of the process between owner and server leaves the server behind."""
    owner, pids = _owner(tmp_path, "valkey", "owned")
    leash = psutil.Process(pids[0]).parent()
    assert leash is not None

    leash.kill()

    assert _alive(pids, 60) == []
    _close(owner)


def test_servers_that_nobody_owns_stay(tmp_path: Path) -> None:
    """What `up` starts outlives it, and is stopped by another process."""
    owner, pids = _owner(tmp_path, "valkey", "free")
    _close(owner)

    server = ValkeyServer(tmp_path / "valkey")
    assert server.pid == pids[0]
    server.stop()
    assert _alive(pids, 60) == []


@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_to_the_owner_ends_its_servers(tmp_path: Path, end: signal.Signals) -> None:
    """Also an end that the owner could have handled, and did not."""
    owner, pids = _owner(tmp_path, "valkey", "owned")

    owner.send_signal(end)

    assert _alive(pids, 60) == []
    _close(owner)
