"""From the outbox to `alerts` and `verdicts`: read, deliver, and only then delete; a repeat has the
same id and revision.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from redis.asyncio import Redis

from config.failpoints import hit

from . import keys_in_redis as keys
from . import metrics
from .redis_client import transient
from .retry import until_done
from .sending import Outgoing, Sender

_AT_ONCE = 500
_BLOCK_MS = 1000


class Relay:
    """Carries the outboxes of `shards` to the topics `alerts` and `verdicts`."""

    def __init__(
        self, client: Redis, sender: Sender, *, shards: Sequence[int], alerts: str, verdicts: str
    ) -> None:
        self._client = client
        self._sender = sender
        self._outboxes = [keys.outbox(shard) for shard in shards]
        self.on_turn: Callable[[], None] = lambda: None
        self._topics = {b"alert": alerts, b"verdict": verdicts}

    async def run(self) -> None:
        """Relay until cancelled; an outage of either server is waited out."""
        while True:
            await self.once(block_ms=_BLOCK_MS)
            self.on_turn()

    async def once(self, block_ms: int | None = None) -> int:
        """Relay what stands in the outboxes now, up to 500 revisions each; returns how many."""
        found = await until_done("redis outbox", lambda: self._read(block_ms), transient)
        relayed = 0
        for outbox, entries in found:
            await self._sender.deliver([self._record(fields) for _, fields in entries])
            hit("relay.before_delete")
            await self._delete(outbox, [entry_id for entry_id, _ in entries])
            hit("relay.after_delete")
            relayed += len(entries)
        metrics.RELAYED.inc(relayed)
        return relayed

    async def _delete(self, outbox: bytes, ids: list[bytes]) -> None:
        await until_done("redis outbox", lambda: self._client.xdel(outbox, *ids), transient)

    async def _read(self, block_ms: int | None) -> list[tuple[bytes, list[tuple[bytes, Any]]]]:
        """Entries from the start of every outbox: whatever stands there has not been confirmed."""
        streams: dict[Any, Any] = dict.fromkeys(self._outboxes, "0")
        answer: Any = await self._client.xread(streams, count=_AT_ONCE, block=block_ms)
        pairs = answer.items() if isinstance(answer, dict) else answer
        return [(name, _flat(entries)) for name, entries in pairs]

    def _record(self, fields: dict[bytes, bytes]) -> Outgoing:
        topic = self._topics[fields.get(b"kind", b"alert")]
        # One key for all that is said of a login, so that a consumer sees it in order.
        key = fields[b"id"].partition(b":")[0]
        return Outgoing(topic, key, fields[b"body"])


def _flat(entries: Any) -> list[tuple[bytes, Any]]:
    """redis-py nests RESP3's answer one level deeper than RESP2's."""
    if len(entries) == 1 and entries and isinstance(entries[0], list):
        return list(entries[0])
    return list(entries)
