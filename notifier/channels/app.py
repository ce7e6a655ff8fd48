"""APP push by FCM HTTP v1. A repeat carries the same tag, so it replaces what the phone shows."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import httpx
import msgspec
from google.auth import exceptions as google_errors
from google.auth import transport
from google.oauth2 import service_account

from config.notifier_section import NotifierSettings
from detectors.errors import LoginwardError

from .outcome import Delivery, Outcome

_SCOPE: Final = "https://www.googleapis.com/auth/firebase.messaging"
_DEAD: Final = frozenset({"UNREGISTERED", "SENDER_ID_MISMATCH"})
_UNAUTHORISED: Final = 401
_NOT_FOUND: Final = 404
_TOO_MANY: Final = 429
_SERVER_FAULT: Final = 500
_SHORT_TTL: Final = timedelta(hours=2)
"""A login notice that a phone shows a day later is only confusing."""


class AppPush:
    """Pushes to every phone of a customer."""

    name: Final = "app"

    def __init__(self, settings: NotifierSettings) -> None:
        path = settings.fcm_credentials_file
        if path is None:
            raise LoginwardError("notifier.fcm_credentials_file: is empty; there is no push then")
        self._timeout = settings.call_timeout.total_seconds()
        self._account = _account(path)
        self._url = (
            f"{settings.fcm_url.rstrip('/')}/v1/projects/{self._account.project_id}/messages:send"
        )
        # trust_env: a proxy of the environment must not see tokens that nobody meant for it.
        self._client = httpx.AsyncClient(timeout=self._timeout, trust_env=False)
        self._lock = asyncio.Lock()

    async def send(self, delivery: Delivery) -> Outcome:
        """Push to each token; accepted where one was."""
        tokens = delivery.contact.push_tokens
        if not tokens:
            return Outcome(result="permanent", code="no_token")
        try:
            # All at once: ten phones must not take ten times as long as a send may.
            async with asyncio.timeout(self._timeout * 2):
                outcomes = await asyncio.gather(*(self._one(token, delivery) for token in tokens))
        except TimeoutError:
            return Outcome(result="unknown", code="no_answer")
        dead = tuple(part for outcome in outcomes for part in outcome.dead)
        for result in ("accepted", "unknown", "transient", "permanent"):
            for one in outcomes:
                if one.result == result:
                    return replace(one, dead=dead)
        return Outcome(result="permanent", code="no_token", dead=dead)

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    async def _one(self, token: str, delivery: Delivery, *, again: bool = True) -> Outcome:
        try:
            bearer = await self._bearer()
        except google_errors.GoogleAuthError:
            return Outcome(result="transient", code="oauth")
        try:
            answer = await self._client.post(
                self._url,
                json={"message": _message(token, delivery)},
                headers={"Authorization": f"Bearer {bearer}"},
            )
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout):
            return Outcome(result="transient", code="unreachable")
        except httpx.HTTPError:
            return Outcome(result="unknown", code="no_answer")
        if answer.status_code == _UNAUTHORISED and again:
            self._account.token = None
            return await self._one(token, delivery, again=False)
        return _outcome(answer, token)

    async def _bearer(self) -> str:
        """An access token, renewed a few minutes before it expires."""
        async with self._lock:
            if not self._account.valid:
                await asyncio.to_thread(self._account.refresh, _Transport(self._timeout))
            return str(self._account.token)


# google-auth is typed in parts: these two are what it leaves untyped.
_unreachable: Any = google_errors.TransportError
_from_file: Any = service_account.Credentials.from_service_account_file


class _Transport(transport.Request):
    """google-auth's calls over httpx, with a timeout that ends."""

    def __init__(self, timeout: float) -> None:
        self._timeout = timeout

    def __call__(
        self,
        url: str,
        method: str = "GET",
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        timeout: float | None = None,
        **_: Any,
    ) -> Any:
        try:
            answer = httpx.request(
                method,
                url,
                content=body,
                headers=headers,
                timeout=timeout or self._timeout,
                trust_env=False,
            )
        except httpx.HTTPError as failure:
            raise _unreachable(type(failure).__name__) from None
        return _Answer(answer)


class _Answer(transport.Response):
    """What google-auth reads of an answer."""

    def __init__(self, answer: httpx.Response) -> None:
        self._answer = answer

    @property
    def status(self) -> int:
        return self._answer.status_code

    @property
    def headers(self) -> Mapping[str, str]:
        return self._answer.headers

    @property
    def data(self) -> bytes:
        return self._answer.content


def _account(path: Path) -> Any:
    try:
        made = _from_file(str(path), scopes=[_SCOPE])
    except (OSError, ValueError) as failure:
        # Only the kind of failure: the message of a broken file may quote from the key.
        raise LoginwardError(
            f"notifier.fcm_credentials_file: {path}: {type(failure).__name__}; it must be the JSON "
            "file of a Google service account that may send messages"
        ) from None
    if not made.project_id:
        raise LoginwardError(f"notifier.fcm_credentials_file: {path}: names no project_id")
    return made


def _message(token: str, delivery: Delivery) -> dict[str, Any]:
    message = delivery.message
    expires = str(int(delivery.expires_at.timestamp()))
    return {
        "token": token,
        "notification": {"title": message.title, "body": message.text},
        "data": {"notice_id": delivery.notice_id, "number": delivery.number},
        "android": {
            "priority": "HIGH",
            "ttl": f"{int(_SHORT_TTL.total_seconds())}s",
            "collapse_key": delivery.notice_id,
            # PRIVATE: the lock screen shows that there is a message, not which.
            "notification": {"tag": delivery.notice_id, "visibility": "PRIVATE"},
        },
        "apns": {
            # apns-expiration is a point in time, not a span.
            "headers": {
                "apns-priority": "10",
                "apns-expiration": expires,
                "apns-collapse-id": delivery.notice_id,
            },
            "payload": {"aps": {"thread-id": "login", "interruption-level": "time-sensitive"}},
        },
    }


def _outcome(answer: httpx.Response, token: str) -> Outcome:
    try:
        body = msgspec.json.decode(answer.content)
    except msgspec.DecodeError:
        body = {}
    if answer.is_success:
        name = body.get("name", "") if isinstance(body, dict) else ""
        return Outcome(result="accepted", provider_id=str(name)[-128:])
    code = _code(body) or f"http_{answer.status_code}"
    if answer.status_code == _TOO_MANY or answer.status_code >= _SERVER_FAULT:
        return Outcome(result="transient", code=code)
    if answer.status_code == _UNAUTHORISED:
        return Outcome(result="transient", code=code)
    dead = code in _DEAD or (answer.status_code == _NOT_FOUND and code == f"http_{_NOT_FOUND}")
    return Outcome(result="permanent", code=code, dead=(token,) if dead else ())


def _code(body: Any) -> str:
    """FCM's own error code in an answer."""
    try:
        error = body["error"]
        codes = [detail.get("errorCode", "") for detail in error.get("details", [])]
        return str(next(filter(None, codes), error.get("status", "")))[:40]
    except (KeyError, TypeError, AttributeError):
        return ""
