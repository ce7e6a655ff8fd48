"""Up to which offset of each partition the state is whole, kept beside it in the same server.

A fence is written when all that a batch causes is in the state, so a server that has lost the end
of its log has lost the fence with it: it then stands below what is read next. While a partition is
read again up to where it had come before, it is *refilling*, and nothing is judged.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from redis.asyncio import Redis

from . import keys_in_redis as keys
from .redis_calls import RedisCalls

_UNTIL = ":until"
_REBUILDING = "rebuilding:"


@dataclass(frozen=True, slots=True, kw_only=True)
class Whole:
    """The fences as they stand. `cold_until_ms`: keys_in_redis.BORN; None: there is no state."""

    cold_until_ms: int | None
    fences: Mapping[int, int] = field(default_factory=dict)
    until: Mapping[int, int] = field(default_factory=dict)
    """Where partitions that are read again had come before."""
    rebuilding: frozenset[str] = frozenset()
    """Names of losses since which not all that was held back has been judged."""

    @property
    def refilling(self) -> bool:
        """Whether some partition has not come again to where it was."""
        return any(self.fences.get(number, 0) < end for number, end in self.until.items())


class Fences:
    """Reads and moves the fences; every method may be repeated."""

    def __init__(self, client: Redis, on_failure: Callable[[], None] = lambda: None) -> None:
        self._client = client
        self._calls = RedisCalls(client, on_failure, ("fence",))

    async def read(self) -> Whole:
        """All fences and whether there is state at all, in one round trip."""

        async def call() -> tuple[dict[bytes, bytes], bytes | None]:
            pipeline = self._client.pipeline(transaction=False)
            pipeline.hgetall(keys.FENCES)
            pipeline.hget(keys.FRONTIERS, keys.BORN.decode())
            found, born = await pipeline.execute()
            return found, born

        found, born = await self._calls.until_done("fences", call)
        told = {name.decode(): int(offset) for name, offset in found.items()}
        losses = frozenset(name for name in told if name.startswith(_REBUILDING))
        return Whole(
            cold_until_ms=None if born is None else int(born),
            fences={int(name): at for name, at in told.items() if name.isdigit()},
            until={
                int(name.removesuffix(_UNTIL)): at
                for name, at in told.items()
                if name.endswith(_UNTIL)
            },
            rebuilding=losses,
        )

    async def move(self, partition: int, first: int, end: int) -> int | None:
        """[first, end) is in: the fence as it stood; below `first`, or None, it does not move."""
        ((fence,),) = await self._calls.scripts([("fence", [keys.FENCES], [partition, first, end])])
        return None if fence in {b"", ""} else int(fence)

    async def found(self, offsets: Mapping[int, int]) -> None:
        """Set fences where there are none."""

        async def call() -> None:
            pipeline = self._client.pipeline(transaction=False)
            for number, offset in offsets.items():
                pipeline.hsetnx(keys.FENCES, str(number), str(offset))
            await pipeline.execute()

        await self._calls.until_done("fences", call)

    async def skip(self, partition: int, offset: int) -> None:
        """Set a fence over offsets that no longer exist."""
        await self._calls.until_done(
            "fences", lambda: self._client.hset(keys.FENCES, str(partition), str(offset))
        )

    async def refill(self, until: Mapping[int, int]) -> None:
        """Partitions are read again; they had come to these offsets."""
        # A name of its own, so that who sees the end of one loss says nothing of the next.
        loss = _REBUILDING + secrets.token_hex(8)

        async def call() -> None:
            pipeline = self._client.pipeline(transaction=False)
            pipeline.hset(keys.FENCES, loss, "1")
            for number, offset in until.items():
                pipeline.hset(keys.FENCES, f"{number}{_UNTIL}", str(offset))
            await pipeline.execute()

        await self._calls.until_done("fences", call)

    async def rebuilt(self, losses: frozenset[str]) -> None:
        """All that was held back since these losses has been judged."""
        await self._calls.until_done("fences", lambda: self._client.hdel(keys.FENCES, *losses))
