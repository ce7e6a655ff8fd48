"""What a fault is given: the running pipeline, how far it is, and a seeded choice."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from redis import Redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from config.kafka import group_name, topic_name
from config.settings import KafkaSettings

from .customers import Customers
from .offsets import Offsets, Standing
from .pipeline import Pipeline
from .topics import committed

POLL_S = 0.25
Place = tuple[int, int]
"""Partition and offset."""


@dataclass(slots=True, kw_only=True)
class Scene:
    """A trial in progress."""

    pipeline: Pipeline
    kafka: KafkaSettings
    offsets: Offsets
    random: random.Random
    workers: int
    shards: int
    say: Callable[[str], None]
    customers: Customers | None = None
    """Who is told; None where no notifier runs."""
    poisoned: dict[Place, bytes] = field(default_factory=dict)
    """Where records stand that were sent to do harm, and what their reject must hold."""

    def worker(self) -> str:
        """One of the detect workers."""
        return f"detect-{self.random.randrange(self.workers)}"

    def tell(self, many: int) -> None:
        """Give the notifier verdicts on logins of now."""
        if self.customers is not None:
            asyncio.run(self.customers.tell(self.kafka, many))

    def wait(self, what: Callable[[], bool], patience_s: float) -> bool:
        """Wait until `what` holds; False where it does not in time."""
        deadline = time.monotonic() + patience_s
        while not what():
            if time.monotonic() > deadline:
                return False
            time.sleep(POLL_S)
        return True

    def loaded(self) -> bool:
        """Whether there is work left to disturb."""
        standing = self.offsets.now() or self.offsets.last
        return not standing.drained("detect")

    def taken_over(self, before: Standing) -> bool:
        """Whether somebody has done offsets of every partition since `before`."""
        standing = self.offsets.now()
        return standing is not None and standing.beyond(before, "detect")

    def redis(self) -> Redis:
        """A client of the server itself, past every proxy; the caller closes it."""
        url = self.pipeline.stack.endpoints.redis_url
        return Redis.from_url(url, socket_timeout=5, retry=Retry(NoBackoff(), 0))

    def waiting(self) -> int:
        """Revisions in outboxes and subjects that are not settled."""
        return self._counted(lambda client, n: client.xlen(f"o:{{{n:03d}}}")) + self.unsettled()

    def notices_drained(self) -> bool:
        """Whether the notifier has read every verdict."""
        group = {"notify": group_name(self.kafka, "notify")}
        ends, done = asyncio.run(committed(self.kafka, topic_name(self.kafka, "verdicts"), group))
        return all(done["notify"].get(number, 0) >= end for number, end in ends.items())

    def unsettled(self) -> int:
        """Subjects that are not settled."""
        return self._counted(lambda client, n: client.zcard(f"u:{{{n:03d}}}"))

    def _counted(self, count: Callable[[Redis, int], Any]) -> int:
        client = self.redis()
        try:
            return sum(int(count(client, shard)) for shard in range(self.shards))
        finally:
            client.close()
