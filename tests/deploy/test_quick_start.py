"""Quick starts are used where they fit, and never stand in the way of a start."""

import os
from pathlib import Path

import pytest

from deploy.embedded import KafkaServer
from deploy.embedded.cache import CACHE_VARIABLE, cache_dir
from deploy.embedded.jars import read_manifest
from deploy.embedded.java import ahead_of_time_file


@pytest.fixture
def jars(kafka_bootstrap: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Give a cache of the test's own with all jars."""
    (tmp_path / "cache/jars").mkdir(parents=True)
    linked = []
    for jar in read_manifest().jar:
        linked.append(tmp_path / "cache/jars" / jar.file_name)
        linked[-1].symlink_to(cache_dir() / "jars" / jar.file_name)
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path / "cache"))
    return linked


def test_a_broken_file_does_not_stop_kafka(jars: list[Path], tmp_path: Path) -> None:
    """Java says that it cannot use the file, and starts without it."""
    broken = ahead_of_time_file(jars)
    broken.parent.mkdir()
    broken.write_bytes(b"half a file")
    server = KafkaServer(tmp_path / "kafka", owner=os.getpid())

    server.start()

    assert f"-XX:AOTCache={broken}" in server.command({"CLIENT": 1, "CONTROLLER": 2}).argv
    server.stop()


def test_other_jars_have_another_file(jars: list[Path]) -> None:
    """A file made from other jars is not offered to Java."""
    before = ahead_of_time_file(jars)

    assert ahead_of_time_file(jars[1:]) != before
    assert ahead_of_time_file(jars) == before
