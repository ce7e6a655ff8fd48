"""A TAXII 2.1 server of one collection, speaking the protocol over local HTTP."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any, ClassVar
from urllib.parse import parse_qs, urlsplit

TAXII = "application/taxii+json;version=2.1"
COLLECTION = "91a7b528-80eb-42ed-a74d-c6fbd5a26116"


@dataclass(slots=True)
class Server:
    """Objects with the time of their arrival, and how the server behaves."""

    objects: list[tuple[str, Any]] = field(default_factory=list)
    per_page: int = 2
    password: str | None = None
    says: Any = None
    """What is answered instead of the objects; bytes as they are."""
    content_type: str = TAXII
    encoding: str | None = None
    redirect: str | None = None
    asked: list[dict[str, list[str]]] = field(default_factory=list)
    authorization: list[str | None] = field(default_factory=list)
    url: str = ""

    def page(self, query: dict[str, list[str]]) -> tuple[Any, str]:
        """An envelope and the arrival of its last object (TAXII 2.1, 5.4)."""
        types = query.get("match[type]", [""])[0].split(",")
        after = query.get("added_after", [""])[0]
        held = [(at, one) for at, one in self.objects if at > after and one.get("type") in types]
        first = int(query.get("next", ["0"])[0])
        limit = min(self.per_page, int(query.get("limit", ["1000"])[0]))
        shown = held[first : first + limit]
        envelope: dict[str, Any] = {"objects": [one for _, one in shown]}
        if first + limit < len(held):
            envelope |= {"more": True, "next": str(first + limit)}
        return envelope, shown[-1][0] if shown else ""


class _Handler(BaseHTTPRequestHandler):
    server_of: ClassVar[Server]

    def do_GET(self) -> None:
        """Collection, objects, or a plain file."""
        server, parts = self.server_of, urlsplit(self.path)
        server.authorization.append(self.headers.get("Authorization"))
        if server.password is not None and self.headers.get("Authorization") is None:
            self._answer(401, {"title": "who?"})
        elif server.redirect is not None:
            self.send_response(302)
            self.send_header("Location", server.redirect)
            self.send_header("Content-Length", "0")
            self.end_headers()
        elif parts.path.endswith("/objects/"):
            query = parse_qs(parts.query)
            server.asked.append(query)
            envelope, last = server.page(query)
            self._answer(200, envelope if server.says is None else server.says, last)
        elif parts.path.endswith(f"/{COLLECTION}/"):
            said = {"id": COLLECTION, "title": "F-ISAC", "can_read": True, "can_write": False}
            self._answer(200, said)
        else:
            self._answer(200, server.says)

    def _answer(self, status: int, content: Any, last: str = "") -> None:
        body = content if isinstance(content, bytes) else json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", self.server_of.content_type)
        self.send_header("Content-Length", str(len(body)))
        if self.server_of.encoding is not None:
            self.send_header("Content-Encoding", self.server_of.encoding)
        if last:
            self.send_header("X-TAXII-Date-Added-Last", last)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 (the base class's name)
        """Say nothing."""


@contextmanager
def serving(server: Server) -> Iterator[Server]:
    """The server on a port of its own while the block runs."""
    handler = type("Handler", (_Handler,), {"server_of": server})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as http:
        server.url = f"http://127.0.0.1:{http.server_port}/"
        thread = Thread(target=http.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        try:
            yield server
        finally:
            http.shutdown()
            thread.join()
