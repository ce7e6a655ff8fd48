"""Firebase Cloud Messaging, HTTP v1, and the token endpoint of its service accounts."""

from __future__ import annotations

import asyncio
import secrets
from dataclasses import dataclass
from typing import Any

import msgspec
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from .faults import Faults
from .serving import Serving, form, refusal

PROJECT = "loginward-demo"
_GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
_TYPE = "type.googleapis.com/google.firebase.fcm.v1.FcmError"
_UNAUTHENTICATED = 401
_KEY_BITS = 2048


@dataclass(frozen=True, slots=True, kw_only=True)
class Push:
    """A push as the provider took it."""

    token: str
    title: str
    body: str
    tag: str
    data: dict[str, str]


class FakeFcm(Serving):
    """Takes pushes for any token but those in `unregistered`."""

    def __init__(self, port: int = 0) -> None:
        super().__init__(port)
        self.sent: list[Push] = []
        self.faults = Faults()
        self.unregistered: set[str] = set()
        self.tokens_given = 0
        self._bearer: set[str] = set()

    def credentials(self) -> bytes:
        """A service account's JSON file that asks this server for its tokens."""
        key = rsa.generate_private_key(public_exponent=65537, key_size=_KEY_BITS)
        pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
        return msgspec.json.encode(
            {
                "type": "service_account",
                "project_id": PROJECT,
                "private_key_id": "demo",
                "private_key": pem,
                "client_email": f"push@{PROJECT}.example",
                "token_uri": f"{self.url}/token",
            }
        )

    def revoke(self) -> None:
        """Forget every access token that was given, as if each had expired."""
        self._bearer.clear()

    def application(self) -> Starlette:
        """The token endpoint and `messages:send`."""
        return Starlette(
            routes=[
                Route("/token", self._token, methods=["POST"]),
                Route(f"/v1/projects/{PROJECT}/messages:send", self._send, methods=["POST"]),
            ]
        )

    async def _token(self, request: Request) -> Response:
        fields = await form(request)
        if fields.get("grant_type") != _GRANT or fields.get("assertion", "").count(".") != 2:  # noqa: PLR2004 (a JWT)
            return refusal(400, {"error": "invalid_grant"})
        given = secrets.token_hex(16)
        self._bearer.add(given)
        self.tokens_given += 1
        return JSONResponse({"access_token": given, "expires_in": 3600, "token_type": "Bearer"})

    async def _send(self, request: Request) -> Response:
        if request.headers.get("authorization", "").removeprefix("Bearer ") not in self._bearer:
            return _error(_UNAUTHENTICATED, "UNAUTHENTICATED", "")
        message = msgspec.json.decode(await request.body())["message"]
        sent, fault = self.sent, self.faults.take()
        if fault is not None and fault.kind == "refuse":
            return _error(fault.status, "UNAVAILABLE", str(fault.code or "UNAVAILABLE"))
        if fault is not None and fault.kind == "slow":
            await asyncio.sleep(fault.seconds)
        if message["token"] in self.unregistered:
            return _error(404, "NOT_FOUND", "UNREGISTERED")
        sent.append(_push(message))
        if fault is not None and fault.kind in {"lose", "hang"}:
            await asyncio.sleep(fault.seconds)
        if fault is not None and fault.kind == "lose":
            return Response(status_code=502)
        return JSONResponse({"name": f"projects/{PROJECT}/messages/{secrets.token_hex(8)}"})


def _push(message: dict[str, Any]) -> Push:
    return Push(
        token=message["token"],
        title=message["notification"]["title"],
        body=message["notification"]["body"],
        tag=message["android"]["notification"]["tag"],
        data=message.get("data", {}),
    )


def _error(status: int, name: str, code: str) -> Response:
    details = [{"@type": _TYPE, "errorCode": code}] if code else []
    return refusal(status, {"error": {"code": status, "status": name, "details": details}})
