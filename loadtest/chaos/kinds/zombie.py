"""SIGSTOP in the middle of a step, past the session timeout, then SIGCONT: a zombie that writes."""

from __future__ import annotations

import signal
from dataclasses import dataclass, field

from config.failpoints import VARIABLE

from ..offsets import Standing
from ..scene import Scene
from .base import Kind


@dataclass(slots=True)
class _Worker:
    """Stops itself between recording a batch and judging it; another worker takes over."""

    step: str = "store.after_record"
    _name: str = ""
    _since: int = 0
    _before: Standing | None = None

    def inject(self, scene: Scene) -> None:
        self._name = scene.worker()
        self._since = scene.pipeline.log_size(self._name)
        nth = scene.random.randint(1, 4)
        scene.pipeline.restart(self._name, {VARIABLE: f"{self.step}=pause@{nth}"})

    def hit(self, scene: Scene) -> bool:
        if not scene.pipeline.logged(self._name, f"failpoint {self.step}: pause", self._since):
            return False
        if self._before is None:
            self._before = scene.offsets.now()
            return False
        return scene.taken_over(self._before)

    def heal(self, scene: Scene) -> None:
        scene.pipeline.signal(self._name, signal.SIGCONT)


@dataclass(slots=True)
class _Archiver:
    """Stops itself between writing a segment and sealing it; a second archiver takes over."""

    step: str = "archive.data_synced"
    _since: int = 0
    _before: Standing | None = None
    _second: str = field(default="archive-second")

    def inject(self, scene: Scene) -> None:
        self._since = scene.pipeline.log_size("archive")
        scene.pipeline.restart("archive", {VARIABLE: f"{self.step}=pause@1"})

    def hit(self, scene: Scene) -> bool:
        if not scene.pipeline.logged("archive", f"failpoint {self.step}: pause", self._since):
            return False
        if self._before is None:
            self._before = scene.offsets.now()
            scene.pipeline.start(self._second)
            return False
        standing = scene.offsets.now()
        return standing is not None and standing.beyond(self._before, "archive")

    def heal(self, scene: Scene) -> None:
        scene.pipeline.signal("archive", signal.SIGCONT)
        if self._before is not None:
            scene.pipeline.stop([self._second])


KINDS = (
    Kind(
        name="zombie_detect",
        tells="a worker stopped inside a batch until another has its partitions, then let go on",
        make=_Worker,
    ),
    Kind(
        name="zombie_archive",
        tells="an archiver stopped before its seal until another has its partitions",
        make=_Archiver,
    ),
)
