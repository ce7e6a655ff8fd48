"""How far each part has come in `logins`, asked from outside; no answer is an answer too."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field

from config.kafka import group_name, topic_name
from config.settings import KafkaSettings

from .topics import committed

_PATIENCE_S = 10.0
PARTS = ("detect", "archive")


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Offsets by partition: what is committed by each part, and the ends of the log."""

    ends: Mapping[int, int] = field(default_factory=dict)
    done: Mapping[str, Mapping[int, int]] = field(default_factory=dict)

    def total(self, part: str) -> int:
        """Offsets that a part has done."""
        return sum(self.done.get(part, {}).values())

    @property
    def end(self) -> int:
        """Offsets in the topic."""
        return sum(self.ends.values())

    def drained(self, *parts: str) -> bool:
        """Whether these parts have read everything."""
        return bool(self.ends) and all(
            self.done.get(part, {}).get(number, 0) >= end
            for part in parts
            for number, end in self.ends.items()
        )

    def beyond(self, before: Standing, *parts: str) -> bool:
        """Whether each partition has moved on since, in each part, or is read to its end."""
        return bool(self.ends) and all(
            self.done.get(part, {}).get(number, 0)
            >= min(end, before.done.get(part, {}).get(number, 0) + 1)
            for part in parts
            for number, end in self.ends.items()
        )


class Offsets:
    """Asks Kafka; keeps the last answer for while there is none."""

    def __init__(self, kafka: KafkaSettings) -> None:
        self._kafka = kafka
        self.last = Standing()

    def now(self) -> Standing | None:
        """The standing, None where Kafka does not answer."""
        try:
            ends, done = asyncio.run(asyncio.wait_for(self._ask(), _PATIENCE_S))
        except Exception:  # noqa: BLE001 (a broken Kafka is what these trials are about)
            return None
        self.last = Standing(ends=ends, done=done)
        return self.last

    async def _ask(self) -> tuple[Mapping[int, int], Mapping[str, Mapping[int, int]]]:
        groups = {part: group_name(self._kafka, part) for part in PARTS}
        return await committed(self._kafka, topic_name(self._kafka, "logins"), groups)
