"""A storm of rebalances: one more worker comes and goes, several times."""

from __future__ import annotations

import random
from dataclasses import dataclass

from config.kafka import admin, group_name

from ..scene import Scene
from .base import Kind

TIMES = 3
_EXTRA = "detect-9"
_JOIN_S = 30.0


@dataclass(slots=True)
class _Storm:
    """Each time it stays until the group counts it, then leaves, politely or by kill -9."""

    _joined: int = 0

    def inject(self, scene: Scene) -> None:
        for _ in range(TIMES):
            scene.pipeline.start(_EXTRA)
            if scene.wait(lambda: _members(scene) > scene.workers, _JOIN_S):
                self._joined += 1
            _leave(scene, scene.random)

    def hit(self, scene: Scene) -> bool:  # noqa: ARG002 (the contract of a fault)
        return self._joined == TIMES

    def heal(self, scene: Scene) -> None:
        """Nothing: it is gone."""


def _leave(scene: Scene, choice: random.Random) -> None:
    if choice.random() < 0.5:  # noqa: PLR2004 (a coin)
        scene.pipeline.kill(_EXTRA)
    scene.pipeline.stop([_EXTRA])


def _members(scene: Scene) -> int:
    group = group_name(scene.kafka, "detect")
    with admin(scene.kafka) as client:
        told = client.describe_groups([group])
    return len(told[group]["members"])


KINDS = (
    Kind(name="rebalance_storm", tells="a third worker joins and leaves three times", make=_Storm),
)
