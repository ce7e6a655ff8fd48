"""Syslog over TLS, TCP or UDP. TCP says nothing of what arrived, so it is asked in other ways.

What a dead receiver leaves in the socket's buffer is lost without a word. So a batch counts as
taken when the other side's system has acknowledged its last byte and has not hung up; and where a
connection breaks, what it took in its last moments is owed again, under the same alert and
revision.
"""

from __future__ import annotations

import asyncio
import fcntl
import socket
import ssl
import struct
import termios
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

from config.soc_sections import SyslogTransport
from detectors.errors import escaped

from .item import Item
from .output import Refused
from .syslog_format import Sender, framed, message

DOUBT_S: Final = 10.0
"""What was taken so shortly before a connection broke is sent again."""

_LARGEST_UDP: Final = 60_000
_LOOK_EVERY_S: Final = 0.005
_LOOKS: Final = 2
_GOODBYE_S: Final = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Receiver:
    """Where messages go."""

    host: str
    port: int
    transport: SyslogTransport
    tls: ssl.SSLContext | None
    timeout: float


class Syslog:
    """Sends to one receiver over one connection, made when there is something to send."""

    name = "syslog"
    at_once = 100

    def __init__(self, receiver: Receiver, sender: Sender, elapsed: Callable[[], float]) -> None:
        self._to = receiver
        self._sender = sender
        self._elapsed = elapsed
        self._writer: asyncio.StreamWriter | None = None
        self._listening: asyncio.Task[None] | None = None
        self._recent: deque[tuple[float, Item]] = deque()
        self._doubt: list[Item] = []

    async def send(self, items: Sequence[Item]) -> Sequence[Refused]:
        """Every item as one message, in this order."""
        try:
            async with asyncio.timeout(self._to.timeout):
                if self._to.transport == "udp":
                    await self._datagrams(items)
                else:
                    await self._through(items)
        except (OSError, TimeoutError, ssl.SSLError) as failure:
            await self._broken()
            raise Refused(escaped(f"{type(failure).__name__}: {failure}")) from None
        return ()

    def doubtful(self) -> Sequence[Item]:
        """Taken by a connection that broke within DOUBT_S; told once."""
        if self._hung_up():
            self._doubt += self._shortly_before()
        told, self._doubt = self._doubt, []
        return told

    async def close(self) -> None:
        """Hang up, in bounded time."""
        writer, self._writer = self._writer, None
        listening, self._listening = self._listening, None
        if listening is not None:
            listening.cancel()
        if writer is not None:
            writer.close()
            with suppress(OSError, TimeoutError, ssl.SSLError):
                await asyncio.wait_for(writer.wait_closed(), _GOODBYE_S)
            # What a deaf receiver did not take is still owed; without this it stays open for ever.
            writer.transport.abort()

    async def _through(self, items: Sequence[Item]) -> None:
        if self._hung_up():
            await self._broken()
        writer = await self._connected() if self._writer is None else self._writer
        writer.write(b"".join(framed(message(item, self._sender)) for item in items))
        # Not `drain`, which leaves bytes with us unless told not to, and then was seen to hang over
        # TLS. Two looks, for the system may have emptied its buffer a moment before ours.
        looks = 0
        while looks < _LOOKS and not self._hung_up():
            looks = 0 if _unacknowledged(writer) else looks + 1
            await asyncio.sleep(_LOOK_EVERY_S)
        if self._hung_up():
            raise ConnectionResetError("the receiver hung up")
        now = self._elapsed()
        self._recent.extend((now, item) for item in items)
        while self._recent and self._recent[0][0] < now - DOUBT_S:
            self._recent.popleft()

    async def _connected(self) -> asyncio.StreamWriter:
        tls = self._to.tls
        reader, writer = await asyncio.open_connection(
            self._to.host,
            self._to.port,
            ssl=tls,
            server_hostname=self._to.host if tls is not None else None,
        )
        self._writer = writer
        self._listening = asyncio.create_task(_until_hung_up(reader))
        with suppress(OSError):
            raw = writer.get_extra_info("socket")
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        return writer

    async def _datagrams(self, items: Sequence[Item]) -> None:
        sender = Sender(
            host=self._sender.host,
            enterprise=self._sender.enterprise,
            largest=min(self._sender.largest, _LARGEST_UDP),
            text=self._sender.text,
        )
        loop = asyncio.get_running_loop()
        transport, _ = await loop.create_datagram_endpoint(
            asyncio.DatagramProtocol, remote_addr=(self._to.host, self._to.port)
        )
        try:
            for item in items:
                transport.sendto(message(item, sender))
        finally:
            transport.close()

    def _hung_up(self) -> bool:
        return self._writer is not None and (
            self._listening is None or self._listening.done() or self._writer.is_closing()
        )

    async def _broken(self) -> None:
        self._doubt += self._shortly_before()
        await self.close()

    def _shortly_before(self) -> list[Item]:
        since = self._elapsed() - DOUBT_S
        items = [item for at, item in self._recent if at >= since]
        self._recent.clear()
        return items


async def _until_hung_up(reader: asyncio.StreamReader) -> None:
    """Read what a receiver says, which means nothing, until it says no more."""
    with suppress(OSError, ssl.SSLError):
        while await reader.read(65_536):
            pass


def _unacknowledged(writer: asyncio.StreamWriter) -> int:
    """Bytes that we hold, or the other side's system has not acknowledged (SIOCOUTQ, tcp(7))."""
    ours = writer.transport.get_write_buffer_size()
    if ours:
        return ours
    raw: Any = writer.get_extra_info("socket")
    if raw is None or raw.fileno() < 0:
        return 0
    answer = fcntl.ioctl(raw.fileno(), termios.TIOCOUTQ, b"\0\0\0\0")
    return int(struct.unpack("i", answer)[0])
