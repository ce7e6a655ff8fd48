"""Twilio's Messages resource (2010-04-01), and its signed status callbacks."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import secrets
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from email.utils import format_datetime

import httpx
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from .faults import Faults
from .serving import Serving, form, refusal

ACCOUNT = "AC" + "0" * 32
_PATIENCE_S = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Sms:
    """A message as the provider took it."""

    sid: str
    to: str
    sender: str
    text: str
    callback: str
    at: datetime
    status: str = "queued"


class FakeTwilio(Serving):
    """Takes messages for `account`; tells of them at their status callback when asked to."""

    def __init__(self, port: int = 0) -> None:
        super().__init__(port)
        self.account = ACCOUNT
        self.auth_token = secrets.token_hex(16)
        self.sent: list[Sms] = []
        self.faults = Faults()
        self.listed = True
        """Whether a list of messages shows those that were taken (Twilio's own may lag)."""

    def application(self) -> Starlette:
        """Create, and list by number."""
        path = f"/2010-04-01/Accounts/{self.account}/Messages.json"
        return Starlette(
            routes=[
                Route(path, self._create, methods=["POST"]),
                Route(path, self._list, methods=["GET"]),
            ]
        )

    def signature(self, url: str, fields: dict[str, str], token: str | None = None) -> str:
        """X-Twilio-Signature: HMAC-SHA1 over the URL and every field in the order of names."""
        said = url + "".join(f"{name}{fields[name]}" for name in sorted(fields))
        key = (self.auth_token if token is None else token).encode()
        return base64.b64encode(hmac.new(key, said.encode(), hashlib.sha1).digest()).decode()

    def tell(self, sid: str, status: str, *, code: str = "", at: str | None = None) -> int:
        """Call the message's status callback (at `at`, where the proxy is); the HTTP status."""
        number = next(n for n, sms in enumerate(self.sent) if sms.sid == sid)
        self.sent[number] = replace(self.sent[number], status=status)
        sms = self.sent[number]
        fields = {
            "MessageSid": sid,
            "MessageStatus": status,
            "AccountSid": self.account,
            "To": sms.to,
            "From": sms.sender,
            "ApiVersion": "2010-04-01",
        } | ({"ErrorCode": code} if code else {})
        headers = {"X-Twilio-Signature": self.signature(sms.callback, fields)}
        answer = httpx.post(
            at or sms.callback, data=fields, headers=headers, timeout=_PATIENCE_S, trust_env=False
        )
        return answer.status_code

    def _authorised(self, request: Request) -> bool:
        plain = f"{self.account}:{self.auth_token}".encode()
        wanted = "Basic " + base64.b64encode(plain).decode()
        return secrets.compare_digest(request.headers.get("authorization", ""), wanted)

    async def _create(self, request: Request) -> Response:
        if not self._authorised(request):
            return _error(401, 20003)
        fields = await form(request)
        sent, fault = self.sent, self.faults.take()
        if fault is not None and fault.kind == "refuse":
            return _error(fault.status, int(fault.code or 20001))
        if fault is not None and fault.kind == "slow":
            await asyncio.sleep(fault.seconds)
        sms = Sms(
            sid="SM" + secrets.token_hex(16),
            to=fields["To"],
            sender=fields.get("From") or fields.get("MessagingServiceSid", ""),
            text=fields["Body"],
            callback=fields.get("StatusCallback", ""),
            at=datetime.now(tz=UTC),
        )
        sent.append(sms)
        if fault is not None and fault.kind in {"lose", "hang"}:
            await asyncio.sleep(fault.seconds)
        if fault is not None and fault.kind == "lose":
            return _error(502, 0)
        return JSONResponse(_shown(sms), 201)

    async def _list(self, request: Request) -> Response:
        if not self._authorised(request):
            return _error(401, 20003)
        to = request.query_params.get("To")
        found = [_shown(sms) for sms in reversed(self.sent) if self.listed and sms.to == to]
        return JSONResponse({"messages": found, "page": 0, "page_size": 50, "next_page_uri": None})


def _shown(sms: Sms) -> dict[str, str | None]:
    created = format_datetime(sms.at)
    return {
        "sid": sms.sid,
        "account_sid": ACCOUNT,
        "api_version": "2010-04-01",
        "to": sms.to,
        "from": sms.sender,
        "body": sms.text,
        "status": sms.status,
        "num_segments": "1",
        "num_media": "0",
        "direction": "outbound-api",
        "date_created": created,
        "date_updated": created,
        "date_sent": None,
        "error_code": None,
        "error_message": None,
    }


def _error(status: int, code: int) -> Response:
    said = {"code": code, "message": "refused", "more_info": "", "status": status}
    return refusal(status, said)
