"""Calls to Redis that are repeated until they are answered, scripts among them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence
from hashlib import sha1
from importlib.resources import files
from typing import Any

from redis.asyncio import Redis
from redis.exceptions import NoScriptError

from .redis_client import transient
from .retry import until_done

Call = tuple[str, Sequence[str | bytes], Sequence[Any]]
"""A script's name, its keys, its arguments."""


class RedisCalls:
    """Sends what may be sent twice, in as few round trips as can be."""

    def __init__(self, client: Redis, on_failure: Callable[[], None], names: Iterable[str]) -> None:
        self._client = client
        self._on_failure = on_failure
        self._scripts = {name: _Script(name) for name in names}

    async def get(self, names: Sequence[str]) -> list[bytes | None]:
        """Many strings in one round trip; each by its own GET, for a cluster refuses MGET."""
        if not names:
            return []

        async def call() -> list[bytes | None]:
            pipeline = self._client.pipeline(transaction=False)
            for name in names:
                pipeline.get(name)
            found: list[bytes | None] = await pipeline.execute()
            return found

        answers: list[bytes | None] = await self.until_done("get", call)
        return answers

    async def together(self, groups: Iterable[Sequence[bytes]]) -> list[list[bytes | None]]:
        """Many strings in one round trip, by an MGET for each group: a group lies in one shard."""
        asked = list(groups)
        if not asked:
            return []

        async def call() -> list[list[bytes | None]]:
            pipeline = self._client.pipeline(transaction=False)
            for names in asked:
                pipeline.execute_command("MGET", *names)
            found: list[list[bytes | None]] = await pipeline.execute()
            return found

        answers: list[list[bytes | None]] = await self.until_done("get", call)
        return answers

    async def hashes(self, names: Sequence[str]) -> list[dict[bytes, bytes]]:
        """Many hashes in one round trip; absent ones are empty."""
        if not names:
            return []

        async def call() -> list[dict[bytes, bytes]]:
            pipeline = self._client.pipeline(transaction=False)
            for name in names:
                pipeline.hgetall(name)
            found: list[dict[bytes, bytes]] = await pipeline.execute()
            return found

        answers: list[dict[bytes, bytes]] = await self.until_done("census", call)
        return answers

    async def fields(self, name: str, wanted: Sequence[str]) -> list[bytes | None]:
        """Some fields of a hash; absent ones are None."""
        if not wanted:
            return []
        answers: list[bytes | None] = await self.until_done(
            "census", lambda: self._client.hmget(name, list(wanted))
        )
        return answers

    async def scripts(self, calls: Sequence[Call]) -> list[list[Any]]:
        """Script calls in one round trip, and so with one fsync."""
        if not calls:
            return []

        async def call() -> list[list[Any]]:
            pipeline = self._client.pipeline(transaction=False)
            for name, names, args in calls:
                pipeline.evalsha(self._scripts[name].sha, len(names), *names, *args)
            try:
                answers: list[list[Any]] = await pipeline.execute()
            except NoScriptError:
                # A restarted server has forgotten its scripts; those that ran may run again.
                for script in self._scripts.values():
                    await self._client.script_load(script.text)
                return await call()
            return answers

        answers: list[list[Any]] = await self.until_done(calls[0][0], call)
        return answers

    async def until_done(self, what: str, call: Callable[[], Awaitable[Any]]) -> Any:
        """Await `call()` until the server has answered; see retry.until_done."""
        return await until_done(f"redis {what}", call, transient, self._on_failure)


class _Script:
    """A script of stream/lua by name, with the SHA-1 by which EVALSHA asks for it."""

    def __init__(self, name: str) -> None:
        self.text = (files("stream") / "lua" / f"{name}.lua").read_text()
        self.sha = sha1(self.text.encode(), usedforsecurity=False).hexdigest()
