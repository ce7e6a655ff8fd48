"""A log to follow, in a folder of the test's own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from .following import World


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """Give a folder with a log to come."""
    made = World(tmp_path)
    yield made
    made.reader.close()
