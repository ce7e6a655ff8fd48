"""Every implementation of WindowStore, opened one way and read one way."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any, Protocol

from redis.asyncio import Redis

from config.settings import load
from detectors import alerts
from detectors.alerts import Alert
from detectors.memory import MemoryStore
from detectors.windows import WindowStore
from stream import keys_in_redis
from stream.redis_client import connect
from stream.redis_store import RedisStore
from tests.builders import NAMES, final

SHARDS = 4
IDENTITY_TTL = timedelta(hours=1)


class Keeper(Protocol):
    """State that outlives its stores: each store opened on it sees what the others wrote."""

    shards: int

    def open(self, number: int = 1) -> AbstractAsyncContextManager[Sequence[WindowStore]]:
        """Open `number` stores, as that many workers would."""
        ...

    async def told(self) -> list[Alert]:
        """The highest revision of every alert that was told, in the order in which they opened."""
        ...


class InMemory:
    """The exact store; its workers share one object."""

    shards = 1

    def __init__(self) -> None:
        self._store = MemoryStore()

    @asynccontextmanager
    async def open(self, number: int = 1) -> AsyncIterator[Sequence[WindowStore]]:
        """See Keeper."""
        yield [self._store] * number

    async def told(self) -> list[Alert]:
        """See Keeper."""
        return final(self._store)


class InRedis:
    """A logical database of a real server; each worker has a connection and memory of its own."""

    shards = SHARDS

    def __init__(self, url: str, shards: int = SHARDS) -> None:
        self.url = url
        self.shards = shards

    def client(self) -> Redis:
        """A client as detect has it."""
        return connect(replace(load(None, {}).redis, url=self.url))

    @asynccontextmanager
    async def open(
        self,
        number: int = 1,
        on_failure: Callable[[], None] = lambda: None,
        now: Callable[[], float] = time.time,
    ) -> AsyncIterator[Sequence[RedisStore]]:
        """See Keeper; `now` is the stores' clock, in seconds since 1970."""
        async with AsyncExitStack() as stack:
            clients = [await stack.enter_async_context(self.client()) for _ in range(number)]
            yield [
                RedisStore(
                    client,
                    NAMES,
                    shards=self.shards,
                    identity_ttl=IDENTITY_TTL,
                    on_failure=on_failure,
                    now=now,
                )
                for client in clients
            ]

    async def revisions(self) -> list[Alert]:
        """Everything in the outbox, shard by shard, as written."""
        async with self.client() as client:
            outboxes: list[Any] = [
                await client.xrange(keys_in_redis.outbox(shard)) for shard in range(self.shards)
            ]
        bodies = [
            fields[b"body"]
            for entries in outboxes
            for _, fields in entries
            if fields[b"kind"] == b"alert"
        ]
        return list(map(alerts.decode, bodies))

    async def told(self) -> list[Alert]:
        """See Keeper; on the way each revision of an alert must be new, higher and whole."""
        highest: dict[str, Alert] = {}
        for alert in await self.revisions():
            before = highest.get(alert.alert_id)
            assert before is None or before.revision < alert.revision
            assert alert.revision >= alert.counts["failures"]
            highest[alert.alert_id] = alert
        return sorted(highest.values(), key=lambda alert: (alert.opened_at, alert.alert_id))
