"""A disk that can be full: a tmpfs of a few MiB, where this user may mount one."""

from __future__ import annotations

import os
import subprocess
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

_BLOCK = bytes(4096)


class SmallDisk:
    """Mounted inside the block where that is allowed; `mounted` says whether it was."""

    def __init__(self, folder: Path, size_bytes: int) -> None:
        self.folder = folder
        self._size = size_bytes
        self.mounted = False

    def __enter__(self) -> Self:
        self.folder.mkdir(parents=True, exist_ok=True)
        options = f"size={self._size},mode=700"
        mount = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(self.folder)]
        with suppress(OSError):
            allowed = os.geteuid() == 0
            self.mounted = allowed and not _run(mount)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self.mounted:
            _run(["umount", "--lazy", str(self.folder)])
            self.mounted = False

    def fill(self) -> None:
        """Leave no block free."""
        with suppress(OSError), self._ballast.open("wb", buffering=0) as file:
            while file.write(_BLOCK):
                continue

    def free(self) -> None:
        """Give the room back."""
        self._ballast.unlink(missing_ok=True)

    @property
    def _ballast(self) -> Path:
        return self.folder / "ballast"


def _run(command: list[str]) -> int:
    return subprocess.run(command, check=False, capture_output=True).returncode
