"""Long files come first, then those with servers, and no file is torn apart."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import pytest

from .order import in_turn


@dataclass
class Item:
    """What the order looks at."""

    nodeid: str
    fixturenames: tuple[str, ...] = ()
    long: bool = False

    def get_closest_marker(self, name: str) -> object | None:
        """Whether it is marked."""
        return self if self.long and name == "long" else None


def test_who_waits_comes_first_file_by_file() -> None:
    """A file goes by the slowest of its tests, and keeps their order."""
    items = [
        Item("pure.py::a"),
        Item("server.py::a"),
        Item("server.py::b", ("tmp_path", "kafka_bootstrap")),
        Item("long.py::a", long=True),
        Item("pure.py::b"),
    ]

    found = in_turn(cast("list[pytest.Item]", items))

    assert [item.nodeid for item in found] == [
        "long.py::a",
        "server.py::a",
        "server.py::b",
        "pure.py::a",
        "pure.py::b",
    ]
