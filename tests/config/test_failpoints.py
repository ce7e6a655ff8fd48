"""Failpoints fire where, when and how the environment says, and nowhere else."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest

from config import failpoints
from detectors.errors import LoginwardError

_CHILD = "from config.failpoints import hit\nfor n in range(5): hit('a.b'); print(n, flush=True)"


@pytest.fixture(autouse=True)
def _disarmed() -> Iterator[None]:
    yield
    failpoints.arm("")


def _child(spec: str) -> subprocess.Popen[bytes]:
    env = os.environ | {failpoints.VARIABLE: spec}
    return subprocess.Popen(
        [sys.executable, "-c", _CHILD], env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )


def test_kill_ends_the_process_at_the_named_hit() -> None:
    """`kill@3` lets two hits pass and then kills with SIGKILL, saying so first."""
    child = _child("a.b=kill@3")
    out, err = child.communicate(timeout=120)

    assert child.returncode == -signal.SIGKILL
    assert out == b"0\n1\n"
    assert err == b"failpoint a.b: kill at hit 3\n"


def test_pause_stops_until_continued() -> None:
    """`pause` leaves the process stopped, not ended, and SIGCONT lets it finish its work."""
    child = _child("a.b=pause@2")
    _, status = os.waitpid(child.pid, os.WUNTRACED)
    assert os.WIFSTOPPED(status)

    child.send_signal(signal.SIGCONT)
    out, _ = child.communicate(timeout=120)

    assert out == b"0\n1\n2\n3\n4\n"


def test_raise_with_and_without_errno() -> None:
    """`raise` raises FailpointError at every hit; with an errno it is that OSError."""
    failpoints.arm("x=raise, y=raise:ENOSPC@2")

    for _ in range(2):
        with pytest.raises(failpoints.FailpointError, match="x"):
            failpoints.hit("x")
    failpoints.hit("y")
    with pytest.raises(OSError, match="failpoint y") as caught:
        failpoints.hit("y")
    failpoints.hit("y")
    assert caught.value.errno == errno.ENOSPC


def test_nothing_happens_elsewhere() -> None:
    """A place that nobody named passes."""
    failpoints.arm("x=raise")

    failpoints.hit("x.y")


@pytest.mark.parametrize("spec", ["x", "x=explode", "x=kill:ENOSPC", "x=raise:ENOTHING", "x=kill@"])
def test_a_wrong_spec_is_refused(spec: str) -> None:
    """A typing error must not read as "no faults wanted"."""
    with pytest.raises(LoginwardError, match="LOGINWARD_FAILPOINTS"):
        failpoints.arm(spec)
