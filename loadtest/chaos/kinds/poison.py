"""Records that were made to do harm, sent while the pipeline runs."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from aiokafka import AIOKafkaProducer

from config.kafka import producer_options, topic_name

from ..scene import Place, Scene
from .base import Kind

_MIB = 1024 * 1024
POISON: tuple[bytes, ...] = (
    b"[" * 100_000,
    b'{"a":' * 20_000,
    b'{"schema":1,"event_id":"p1","occurred_at":NaN}',
    b'{"schema":1,"event_id":"\\ud800"}',
    b"\xff\xfe\x00\x00",
    b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03",
    b'{"schema":1e400}',
    b'{"schema":1,"schema":1,"event_id":"p2"}',
    b"\x00" * 4096,
    b"x" * 70_000,
)
"""Deep nesting, not a number, a lone surrogate, bad UTF-8, half a gzip, a number without bounds,
a key twice, zeros, one beyond the limit of 64 KiB."""

BOMBS: tuple[bytes, ...] = (b"a" * (10 * _MIB), b'{"event_id":"' + b"b" * (30 * _MIB) + b'"}')
"""10 and 30 MB that take a few KB on the wire."""


@dataclass(slots=True)
class _Send:
    """Sends records; that each was rejected with its bytes is compared at the end."""

    values: Sequence[bytes]
    compression: str
    _places: list[Place] = field(default_factory=list)

    def inject(self, scene: Scene) -> None:
        self._places = asyncio.run(self._send(scene))
        scene.poisoned |= dict(zip(self._places, self.values, strict=True))

    def hit(self, scene: Scene) -> bool:
        """Whether the workers went past all of them."""
        done = scene.offsets.last.done.get("detect", {})
        return bool(self._places) and all(
            done.get(partition, 0) > offset for partition, offset in self._places
        )

    def heal(self, scene: Scene) -> None:
        """Nothing: a record stays."""

    async def _send(self, scene: Scene) -> list[Place]:
        options: dict[str, Any] = producer_options(scene.kafka)
        options |= {"compression_type": self.compression, "max_request_size": 64 * _MIB}
        producer = AIOKafkaProducer(**options)
        await producer.start()
        try:
            topic = topic_name(scene.kafka, "logins")
            sent = [await producer.send_and_wait(topic, value) for value in self.values]
            return [(one.partition, one.offset) for one in sent]
        finally:
            await producer.stop()


KINDS = (
    Kind(
        name="poison",
        tells="records that no parser should meet",
        make=lambda: _Send(POISON, "lz4"),
        late=True,
    ),
    Kind(
        name="bombs",
        tells="records of 10 and 30 MB that were a few KB on the wire",
        make=lambda: _Send(BOMBS, "gzip"),
        late=True,
    ),
)
