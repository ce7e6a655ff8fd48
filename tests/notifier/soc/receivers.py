"""Real servers that an output speaks to: HTTP that records, syslog that is parsed strictly."""

from __future__ import annotations

import json
import re
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from deploy.embedded.ports import free_port

PATIENCE_S = 120.0


@dataclass(slots=True)
class Request:
    """One request as it came."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass(slots=True)
class Http:
    """A server on loopback. `answer` gives status and body for each request."""

    answer: Callable[[Request], tuple[int, bytes]] = lambda _: (200, b"")
    requests: list[Request] = field(default_factory=list)
    headers: dict[str, str] = field(default_factory=dict)
    port: int = 0

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.port}"

    @contextmanager
    def running(self) -> Iterator[Http]:
        """Serve while the block runs; a second time on the same port."""
        self.port = self.port or free_port()
        server = ThreadingHTTPServer(("127.0.0.1", self.port), self._handler())
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield self
        finally:
            server.shutdown()
            server.server_close()
            thread.join()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        told = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                length = int(self.headers.get("Content-Length", 0))
                request = Request(
                    "POST",
                    self.path,
                    {name.lower(): value for name, value in self.headers.items()},
                    self.rfile.read(length),
                )
                status, body = told.answer(request)
                told.requests.append(request)
                self.send_response(status)
                for name, value in told.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        return Handler


@dataclass(frozen=True, slots=True)
class Parsed:
    """A syslog message, parsed."""

    priority: int
    timestamp: str
    host: str
    app: str
    msgid: str
    params: dict[str, str]
    said: dict[str, Any]


_HEADER = re.compile(
    rb"<(?P<pri>0|[1-9]\d{0,2})>1 (?P<time>-|\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,6})?"
    rb"(?:Z|[+-]\d\d:\d\d)) (?P<host>[!-~]{1,255}) (?P<app>[!-~]{1,48}) (?P<proc>[!-~]{1,128}) "
    rb"(?P<msgid>[!-~]{1,32}) "
)
_SD = re.compile(
    rb"\[(?P<id>[!#-<>-\\^-~]{1,32})(?P<params>(?: [^ =\]\"]{1,32}=\"(?:[^\"\\\]]|\\.)*\")*)\]"
)
_PARAM = re.compile(
    rb" (?P<name>[^ =\]\"]{1,32})=\"(?P<value>(?:[^\"\\\]]|\\[\"\\\]])*)\"", re.DOTALL
)


def parse(raw: bytes) -> Parsed:
    """RFC 5424, letter by letter; ValueError where it is none."""
    header = _HEADER.match(raw)
    if header is None or int(header["pri"]) > 191:
        raise ValueError(f"header: {raw[:80]!r}")
    data = _SD.match(raw, header.end())
    if data is None or raw[data.end() : data.end() + 1] != b" ":
        raise ValueError(f"structured data: {raw[header.end() : header.end() + 300]!r}")
    if any(byte < 0x20 or byte == 0x7F for byte in raw):
        raise ValueError("a control character")
    params = {
        match["name"].decode("ascii"): re.sub(rb"\\([\"\\\]])", rb"\1", match["value"]).decode()
        for match in _PARAM.finditer(data["params"])
    }
    text = raw[data.end() + 1 :]
    return Parsed(
        int(header["pri"]),
        header["time"].decode(),
        header["host"].decode(),
        header["app"].decode(),
        header["msgid"].decode(),
        params,
        json.loads(text.decode("ascii")),
    )


def frames(stream: bytes) -> tuple[list[bytes], bytes]:
    """Octet counting: whole frames, and the rest; ValueError where a count is none."""
    found: list[bytes] = []
    while True:
        match = re.match(rb"([1-9]\d{0,6}) ", stream)
        if match is None:
            if len(stream) > 8 and not stream[:8].isdigit():
                raise ValueError(f"no count: {stream[:40]!r}")
            return found, stream
        end = match.end() + int(match[1])
        if len(stream) < end:
            return found, stream
        found.append(stream[match.end() : end])
        stream = stream[end:]


class SyslogReceiver:
    """A TCP or TLS receiver in a thread; started again on the same port after `stop`."""

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self.port = 0
        self.messages: list[Parsed] = []
        self._tls = tls
        self._listener: socket.socket | None = None
        self._connections: list[socket.socket] = []
        self._threads: list[threading.Thread] = []

    def start(self) -> None:
        """Listen."""
        self.port = self.port or free_port()
        listener = socket.create_server(("127.0.0.1", self.port))
        self._listener = listener
        thread = threading.Thread(target=self._accept, args=(listener,), daemon=True)
        thread.start()
        self._threads.append(thread)

    def stop(self) -> None:
        """Hang up on everybody and listen no more."""
        listener, self._listener = self._listener, None
        if listener is not None:
            listener.shutdown(socket.SHUT_RDWR)
            listener.close()
        for connection in self._connections:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
            connection.close()
        self._connections.clear()
        for thread in self._threads:
            thread.join(PATIENCE_S)
        self._threads.clear()

    def wait_for(self, count: int) -> list[Parsed]:
        """The messages, once there are so many."""
        deadline = time.monotonic() + PATIENCE_S
        while len(self.messages) < count and time.monotonic() < deadline:
            time.sleep(0.01)
        assert len(self.messages) >= count, [said.params for said in self.messages]
        return self.messages

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                connection, _ = listener.accept()
                if self._tls is not None:
                    connection = self._tls.wrap_socket(connection, server_side=True)
            except (OSError, ssl.SSLError):
                if self._listener is None:
                    return
                continue
            self._connections.append(connection)
            thread = threading.Thread(target=self._serve, args=(connection,), daemon=True)
            thread.start()
            self._threads.append(thread)

    def _serve(self, connection: socket.socket) -> None:
        stream = b""
        while True:
            try:
                got = connection.recv(65_536)
            except (OSError, ssl.SSLError):
                return
            if not got:
                connection.close()
                return
            whole, stream = frames(stream + got)
            self.messages += [parse(raw) for raw in whole]
