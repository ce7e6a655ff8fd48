"""Commands written by hiredis are those that redis-py would have written."""

from __future__ import annotations

from typing import Any

import pytest
from redis.asyncio import Connection

from stream.redis_packing import PackedInC


class InC(PackedInC, Connection):
    """What a client's pool makes."""


COMMANDS: list[tuple[Any, ...]] = [
    ("PING",),
    ("SCRIPT LOAD", "return 1"),
    (b"CLIENT SETINFO", "LIB-NAME", "x"),
    ("EVALSHA", "ab" * 20, 2, "w:{001}:web:ip:192.0.2.1", b"m:{001}:\x00\xff", 3_600_000, 0, b""),
    ("SET", "帳號", "值", "PX", 1 << 40),
    ("APPEND", "key", bytes(range(256)) * 100),
]


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: str(command[0]))
def test_a_command_is_the_same_bytes(command: tuple[Any, ...]) -> None:
    """Words of a name, text, bytes and numbers reach the server as redis-py writes them."""
    assert b"".join(InC().pack_command(*command)) == b"".join(Connection().pack_command(*command))


def test_commands_of_a_pipeline_follow_one_another() -> None:
    """A pipeline is its commands in their order, and nothing between them."""
    written = b"".join(InC().pack_commands(COMMANDS))

    assert written == b"".join(Connection().pack_commands(COMMANDS))
