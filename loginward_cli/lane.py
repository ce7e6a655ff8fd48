"""Steps that run one after another beside something else, and are told in one piece when done."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO, Self

Step = Callable[[IO[bytes]], int]
"""Does its work, writes what it says to the file, gives its exit code."""


class Lane:
    """A thread that runs steps in order and stops at the first that fails.

    Use as a context manager: leaving it waits for the step that runs.
    """

    def __init__(self, steps: Sequence[Step]) -> None:
        """Nothing runs yet.

        Args:
            steps: in order; each writes to the lane's file instead of the terminal.
        """
        self.code: int | None = None
        self._steps = steps
        self._left = False
        self._scratch = TemporaryDirectory(prefix="loginward-lane-")
        self._said = Path(self._scratch.name) / "said"
        self._thread = threading.Thread(target=self._run, name="lane")

    @property
    def said(self) -> str:
        """What the steps have written so far."""
        return self._said.read_text(encoding="utf-8", errors="replace")

    def wait(self) -> int:
        """Wait for the last step; the exit code of the one that failed, or 0."""
        self._thread.join()
        return self.code or 0

    def _run(self) -> None:
        code = 70  # ours, if a step raises
        try:
            with self._said.open("wb") as out:
                for step in self._steps:
                    code = 0 if self._left else step(out)
                    if code:
                        break
        finally:
            self.code = code

    def __enter__(self) -> Self:
        self._said.touch()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._left = True
        self._thread.join()
        self._scratch.cleanup()
