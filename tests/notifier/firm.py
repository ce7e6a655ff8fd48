"""The firm's endpoint on a real server of this machine."""

from __future__ import annotations

import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class Firm:
    """The firm's endpoint on a real server: keeps what came in, answers as it is told."""

    def __init__(self) -> None:
        self.answers: list[int] = []
        self.calls: list[tuple[dict[str, str], bytes]] = []
        self.called_at: list[float] = []
        firm = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                sent = {name.lower(): text for name, text in self.headers.items()}
                firm.called_at.append(time.monotonic())
                firm.calls.append((sent, body))
                self.send_response(firm.answers.pop(0) if firm.answers else 200)
                self.send_header("Content-Length", "0")
                self.send_header("Location", firm.url)
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/hold"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        self._thread.start()

    def close(self) -> None:
        """Stop; whoever calls now is refused."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
