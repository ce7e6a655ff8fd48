"""What the APP says of a push: that it was shown (POST /app/displayed), signed by its server.

A push service knows only that it took a message. Body: {"notice_id": "..."}, signed as webhooks are
(`notifier.signing`). Displayed stops the next channel; it is never an answer.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import datetime
from typing import Final

import msgspec
import structlog
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from . import signing
from .bodies import bounded
from .ledger import Ledger
from .metrics import NotifierMetrics

_log = structlog.get_logger(__name__)
_LONGEST_BODY: Final = 4096


class _Displayed(msgspec.Struct, frozen=True):
    notice_id: str


_decode = msgspec.json.Decoder(_Displayed).decode


class AppReceipts:
    """The endpoint. `secret`: shared with the APP's server."""

    def __init__(
        self,
        ledger: Ledger,
        *,
        secret: bytes,
        now: Callable[[], datetime],
        metrics: NotifierMetrics,
    ) -> None:
        self._ledger = ledger
        self._secret = secret
        self._now = now
        self._metrics = metrics

    def routes(self) -> list[Route]:
        """The one route."""
        return [Route("/app/displayed", self._displayed, methods=["POST"])]

    async def _displayed(self, request: Request) -> Response:
        body = await bounded(request, _LONGEST_BODY)
        if body is None:
            return self._answered("bad", 413)
        signed = signing.genuine(
            self._secret,
            body,
            timestamp=request.headers.get(signing.TIMESTAMP, ""),
            signature=request.headers.get(signing.SIGNATURE, ""),
            now=self._now(),
        )
        if not signed:
            _log.warning("a receipt of the APP with a wrong signature was refused")
            return self._answered("refused", 403)
        try:
            notice_id = _decode(body).notice_id
        except msgspec.MsgspecError:
            return self._answered("bad", 400)
        notice = self._ledger.find(notice_id)
        if notice is None or notice.notice_id != notice_id:
            return self._answered("unknown", 404)
        self._ledger.step(
            notice_id,
            "displayed",
            self._now(),
            channel="app",
            payload_sha256=hashlib.sha256(body).hexdigest(),
        )
        return self._answered("taken", 204)

    def _answered(self, result: str, status: int) -> Response:
        self._metrics.callbacks.labels(result).inc()
        if status == 204:  # noqa: PLR2004 (No Content)
            return Response(status_code=status)
        return PlainTextResponse("", status)
