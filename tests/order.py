"""In which order test files are handed out: who waits long first, who only computes last."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

_SERVERS = {"kafka_bootstrap", "redis_url", "stack", "stack_factory", "valkey_factory"}


def in_turn(items: Sequence[pytest.Item]) -> list[pytest.Item]:
    """The tests file by file, each file's own order kept.

    First the files marked `long`, so that none is left alone at the end of a parallel run; then
    those with real servers, which mostly wait; then the rest, which fill every core.
    """
    turns: dict[str, int] = {}
    for item in items:
        file = _file(item)
        turns[file] = min(turns.get(file, 2), _turn(item))
    return sorted(items, key=lambda item: turns[_file(item)])


def _file(item: pytest.Item) -> str:
    return item.nodeid.partition("::")[0]


def _turn(item: pytest.Item) -> int:
    if item.get_closest_marker("long") is not None:
        return 0
    return 1 if _SERVERS & set(getattr(item, "fixturenames", ())) else 2
