"""One server process: start it, find it again, stop it, read the end of its log."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

from .errors import StackError

_LEASH = Path(__file__).with_name("leash.py")
_POLL_S = 0.02  # between two looks at a server that is starting or stopping
_TAIL_BYTES = 8192
_LOG_BYTES = 10_000_000  # a log longer than this is set aside at the next start


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """How a server is started, and by what it is known again."""

    argv: Sequence[str]
    marker: str  # an argument that only this server has: the path of its configuration
    log: Path  # standard output and error go here
    environ: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """A started server whose answer is awaited."""

    name: str
    pid: int
    marker: str
    logs: tuple[Path, ...]


def start(command: Command, *, owner: int | None) -> int:
    """Start the server in a session of its own; give its process id.

    Args:
        command: what to run.
        owner: this process, whose end by whatever signal ends the server; None: it stays.

    Raises:
        StackError: the program could not be started.
    """
    if owner not in {None, os.getpid()}:  # as after a fork: the leash would not know its owner
        raise StackError(f"{command.argv[0]}: only the owner, process {owner}, can start it")
    report, write_end = os.pipe()
    # -I -S: no environment, no site packages; the leash is there in 20 ms.
    argv = [sys.executable, "-I", "-S", str(_LEASH), str(owner or 0), str(write_end)]
    _rotate(command.log)
    with command.log.open("ab") as log, os.fdopen(report, "rb") as pipe:
        try:
            leash = subprocess.Popen(
                [*argv, *command.argv],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=dict(command.environ),
                pass_fds=[write_end],
                start_new_session=True,
            )
        finally:
            os.close(write_end)
        line = pipe.readline()
    if not line:
        leash.wait()
        raise StackError(f"{command.argv[0]}: did not start\n{tail((command.log,))}")
    if owner:
        _leashes[command.marker] = leash
    else:
        leash.wait()
    return int(line)


# Leashes of servers that we own, by their marker: to be reaped when the server has ended.
_leashes: dict[str, subprocess.Popen[bytes]] = {}


def is_running(pid: int, marker: str) -> bool:
    """Tell whether the process lives and is the server with this configuration.

    A process id is reused after a crash or a reboot; the configuration's path in the command
    line is not. A zombie (in a container whose first process reaps nobody) has ended.
    """
    if pid <= 0:
        return False
    try:
        process = psutil.Process(pid)
        alive = process.status() != psutil.STATUS_ZOMBIE
        return alive and _has_marker(process.cmdline(), marker)
    except psutil.Error:
        return False


def find(marker: str) -> int | None:
    """Find a running server by its configuration alone, for when its record was lost."""
    for process in psutil.process_iter(["cmdline", "status"]):
        cmdline = process.info["cmdline"] or []
        if _has_marker(cmdline, marker) and process.info["status"] != psutil.STATUS_ZOMBIE:
            return int(process.pid)
    return None


def _has_marker(cmdline: Sequence[str], marker: str) -> bool:
    return marker in cmdline and str(_LEASH) not in cmdline


def wait_until(ready: Callable[[], bool], server: Watched, *, within_s: float) -> None:
    """Ask until the server answers.

    Raises:
        StackError: it ended, or did not answer in time; with the end of its log.
    """
    deadline = time.monotonic() + within_s
    while not ready():
        if not is_running(server.pid, server.marker):
            raise StackError(f"{server.name}: ended while starting\n{tail(server.logs)}")
        if time.monotonic() > deadline:
            raise StackError(
                f"{server.name}: no answer within {within_s:.0f} s\n{tail(server.logs)}"
            )
        time.sleep(_POLL_S)


def stop(pid: int, marker: str, *, within_s: float) -> None:
    """Ask the server to stop, then make it; return when it has ended."""
    if is_running(pid, marker):
        _signal(pid, psutil.Process.terminate)
        if not _ended(pid, marker, within_s):
            kill(pid, marker)


def kill(pid: int, marker: str) -> None:
    """End the server at once (SIGKILL); return when it has ended.

    Raises:
        StackError: it is still there: the kernel holds it, as on a disk that does not answer.
    """
    if is_running(pid, marker):
        _signal(pid, psutil.Process.kill)
        if not _ended(pid, marker, 10.0):
            raise StackError(f"process {pid}: still there after SIGKILL: is its disk hanging?")


def _signal(pid: int, send: Callable[[psutil.Process], None]) -> None:
    try:
        send(psutil.Process(pid))
    except psutil.NoSuchProcess:
        return  # it was quicker


def _ended(pid: int, marker: str, within_s: float) -> bool:
    deadline = time.monotonic() + within_s
    while is_running(pid, marker):
        if time.monotonic() > deadline:
            return False
        time.sleep(_POLL_S)
    return True


def reap(marker: str) -> None:
    """Take note of the end of a server that we owned, however it ended."""
    if leash := _leashes.pop(marker, None):
        leash.wait()


def _rotate(log: Path) -> None:
    if log.exists() and log.stat().st_size > _LOG_BYTES:
        log.replace(log.with_name(f"{log.name}.1"))


def tail(logs: Sequence[Path], lines: int = 15) -> str:
    """Give the last lines of the logs, bounded and with control characters escaped."""
    return "\n".join(_tail(log, lines) for log in logs if log.exists() and log.stat().st_size)


def _tail(log: Path, lines: int) -> str:
    try:
        with log.open("rb") as handle:
            handle.seek(max(0, log.stat().st_size - _TAIL_BYTES))
            raw = handle.read(_TAIL_BYTES).decode("utf-8", "backslashreplace")
    except OSError as error:
        return f"  (no log: {error})"
    shown = [
        "".join(c if c.isprintable() or c == "\t" else repr(c)[1:-1] for c in line)
        for line in raw.splitlines()[-lines:]
    ]
    return "\n".join([f"  the end of {log}:", *(f"  | {line[:400]}" for line in shown)])
