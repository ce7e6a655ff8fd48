"""A TCP proxy on loopback that can hold, slow and lose what passes: the network between two parts.

It runs in a thread of its own; every figure only grows, so that a fault can show that it hit.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine
from contextlib import suppress
from types import TracebackType
from typing import Any, Self

_LOOPBACK = "127.0.0.1"
_CHUNK = 64 * 1024
_PATIENCE_S = 10.0


class Proxy:
    """Listens on a free port in front of `upstream`, which is asked at each connection."""

    def __init__(self, upstream: Callable[[], tuple[str, int]]) -> None:
        self._upstream = upstream
        self._delay_s = 0.0
        self._losing = False
        self._tasks: set[asyncio.Task[None]] = set()
        self.port = 0
        self.held = 0
        """Bytes and connections that had to wait."""
        self.slowed = 0
        self.lost = 0
        """Replies that were swallowed, each with its connection."""

    def __enter__(self) -> Self:
        self._loop = asyncio.new_event_loop()
        self._flowing = asyncio.Event()
        self._thread = threading.Thread(target=self._loop.run_forever, name="proxy", daemon=True)
        self._thread.start()
        self._await(self._listen())
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._await(self._close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(_PATIENCE_S)
        self._loop.close()

    @property
    def address(self) -> str:
        """HOST:PORT for clients."""
        return f"{_LOOPBACK}:{self.port}"

    def hold(self) -> None:
        """From now on nothing passes, and nobody is told: a cut cable, not a refused call."""
        self._loop.call_soon_threadsafe(self._flowing.clear)

    def slow(self, seconds: float) -> None:
        """Each piece takes so much longer."""
        self._delay_s = seconds

    def lose_replies(self) -> None:
        """Requests pass; the next reply of each connection is swallowed, and that is its end."""
        self._losing = True

    def heal(self) -> None:
        """Everything passes; what was held goes on its way."""
        self._delay_s, self._losing = 0.0, False
        self._loop.call_soon_threadsafe(self._flowing.set)

    def _await(self, work: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(_PATIENCE_S)

    async def _listen(self) -> None:
        self._flowing.set()
        self._server = await asyncio.start_server(self._serve, _LOOPBACK, 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def _close(self) -> None:
        self._server.close()
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is not None:
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        with suppress(OSError, asyncio.CancelledError):
            await self._pass()
            there = await asyncio.open_connection(*self._upstream())
            pumps = [
                asyncio.create_task(self._pump(reader, there[1], replies=False)),
                asyncio.create_task(self._pump(there[0], writer, replies=True)),
            ]
            try:
                await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for pump in pumps:
                    pump.cancel()
                await asyncio.gather(*pumps, return_exceptions=True)
                there[1].close()
        writer.close()

    async def _pump(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, replies: bool
    ) -> None:
        while data := await reader.read(_CHUNK):
            if replies and self._losing:
                self.lost += 1
                return
            await self._pass()
            if self._delay_s:
                self.slowed += 1
                await asyncio.sleep(self._delay_s)
            writer.write(data)
            await writer.drain()

    async def _pass(self) -> None:
        if not self._flowing.is_set():
            self.held += 1
            await self._flowing.wait()
