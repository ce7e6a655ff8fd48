"""Nothing that a test opened stays open."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from .made import OPENED


@pytest.fixture(autouse=True)
def _closed() -> Iterator[None]:
    """Close the queues of a test."""
    yield
    while OPENED:
        OPENED.pop().close()
