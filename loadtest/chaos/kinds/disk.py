"""The disk of the archive has no byte left, for a while."""

from __future__ import annotations

from dataclasses import dataclass

from config.failpoints import VARIABLE

from ..scene import Scene
from .base import Kind

_REFUSED = "refuses to be written"


@dataclass(slots=True)
class _Full:
    """Fills the small disk; where none could be made, the archiver meets ENOSPC at a failpoint."""

    _since: int = 0

    def inject(self, scene: Scene) -> None:
        self._since = scene.pipeline.log_size("archive")
        disk = scene.pipeline.disk
        if disk is not None and disk.mounted:
            disk.fill()
        else:
            environment = {VARIABLE: "archive.data_synced=raise:ENOSPC@1"}
            scene.pipeline.restart("archive", environment)

    def hit(self, scene: Scene) -> bool:
        return scene.pipeline.logged("archive", _REFUSED, self._since)

    def heal(self, scene: Scene) -> None:
        if scene.pipeline.disk is not None:
            scene.pipeline.disk.free()


KINDS = (
    Kind(
        name="disk_full_archive",
        tells="no byte left where the archive lies (a tmpfs as root, else an injected ENOSPC)",
        make=_Full,
        small_disk=True,
    ),
)
