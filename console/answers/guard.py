"""Around every request: bounds before it is read, and the same strict headers on every answer."""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus
from typing import Final

import structlog
from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_log = structlog.get_logger(__name__)

LONGEST_PATH: Final = 200
"""Bytes of path and query; ours have at most 60."""

MOST_HEADER_BYTES: Final = 16_384
"""Ours has no cookie; browsers send about 1 KiB. The server itself stops at 64 KiB."""

_METHODS = ("GET", "HEAD", "POST")

_HEADERS: Final = {
    "Cache-Control": "no-store",
    "X-Robots-Tag": "noindex, nofollow",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=()",
    # A browser that has seen the page once over TLS never asks without; ignored on plain HTTP.
    "Strict-Transport-Security": "max-age=31536000",
    "Vary": "Accept-Language",
}


class Guard:
    """Refuses what is too large or asked too often, and sets the headers.

    `closed` and `busy` are whole pages; `tired` says whether who asks has failed too often.
    """

    def __init__(
        self,
        inner: ASGIApp,
        *,
        policy: str,
        closed: bytes,
        busy: bytes,
        tired: Callable[[Request], bool],
    ) -> None:
        self._inner = inner
        self._closed = closed
        self._busy = busy
        self._tired = tired
        self._headers = {**_HEADERS, "Content-Security-Policy": policy}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._inner(scope, receive, send)
            return
        started = False

        async def strict(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                headers = MutableHeaders(scope=message)
                for name, value in self._headers.items():
                    headers[name] = value
            await send(message)

        try:
            await (self._refusal(scope) or self._inner)(scope, receive, strict)
        except Exception:  # noqa: BLE001  # our bug: the third road
            # Our bug: told in the log with its traceback; the customer reads where to call.
            _log.exception("the answer page failed", method=scope["method"])
            if not started:
                await self._fixed(HTTPStatus.INTERNAL_SERVER_ERROR)(scope, receive, strict)

    def _refusal(self, scope: Scope) -> Response | None:
        if len(scope["raw_path"]) + len(scope["query_string"]) > LONGEST_PATH:
            return self._fixed(HTTPStatus.NOT_FOUND)
        if sum(len(name) + len(value) for name, value in scope["headers"]) > MOST_HEADER_BYTES:
            return self._fixed(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)
        if scope["method"] not in _METHODS:
            return self._fixed(HTTPStatus.METHOD_NOT_ALLOWED, {"Allow": ", ".join(_METHODS)})
        if self._tired(Request(scope)):
            return _page(self._busy, HTTPStatus.TOO_MANY_REQUESTS, {"Retry-After": "60"})
        return None

    def _fixed(self, status: HTTPStatus, headers: dict[str, str] | None = None) -> Response:
        return _page(self._closed, status, headers)


def _page(page: bytes, status: HTTPStatus, headers: dict[str, str] | None = None) -> Response:
    return Response(page, status, headers, media_type="text/html; charset=utf-8")
