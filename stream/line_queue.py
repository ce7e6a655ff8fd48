"""Lines read in a thread of their own: a quiet pipe must not hold up what was read before."""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import Iterator

from .sources.base import Line


class LineQueue:
    """Hands over what there is, up to `most` lines at a time; reading waits when nobody takes."""

    def __init__(self, lines: Iterator[Line], most: int) -> None:
        self._lines = lines
        self._most = most
        self._queue: queue.Queue[Line | None] = queue.Queue(maxsize=2 * most)
        self.failure: Exception | None = None
        self._ended = False
        # A daemon: it may hang in a read of a pipe for ever, and must not keep the process alive.
        threading.Thread(target=self._read, daemon=True, name="lines").start()

    async def batch(self) -> list[Line]:
        """At least one line, at most `most`; none at the end. `failure` says why it came early."""
        if self._ended:
            return []
        lines: list[Line] = []
        item = await asyncio.to_thread(self._queue.get)
        while item is not None:
            lines.append(item)
            if len(lines) == self._most:
                return lines
            try:
                item = self._queue.get_nowait()
            except queue.Empty:
                return lines
        self._ended = True
        return lines

    def _read(self) -> None:
        try:
            for line in self._lines:
                self._queue.put(line)
        except Exception as failure:  # noqa: BLE001 (told to the reader, whoever it is for)
            self.failure = failure
        self._queue.put(None)
