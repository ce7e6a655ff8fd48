"""A worker whose wall clock is wrong by an hour."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ..pipeline import ROOT
from ..scene import Scene
from .base import Kind

_SHIFT = '''"""Imported by Python at start: shifts the wall clock of this one process."""
import os
import time

_shift = float(os.environ["CHAOS_CLOCK_S"])
_time, _time_ns = time.time, time.time_ns
time.time = lambda: _time() + _shift
time.time_ns = lambda: _time_ns() + int(_shift * 1e9)
os.write(2, f"clock shifted by {_shift:.0f} s\\n".encode())
'''


@dataclass(slots=True)
class _Shifted:
    """`time.time` of one worker is wrong until it is started again."""

    seconds: int
    _name: str = ""
    _since: int = 0

    def inject(self, scene: Scene) -> None:
        folder = scene.pipeline.folder / "shifted"
        folder.mkdir(exist_ok=True)
        (folder / "sitecustomize.py").write_text(_SHIFT)
        self._name = scene.worker()
        self._since = scene.pipeline.log_size(self._name)
        scene.pipeline.restart(self._name, _environment(folder, self.seconds))

    def hit(self, scene: Scene) -> bool:
        said = f"clock shifted by {self.seconds} s"
        return scene.pipeline.logged(self._name, said, self._since) and scene.loaded()

    def heal(self, scene: Scene) -> None:
        """Nothing: it works on with the wrong clock until another fault restarts it."""


def _environment(folder: Path, seconds: int) -> dict[str, str]:
    return {"PYTHONPATH": f"{folder}:{ROOT}", "CHAOS_CLOCK_S": str(seconds)}


KINDS = (
    Kind(
        name="clock_ahead", tells="a worker's clock is an hour ahead", make=lambda: _Shifted(3600)
    ),
    Kind(
        name="clock_behind",
        tells="a worker's clock is an hour behind",
        make=lambda: _Shifted(-3600),
    ),
)
