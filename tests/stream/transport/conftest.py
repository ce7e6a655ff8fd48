"""Makers of worker processes that never outlive their test."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from . import worker
from .workers import Main, Worker

# A worker that was killed is missed after 4 s: nothing here waits for the default of 10. Shorter,
# and on a busy machine one that lives is given up now and then.
QUICK = {"session_timeout": 4.0, "heartbeat_interval": 0.5}

_numbers = itertools.count(1)


@pytest.fixture
def group() -> str:
    """Give a consumer group that no other test uses."""
    return f"transport-test-{os.getpid()}-{next(_numbers)}"


@pytest.fixture
def start(kafka_bootstrap: str, tmp_path: Path, group: str) -> Iterator[Callable[..., Worker]]:
    """Give a starter of workers; its keywords are the plan, the journal is named by `name`."""
    started: list[Worker] = []

    def begin(
        topic: str, *, name: str = "journal", main: Main = worker.main, **plan: Any
    ) -> Worker:
        full = {
            "bootstrap": kafka_bootstrap,
            "group": group,
            "topic": topic,
            "journal": str(tmp_path / name),
            **plan,
            "spans": QUICK | plan.get("spans", {}),
        }
        begun = Worker(full, main)
        started.append(begun)
        return begun

    yield begin
    for begun in started:
        begun.close()
