"""What Twilio says later of an SMS (POST /twilio/status): signed, again, and in any order.

Behind the firm's reverse proxy. The signature covers the public URL, so that is a setting and not
what the request says of itself. Whatever is forged gets 403 and changes nothing.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import datetime
from typing import Any, Final
from urllib.parse import parse_qsl

import structlog
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from twilio.request_validator import RequestValidator

from config.failpoints import hit
from detectors.notices import NoticeState

from .bodies import bounded
from .channels.sms import gone
from .contacts import ContactBook
from .ledger import Ledger
from .metrics import NotifierMetrics

_log = structlog.get_logger(__name__)

_LONGEST_BODY: Final = 16_384
_MOST_FIELDS: Final = 100

_STATES: Final[dict[str, NoticeState]] = {
    "accepted": "accepted",
    "scheduled": "accepted",
    "queued": "accepted",
    "sending": "accepted",
    "sent": "accepted",
    # In Taiwan there are reports of the carrier's message centre alone, none of the handset.
    "delivered": "carrier",
    "undelivered": "failed",
    "failed": "failed",
    "canceled": "failed",
}


class StatusCallbacks:
    """The endpoint. `url`: its exact public URL; `token`: the account's auth token."""

    def __init__(
        self,
        ledger: Ledger,
        contacts: ContactBook,
        *,
        url: str,
        account: str,
        token: str,
        now: Callable[[], datetime],
        metrics: NotifierMetrics,
    ) -> None:
        self._ledger = ledger
        self._contacts = contacts
        self._url = url
        self._account = account
        self._validator: Any = RequestValidator(token)
        self._now = now
        self._metrics = metrics

    def routes(self) -> list[Route]:
        """The one route."""
        return [Route("/twilio/status", self._status, methods=["POST"])]

    async def _status(self, request: Request) -> Response:
        body = await bounded(request, _LONGEST_BODY)
        if body is None:
            return self._answered("bad", 413)
        try:
            pairs = parse_qsl(
                body.decode(), keep_blank_values=True, max_num_fields=_MOST_FIELDS, errors="strict"
            )
        except ValueError:
            return self._answered("bad", 400)
        fields = dict(pairs)
        signature = request.headers.get("x-twilio-signature", "")
        # A name that stands twice: the validator and we could read two different values.
        honest = len(fields) == len(pairs) and fields.get("AccountSid") == self._account
        if not honest or not self._validator.validate(self._url, fields, signature):
            _log.warning("a status callback with a wrong signature was refused")
            return self._answered("refused", 403)
        return self._taken(fields, hashlib.sha256(body).hexdigest())

    def _taken(self, fields: dict[str, str], payload_sha256: str) -> Response:
        state = _STATES.get(fields.get("MessageStatus", ""))
        sid = fields.get("MessageSid", "")
        if state is None or not sid:
            return self._answered("bad", 400)
        code = fields.get("ErrorCode", "")
        now = self._now()
        if code.isascii() and code.isdigit() and gone(int(code)) and fields.get("To"):
            self._contacts.mark_dead(fields["To"], code, int(now.timestamp() * 1000))
        hit("notify.callback_before_commit")
        found = self._ledger.report(
            sid[:64],
            state,
            now,
            reason=code[:40] or fields["MessageStatus"],
            provider_at=fields.get("RawDlrDoneDate", "")[:20],
            payload_sha256=payload_sha256,
        )
        return self._answered("taken" if found is not None else "unknown", 204)

    def _answered(self, result: str, status: int) -> Response:
        self._metrics.callbacks.labels(result).inc()
        if status == 204:  # noqa: PLR2004 (No Content)
            return Response(status_code=status)
        return PlainTextResponse("", status)
