"""The network between the parts and a server: cut, slow, or losing replies."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Literal

from ..proxy import Proxy
from ..scene import Scene
from .base import Kind

Trouble = Literal["cut", "slow", "lost_replies"]

CUT_S = 12.0
"""Longer than a session of the consumer group and than `redis.timeout`."""
SLOW_S = 0.3


@dataclass(slots=True)
class _Line:
    """Troubles one line for `lasts_s`."""

    server: Literal["kafka", "valkey"]
    trouble: Trouble
    lasts_s: float
    _since: float = 0.0
    _before: int = 0
    _loaded: bool = field(default=False)

    def _proxy(self, scene: Scene) -> Proxy:
        pipeline = scene.pipeline
        return pipeline.kafka_line if self.server == "kafka" else pipeline.valkey_line

    def _count(self, scene: Scene) -> int:
        proxy = self._proxy(scene)
        return {"cut": proxy.held, "slow": proxy.slowed, "lost_replies": proxy.lost}[self.trouble]

    def inject(self, scene: Scene) -> None:
        self._loaded = scene.loaded()
        proxy = self._proxy(scene)
        self._before, self._since = self._count(scene), time.monotonic()
        if self.trouble == "cut":
            proxy.hold()
        elif self.trouble == "slow":
            proxy.slow(SLOW_S)
        else:
            proxy.lose_replies()

    def hit(self, scene: Scene) -> bool:
        over = time.monotonic() - self._since >= self.lasts_s
        return self._loaded and over and self._count(scene) > self._before

    def heal(self, scene: Scene) -> None:
        self._proxy(scene).heal()


def _kind(server: Literal["kafka", "valkey"], trouble: Trouble, lasts_s: float, tells: str) -> Kind:
    return Kind(
        name=f"{trouble}_{server}",
        tells=tells,
        make=lambda: _Line(server, trouble, lasts_s),
        proxied=True,
    )


KINDS = (
    _kind("valkey", "cut", CUT_S, "nothing passes between the parts and Valkey for 12 s"),
    _kind("valkey", "slow", 5.0, "every piece between the parts and Valkey takes 0.3 s more"),
    _kind("valkey", "lost_replies", 2.0, "Valkey does what it is told, its replies are lost"),
    _kind("kafka", "cut", CUT_S, "nothing passes between the parts and Kafka for 12 s"),
    _kind("kafka", "slow", 5.0, "every piece between the parts and Kafka takes 0.3 s more"),
)
