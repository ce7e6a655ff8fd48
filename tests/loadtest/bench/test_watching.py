"""Processor time and memory, seen from outside."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from loadtest.bench.watching import Watched


def test_time_between_two_moments_is_read_off_the_line() -> None:
    """Between samples the processor time grows evenly; outside them it stands still."""
    watched = Watched(
        0, at=[10.0, 20.0, 30.0], cpu=[1.0, 3.0, 13.0], rss=[5 << 20, 9 << 20, 2 << 20]
    )

    assert watched.cpu_between(10, 30) == pytest.approx(12)
    assert watched.cpu_between(15, 25) == pytest.approx(6)
    assert watched.cpu_between(0, 99) == pytest.approx(12)
    assert watched.cpu_between(25, 15) == 0
    assert watched.peak_mb() == 9


def test_a_process_that_works_is_seen_with_its_children() -> None:
    """Memory of this process and a child's counts, and a gone process keeps its figures."""
    mine = Watched(os.getpid())
    mine.sample()
    code = "import sys; held = b'x' * (64 << 20); print('up', flush=True); sys.stdin.read()"
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == b"up\n"
        its = Watched(child.pid)
        its.sample()
        mine.sample()
        child.communicate()
    its.sample()

    assert len(its.at) == 1
    assert its.peak_mb() > 64
    assert mine.rss[1] - mine.rss[0] > 60 << 20


def test_without_a_sample_nothing_is_claimed() -> None:
    """A process that was never seen has no figures."""
    assert Watched(1).cpu_between(0, 1) == 0
    assert Watched(1).peak_mb() == 0
