"""A Valkey that comes back without what it had confirmed."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from pathlib import Path

from redis.exceptions import RedisError

from ..scene import Scene
from .base import Kind

_AGAIN_S = 15.0
_NOTICED = "state was lost: reading again"


@dataclass(slots=True)
class _Loss:
    """Hit when a worker has said that it reads again."""

    _since: dict[str, int] = field(default_factory=dict)
    _had: int = 0

    def _note(self, scene: Scene) -> None:
        self._since = scene.pipeline.log_sizes()
        self._had = 0
        client = scene.redis()
        try:
            self._had = int(client.dbsize())
        except (RedisError, OSError):
            pass
        finally:
            client.close()

    def hit(self, scene: Scene) -> bool:
        return self._had > 0 and scene.pipeline.any_logged("detect", _NOTICED, self._since)


@dataclass(slots=True)
class _Flushed(_Loss):
    """Everything is gone."""

    def inject(self, scene: Scene) -> None:
        self._note(scene)
        client = scene.redis()
        client.flushall()
        client.close()

    def heal(self, scene: Scene) -> None:
        """Nothing: the workers build it up again."""


@dataclass(slots=True)
class _Truncated(_Loss):
    """The end of the append-only file is gone, as after a disk that lied about its fsyncs.

    Where Valkey has just begun a new file there is next to nothing to lose: then once more.
    """

    _at: float = 0.0

    def hit(self, scene: Scene) -> bool:
        noticed = _Loss.hit(self, scene)
        if not noticed and time.monotonic() - self._at > _AGAIN_S:
            self.inject(scene)
        return noticed

    def inject(self, scene: Scene) -> None:
        self._note(scene)
        stack = scene.pipeline.stack
        stack.kill_valkey()
        file = _newest(scene.pipeline.folder / "stack" / "valkey" / "appendonlydir")
        size = file.stat().st_size
        with file.open("r+b") as log:
            log.truncate(size - int(size * scene.random.uniform(0.1, 0.5)))
        stack.start_valkey()
        self._at = time.monotonic()

    def heal(self, scene: Scene) -> None:
        """Nothing: see above."""


def _newest(folder: Path) -> Path:
    return max(folder.glob("*.incr.aof"), key=lambda file: file.stat().st_mtime)


KINDS = (
    Kind(
        name="flushall",
        tells="Valkey has lost everything",
        make=_Flushed,
        cold=True,
        loses=True,
    ),
    Kind(
        name="truncated_aof",
        tells="kill -9 of Valkey, and up to half of its log is gone",
        make=_Truncated,
        loses=True,
    ),
)
