"""`run all` runs what is configured, and nothing else."""

from __future__ import annotations

from stream.supervise import parts


def test_every_part_is_a_child_of_its_own() -> None:
    """Workers are numbered, and a part that is configured comes along."""
    children = parts(2, {"A": "b"}, ("outputs",))

    assert [child.name for child in children] == [
        "detect-0",
        "detect-1",
        "relay",
        "archive",
        "outputs",
    ]
    assert [child.command[-1] for child in children][-1] == "outputs"
    assert [child.name for child in parts(1, {})] == ["detect-0", "relay", "archive"]
