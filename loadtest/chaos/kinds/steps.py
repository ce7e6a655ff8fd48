"""kill -9 between each two steps of a batch, the relay, a write of the archive (failpoints)."""

from __future__ import annotations

from dataclasses import dataclass

from config.failpoints import VARIABLE

from ..scene import Scene
from .base import Kind

STEPS = {
    "detect": (
        "store.after_claim",
        "store.after_record",
        "store.after_settle",
        "detect.before_rejects",
        "detect.before_judged",
        "detect.before_done",
    ),
    "relay": ("relay.before_delete", "relay.after_delete"),
    "archive": ("archive.data_synced", "archive.seal_durable", "archive.head_written"),
}
"""Part -> the places in it (`config.failpoints.hit`)."""


@dataclass(slots=True)
class _Step:
    """Starts the part anew such that it kills itself there."""

    part: str
    step: str
    _name: str = ""
    _since: int = 0

    def inject(self, scene: Scene) -> None:
        self._name = scene.worker() if self.part == "detect" else self.part
        self._since = scene.pipeline.log_size(self._name)
        # A relay finds work only now and then: it dies at its first.
        nth = scene.random.randint(1, 3) if self.part == "detect" else 1
        scene.pipeline.restart(self._name, {VARIABLE: f"{self.step}=kill@{nth}"})

    def hit(self, scene: Scene) -> bool:
        said = scene.pipeline.logged(self._name, f"failpoint {self.step}: kill", self._since)
        return said and scene.pipeline.ended(self._name) is not None

    def heal(self, scene: Scene) -> None:
        scene.pipeline.kill(self._name)
        scene.pipeline.start(self._name)


def _kind(part: str, step: str) -> Kind:
    return Kind(
        name=f"step_{step.replace('.', '_')}",
        tells=f"kill -9 of {part} at {step}",
        make=lambda: _Step(part, step),
        # While state is rebuilt after a loss the relay has nothing to do.
        patience_s=300.0 if part == "relay" else 90.0,
    )


KINDS = tuple(_kind(part, step) for part, steps in STEPS.items() for step in steps)
