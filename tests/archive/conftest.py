"""Archivers as real processes on a real Kafka, each test in a corner of its own."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from config.kafka import ensure_topics
from config.settings import load

from .corner import Corner

_numbers = itertools.count(1)


@pytest.fixture
def corner(kafka_bootstrap: str, tmp_path: Path) -> Iterator[Corner]:
    """Give topics, keys and an archive folder of the test's own; its archivers end with it."""
    made = make_corner(kafka_bootstrap, tmp_path)
    yield made
    made.end()


def make_corner(bootstrap: str, home: Path) -> Corner:
    """Make a corner on this Kafka with its data in `home`."""
    environ = {
        "KAFKA_BOOTSTRAP": bootstrap,
        "LOGINWARD_HOME": str(home),
        "LOGINWARD_KAFKA_TOPIC_PREFIX": f"archive{next(_numbers)}-{os.getpid()}-",
        "LOGINWARD_KAFKA_PARTITIONS": "2",
        # The shortest a broker takes: a stopped archiver is given up after it.
        "LOGINWARD_KAFKA_SESSION_TIMEOUT": "6s",
        "LOGINWARD_ARCHIVE_SEGMENT_INTERVAL": "1s",
        "LOGINWARD_ARCHIVE_SEGMENT_RECORDS": "200",
        "LOGINWARD_METRICS_PORT": "0",
    }
    settings = load(environ=environ)
    ensure_topics(settings.kafka)
    return Corner(settings, environ)
