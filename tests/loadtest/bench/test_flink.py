"""Flink's run is learnt from its log, and nothing of it is taken for set up that is not."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from config.settings import load
from loadtest.bench.contender import Course
from loadtest.bench.flink import JobLog, contender
from loadtest.bench.flink_setup import LOCK, Flink, found
from loadtest.bench.report import Span

_SOURCE = "Source: logins[1] -> Calc[3] -> LocalWindowAggregate[4] ({0}/2) (ec12_0_0)"
_LINES = [
    "2026-11-25T10:02:57.691Z Job insert-into (9335) switched from state CREATED to RUNNING.",
    f"2026-11-25T10:02:58.127Z {_SOURCE.format(1)} switched from SCHEDULED to DEPLOYING.",
    f"2026-11-25T10:02:59.500Z {_SOURCE.format(2)} switched from INITIALIZING to RUNNING.",
    f"2026-11-25T10:02:59.700Z {_SOURCE.format(1)} switched from INITIALIZING to RUNNING.",
    f"2026-11-25T10:03:04.000Z {_SOURCE.format(1)} switched from RUNNING to FINISHED.",
    "java.lang.IllegalStateException: switched from nothing",
    "2026-11-25T10:03:04.500Z Job insert-into (9335) switched from state RUNNING to FINISHED.",
]


def test_the_clock_runs_from_the_first_source_to_the_end_of_the_job(tmp_path: Path) -> None:
    """The start of services and planner is left out; half a line is read when it is whole."""
    log = tmp_path / "job.log"
    spy = JobLog(log, 1_000)
    assert spy.look() is None

    text = "\n".join(_LINES)
    log.write_text(text[:-10])
    assert spy.look() is None
    log.write_text(text + "\n")

    span = spy.look()
    assert span is not None
    assert span == Span(events=1_000, began=span.began, ended=span.began + 5)
    assert span.per_second == 200


def test_a_job_that_fails_gives_no_span(tmp_path: Path) -> None:
    """Only a job that has finished has a speed."""
    log = tmp_path / "job.log"
    log.write_text("\n".join([*_LINES[:-1], _LINES[-1].replace("FINISHED", "FAILED")]) + "\n")

    assert JobLog(log, 1_000).look() is None


def test_half_a_set_up_is_none(tmp_path: Path) -> None:
    """Flink is there once its lock was copied, as the last step, and as this checkout says it."""
    site = tmp_path / "venv/lib/python3.11/site-packages/pyflink/lib"
    site.mkdir(parents=True)
    (site / "flink-dist.jar").touch()
    assert found(tmp_path) is None

    (tmp_path / LOCK.name).write_text("another version\n")
    assert found(tmp_path) is None

    (tmp_path / LOCK.name).write_bytes(LOCK.read_bytes())
    there = found(tmp_path)
    assert there is not None
    assert [jar.name for jar in there.jars] == ["flink-dist.jar"]


@pytest.fixture
def course(tmp_path: Path) -> Course:
    """Give a course that needs no server."""
    return Course(
        settings=load(environ={"KAFKA_BOOTSTRAP": "127.0.0.1:19092"}),
        environ=dict(os.environ),
        topic="bench-logins",
        events=1_000,
        seconds=30.0,
        folder=tmp_path,
    )


def test_it_reads_the_course_s_topic_and_leaves_nothing_elsewhere(course: Course) -> None:
    """Query, settings and log lie in the run's own folder."""
    flink = Flink(java=Path("/java"), jars=[Path("/a.jar"), Path("/b.jar")])

    start = contender(lambda: flink).start(course)

    sql = (course.folder / "query.sql").read_text()
    assert "'topic' = 'bench-logins'" in sql
    assert "'properties.bootstrap.servers' = '127.0.0.1:19092'" in sql
    assert "/a.jar:/b.jar" in start.command
    assert start.environ == {"FLINK_CONF_DIR": str(course.folder)}
