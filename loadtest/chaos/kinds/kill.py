"""kill -9 of a process or server in the middle of its work."""

from __future__ import annotations

import signal
from dataclasses import dataclass

from ..scene import Scene
from .base import Kind


@dataclass(slots=True)
class _KillPart:
    """Ends a part; the worker is chosen by the seed."""

    part: str
    _code: int | None = None
    _loaded: bool = False
    _name: str = ""

    def inject(self, scene: Scene) -> None:
        self._name = scene.worker() if self.part == "detect" else self.part
        self._loaded = scene.loaded()
        self._code = scene.pipeline.kill(self._name)

    def hit(self, scene: Scene) -> bool:  # noqa: ARG002 (the contract of a fault)
        return self._loaded and self._code == -signal.SIGKILL

    def heal(self, scene: Scene) -> None:
        scene.pipeline.start(self._name)


@dataclass(slots=True)
class _KillServer:
    """Ends a server; what it has written lies on the disk."""

    server: str
    _before: int | None = None
    _loaded: bool = False

    def _pid(self, scene: Scene) -> int | None:
        stack = scene.pipeline.stack
        server = stack.kafka if self.server == "kafka" else stack.valkey
        return None if server is None else server.pid

    def inject(self, scene: Scene) -> None:
        self._loaded = scene.loaded()
        self._before = self._pid(scene)
        if self.server == "kafka":
            scene.pipeline.stack.kill_kafka()
        else:
            scene.pipeline.stack.kill_valkey()

    def hit(self, scene: Scene) -> bool:
        return self._loaded and self._before is not None and self._pid(scene) is None

    def heal(self, scene: Scene) -> None:
        if self.server == "kafka":
            scene.pipeline.stack.start_kafka()
        else:
            scene.pipeline.stack.start_valkey()


KINDS = (
    Kind(name="kill_detect", tells="kill -9 of a worker", make=lambda: _KillPart("detect")),
    Kind(name="kill_relay", tells="kill -9 of the relay", make=lambda: _KillPart("relay")),
    Kind(name="kill_archive", tells="kill -9 of the archiver", make=lambda: _KillPart("archive")),
    Kind(name="kill_valkey", tells="kill -9 of Valkey", make=lambda: _KillServer("valkey")),
    Kind(name="kill_kafka", tells="kill -9 of the broker", make=lambda: _KillServer("kafka")),
)
