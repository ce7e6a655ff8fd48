"""Commands to bytes by hiredis, in C: redis-py does so for its blocking connections alone.

A batch is some 30,000 arguments; written in Python they took a fifth of a worker's time.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import hiredis
from redis.asyncio import Redis


class PackedInC:
    """Put before a connection class of redis.asyncio: bytes, text and numbers become the same."""

    def pack_command(self, *args: Any) -> list[bytes]:
        """One command; its name may be several words, as in `SCRIPT LOAD`."""
        name, *rest = args
        words = name.split() if isinstance(name, str | bytes) else (name,)
        return [hiredis.pack_command((*words, *rest))]

    def pack_commands(self, commands: Iterable[Iterable[Any]]) -> list[bytes]:
        """Many commands, to be written at once."""
        return [b"".join(self.pack_command(*command)[0] for command in commands)]


def pack_in_c(client: Redis) -> Redis:
    """Let `client`, which has not connected yet, write its commands by hiredis."""
    pool = client.connection_pool
    known = pool.connection_class
    pool.connection_class = type(f"{known.__name__}InC", (PackedInC, known), {})
    return client
