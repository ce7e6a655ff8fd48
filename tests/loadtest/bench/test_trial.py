"""A contender that fails is told with its log; one that works is measured."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from config.settings import load
from detectors.errors import LoginwardError
from loadtest.bench.contender import Contender, Course, Start
from loadtest.bench.report import heard
from loadtest.bench.trial import run

_WORKS = (
    "import time; began = time.time(); n = sum(i * i for i in range(2_000_000)); "
    "print('noise'); "
    'print(\'{"events": 1000, "began": %f, "ended": %f}\' % (began, time.time()))'
)


def _contender(code: str) -> Contender:
    def start(_course: Course) -> Start:
        return Start(command=[sys.executable, "-c", code])

    return Contender(name="some", title="some program", start=start)


@pytest.fixture
def course(tmp_path: Path) -> Course:
    """Give a course that needs no server."""
    settings = load(environ={})
    return Course(
        settings=settings,
        environ=dict(os.environ),
        topic="logins",
        events=1_000,
        seconds=30.0,
        folder=tmp_path,
    )


def test_a_contender_is_measured_by_what_it_says(course: Course, tmp_path: Path) -> None:
    """Events a second from its last line, processor time from outside."""
    result = run(_contender(_WORKS), course, {"me": os.getpid()}, tmp_path / "log")

    assert result.events == 1_000
    assert result.events_per_s == pytest.approx(1_000 / result.seconds, rel=0.05)
    assert result.cpu_s > 0
    assert result.rss_mb > 1
    assert set(result.servers_cpu_s) == {"me"}


@pytest.mark.parametrize(
    "code",
    [
        pytest.param("import sys; sys.exit('broken \\x1b[2J pipe')", id="exit code"),
        pytest.param(
            "import sys; print('broken', file=sys.stderr); print('nothing')", id="no result"
        ),
    ],
)
def test_a_failure_is_told_with_its_log(course: Course, tmp_path: Path, code: str) -> None:
    """The end of a failed contender's log stands in the message, harmless for a terminal."""
    with pytest.raises(LoginwardError, match=r"some: gave no result.*broken") as failure:
        run(_contender(code), course, {}, tmp_path / "log")

    assert "\x1b" not in str(failure.value)


def test_a_last_line_that_is_no_span_is_refused() -> None:
    """Whatever else a process prints last is no result."""
    for output in (b"", b"done", b'{"events": "many"}'):
        with pytest.raises(ValueError, match="no result"):
            heard(output)
