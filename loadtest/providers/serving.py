"""A small ASGI application on a free port of loopback, in a thread of its own."""

from __future__ import annotations

import socket
import threading
from typing import Any, Self

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse

_PATIENCE_S = 60.0
_LOOPBACK = "127.0.0.1"


class Serving:
    """Runs `application()` of the class that inherits it, between `start` and `stop`."""

    def __init__(self, port: int = 0) -> None:
        self._port = port
        self._server: uvicorn.Server | None = None
        self._thread: threading.Thread | None = None
        self.url = ""

    def application(self) -> Starlette:
        """The routes to serve."""
        raise LookupError("a Serving without an application")

    def start(self) -> Self:
        """Serve; `url` says where."""
        listener = socket.create_server((_LOOPBACK, self._port))
        self._port = listener.getsockname()[1]
        self.url = f"http://{_LOOPBACK}:{self._port}"
        options: dict[str, Any] = {
            "log_config": None,
            "log_level": "critical",
            "lifespan": "off",
            "access_log": False,
        }
        server = uvicorn.Server(uvicorn.Config(self.application(), **options))
        self._server = server
        self._thread = threading.Thread(target=server.run, args=([listener],), daemon=True)
        self._thread.start()
        return self

    def stop(self) -> None:
        """Stop at once; calls that still hang are cut."""
        if self._server is not None and self._thread is not None:
            self._server.should_exit = self._server.force_exit = True
            self._thread.join(_PATIENCE_S)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()


def refusal(status: int, content: dict[str, Any]) -> JSONResponse:
    """A refusal in the provider's own words."""
    headers = {"retry-after": "1"} if status in {429, 503} else None
    return JSONResponse(content, status, headers)


async def form(request: Request) -> dict[str, str]:
    """The fields of a form, texts alone."""
    fields = await request.form()
    return {name: value for name, value in fields.items() if isinstance(value, str)}
