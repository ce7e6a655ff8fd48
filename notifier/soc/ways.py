"""The ways to a person: SMS and calls by Twilio, push by FCM, a signed webhook of their own."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final, Protocol
from urllib.parse import urlsplit, urlunsplit

import httpx

from config.roster import Way
from config.secret_files import read_password
from detectors.errors import LoginwardError, escaped
from notifier.signing import headers

_SCOPE: Final = "https://www.googleapis.com/auth/firebase.messaging"
_OK: Final = range(200, 300)


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One page, as each way needs it. `key` is the same for every try."""

    key: str
    text: str
    spoken: str
    facts: Mapping[str, Any]


class NotTaken(Exception):
    """A way did not take a message; its text is escaped and holds no address of a person."""


class Send(Protocol):
    """Hands a message to one address. Raises NotTaken."""

    async def __call__(self, address: str, message: Message, /) -> None:
        """Return when the provider has it; that is not yet the person."""
        ...


Ways = Mapping[Way, Send]


@dataclass(frozen=True, slots=True, kw_only=True)
class Twilio:
    """An account; `sender` is a number in E.164 or the SID of a messaging service."""

    account: str
    token: str
    sender: str
    base: str
    timeout: float

    async def sms(self, address: str, message: Message) -> None:
        """A text message."""
        await self._asked(
            lambda client: client.messages.create(to=address, from_=self.sender, body=message.text)
        )

    async def call(self, address: str, message: Message) -> None:
        """A call that says it twice: who is woken misses the first words."""
        await self._asked(
            lambda client: client.calls.create(
                to=address, from_=self.sender, twiml=_twice(message.spoken)
            )
        )

    async def _asked(self, ask: Callable[[Any], Any]) -> None:
        from twilio.base.exceptions import (  # noqa: PLC0415 (binds a socket when imported)
            TwilioException,
            TwilioRestException,
        )

        try:
            await asyncio.to_thread(
                lambda: ask(_client(self.account, self.token, self.base, self.timeout))
            )
        except TwilioRestException as failure:
            # Its message may name the number; code and status do not.
            raise NotTaken(f"twilio HTTP {failure.status}, code {failure.code}") from None
        except (TwilioException, OSError) as failure:
            raise NotTaken(f"twilio: {type(failure).__name__}") from None


def _client(account: str, token: str, base: str, timeout: float) -> Any:
    """Twilio's own client, which talks to `base` instead of where its paths point."""
    from twilio.http.http_client import (  # noqa: PLC0415 (binds a socket when imported)
        TwilioHttpClient,
    )
    from twilio.rest import Client  # noqa: PLC0415

    there = urlsplit(base)

    class Elsewhere(TwilioHttpClient):  # type: ignore[misc]  # twilio ships no types
        def request(self, method: str, url: str, *args: Any, **options: Any) -> Any:
            parts = urlsplit(url)._replace(scheme=there.scheme, netloc=there.netloc)
            return super().request(method, urlunsplit(parts), *args, **options)

    # Its own logger writes numbers and texts.
    silent = logging.Logger("twilio", logging.CRITICAL + 1)  # noqa: LOG001
    http = Elsewhere(timeout=timeout, max_retries=0, logger=silent)
    return Client(account, token, http_client=http)


def _twice(text: str) -> str:
    from twilio.twiml.voice_response import (  # noqa: PLC0415 (binds a socket when imported)
        VoiceResponse,
    )

    said = VoiceResponse()
    for _ in range(2):
        said.say(text, language="en-US")
        said.pause(length=1)
    return str(said)


@dataclass(frozen=True, slots=True, kw_only=True)
class Hook:
    """A webhook of a person or of a paging service, signed as the output's."""

    secret: bytes
    client: httpx.AsyncClient
    now: Callable[[], datetime]

    async def post(self, address: str, message: Message) -> None:
        """`{"schema", "type": "page", "idempotency_key", "text", "page"}`."""
        body = json.dumps(
            {
                "schema": 1,
                "type": "page",
                "idempotency_key": message.key,
                "text": message.text,
                "page": dict(message.facts),
            }
        ).encode()
        sent = headers(self.secret, body, self.now()) | {
            "Idempotency-Key": message.key,
            "Content-Type": "application/json",
        }
        await _posted(self.client, address, body, sent)


@dataclass(frozen=True, slots=True, kw_only=True)
class Push:
    """FCM HTTP v1; an address is a file that holds the APP's token."""

    account_file: Path
    base: str
    client: httpx.AsyncClient

    async def push(self, address: str, message: Message) -> None:
        """A notification of high priority, worthless after an hour."""
        from google.auth.exceptions import GoogleAuthError  # noqa: PLC0415
        from google.auth.transport.requests import (  # noqa: PLC0415 (binds a socket when imported)
            Request,
        )
        from google.oauth2.service_account import Credentials  # noqa: PLC0415

        try:
            credentials = Credentials.from_service_account_file(  # type: ignore[no-untyped-call]
                str(self.account_file), scopes=[_SCOPE]
            )
            await asyncio.to_thread(credentials.refresh, Request())
            token = read_password("push", Path(address))
        except (GoogleAuthError, LoginwardError, OSError, ValueError) as failure:
            raise NotTaken(f"push: {type(failure).__name__}") from None
        body = json.dumps(
            {
                "message": {
                    "token": token,
                    "notification": {"title": "loginward", "body": message.text},
                    "data": {"key": message.key},
                    "android": {"priority": "HIGH", "ttl": "3600s"},
                }
            }
        ).encode()
        url = f"{self.base}/v1/projects/{credentials.project_id}/messages:send"
        sent = {
            "Authorization": f"Bearer {credentials.token}",
            "Content-Type": "application/json",
        }
        await _posted(self.client, url, body, sent)


async def _posted(
    client: httpx.AsyncClient, url: str, body: bytes, sent: Mapping[str, str]
) -> None:
    try:
        async with client.stream(
            "POST", url, content=body, headers=dict(sent), follow_redirects=False
        ) as response:
            status = response.status_code
    except (httpx.HTTPError, httpx.InvalidURL) as failure:
        raise NotTaken(escaped(type(failure).__name__)) from None
    if status not in _OK:
        raise NotTaken(f"HTTP {status}")
