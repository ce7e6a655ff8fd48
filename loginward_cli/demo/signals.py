"""How a demo is ended from outside: Ctrl-C asks, a second one or SIGTERM does not wait."""

from __future__ import annotations

import signal
import threading
from types import FrameType
from typing import Any, Self

TERMINATED = 128 + signal.SIGTERM
"""Exit code of a demo that SIGTERM ended, as a shell would tell it."""


class Ending:
    """While entered, SIGTERM raises SystemExit, and SIGINT KeyboardInterrupt.

    After `gently` the first SIGINT only sets `asked`: there is something to be reckoned up.
    """

    def __init__(self) -> None:
        self.asked = threading.Event()
        self._gently = False
        self._before: dict[int, Any] = {}

    def __enter__(self) -> Self:
        self._before = {
            signal.SIGINT: signal.signal(signal.SIGINT, self._ask),
            signal.SIGTERM: signal.signal(signal.SIGTERM, _terminate),
        }
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def gently(self) -> None:
        """From now on the first Ctrl-C is a request."""
        self._gently = True

    def _ask(self, _number: int, _frame: FrameType | None) -> None:
        if self.asked.is_set() or not self._gently:
            raise KeyboardInterrupt
        self.asked.set()


def _terminate(_number: int, _frame: FrameType | None) -> None:
    raise SystemExit(TERMINATED)
