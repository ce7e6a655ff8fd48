"""SMS by Twilio's own client. At least once by nature: a lost answer is asked after, not repeated.

Twilio has no key that makes a repeat harmless. So where nobody knows whether an earlier attempt was
taken, its list of messages to this number is asked for the notice number first; only what is not
there is sent again. A list that lags is the one way in which a customer may get two (documented).
"""

from __future__ import annotations

import asyncio
import logging
from datetime import datetime, timedelta
from typing import Any, Final
from urllib.parse import urlsplit

import aiohttp
from twilio.base.exceptions import TwilioException, TwilioRestException

from config.notifier_section import NotifierSettings
from config.secret_files import read_password
from detectors.errors import LoginwardError

from .outcome import Delivery, Outcome

_OURS: Final = frozenset({20003, 20404, 20429, 21603, 21606, 21659})
"""Our account, sender or rate is at fault, not the customer's number: it may be mended, so wait."""
_DEAD: Final = frozenset({21211, 21217, 21610, 21612, 21614, 30005, 30006})
"""The number: invalid, unsubscribed (21610), unreachable, a landline (21614, 30006)."""
_TRANSIENT_REPORTS: Final = frozenset({30001, 30002, 30003, 30017, 30022, 30500})
_TOO_MANY: Final = 429
_SERVER_FAULT: Final = 500
_BAD_GATEWAYS: Final = frozenset({502, 504})
_SLACK: Final = timedelta(minutes=2)
"""Between Twilio's clock and ours."""
_LISTED: Final = 20
_SERVICE: Final = "MG"


class TwilioSms:
    """One SMS to the customer's number."""

    name: Final = "sms"

    def __init__(self, settings: NotifierSettings) -> None:
        self._settings = settings
        self._timeout = settings.call_timeout.total_seconds()
        if settings.twilio_account_sid is None or settings.twilio_token_file is None:
            raise LoginwardError("notifier.twilio_account_sid: is empty; there is no SMS then")
        self._token = read_password("notifier.twilio_token_file", settings.twilio_token_file)
        self._client: Any = None

    async def send(self, delivery: Delivery) -> Outcome:
        """Send once, unless an earlier attempt is found to have been taken."""
        to = delivery.contact.phone
        if to is None:
            return Outcome(result="permanent", code="no_phone")
        try:
            async with asyncio.timeout(self._timeout * 2):
                return await self._try(to, delivery)
        except TwilioRestException as failure:
            return refused(failure.status, failure.code, to)
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError):
            return Outcome(result="transient", code="unreachable")
        except (aiohttp.ClientError, TimeoutError, TwilioException):
            # Sent, and no answer that says what became of it.
            return Outcome(result="unknown", code="no_answer")

    async def _try(self, to: str, delivery: Delivery) -> Outcome:
        if delivery.unsure_since is not None:
            sid = await self._taken(to, delivery.number, delivery.unsure_since)
            if sid is not None:
                return Outcome(result="accepted", provider_id=sid, code="found")
        sender = str(self._settings.twilio_from)
        by = "messaging_service_sid" if sender.startswith(_SERVICE) else "from_"
        made = await self._connected().messages.create_async(
            to=to,
            body=delivery.message.text,
            **{by: sender},
            **(
                {"status_callback": self._settings.twilio_callback_url}
                if self._settings.twilio_callback_url
                else {}
            ),
        )
        return Outcome(result="accepted", provider_id=str(made.sid))

    async def close(self) -> None:
        """Close the connections."""
        if self._client is not None:
            await self._client.http_client.close()

    async def _taken(self, to: str, number: str, since: datetime) -> str | None:
        """The id of a message to this number that speaks of this notice."""
        found = await self._connected().messages.list_async(
            to=to, date_sent_after=since - _SLACK, limit=_LISTED
        )
        spoken = spoken_number(number)
        return next((str(one.sid) for one in found if spoken in str(one.body)), None)

    def _connected(self) -> Any:
        # The session belongs to the running loop, so it cannot be made before there is one.
        if self._client is None:
            settings = self._settings
            self._client = _connect(
                settings.twilio_account_sid, self._token, settings.twilio_url, self._timeout
            )
        return self._client


def _connect(account: str | None, token: str, base: str, timeout: float) -> Any:
    """Twilio's client towards the configured base URL, silent in the log, with a timeout."""
    # Imported when used: importing these binds a socket (urllib3 tries whether there is IPv6).
    from twilio.http.async_http_client import AsyncTwilioHttpClient  # noqa: PLC0415
    from twilio.rest import Client  # noqa: PLC0415

    class To(AsyncTwilioHttpClient):  # type: ignore[misc]  # twilio has no types
        async def request(
            self,
            method: str,
            url: str,
            params: Any = None,
            data: Any = None,
            headers: Any = None,
            auth: Any = None,
            timeout: Any = None,  # noqa: ARG002, ASYNC109 (ours holds)
            allow_redirects: bool = False,  # noqa: ARG002, FBT001, FBT002
        ) -> Any:
            parts = urlsplit(url)
            there = f"{base.rstrip('/')}{parts.path}" + (f"?{parts.query}" if parts.query else "")
            # Twilio's client makes the header by a class that aiohttp gives up.
            said = dict(headers or {})
            if auth is not None:
                said["Authorization"] = aiohttp.encode_basic_auth(*auth)
            return await super().request(
                method, there, params, data, said, None, self.timeout, allow_redirects=False
            )

    # One outside the tree of loggers: its own writes numbers and texts.
    silent = logging.Logger("twilio", logging.CRITICAL + 1)  # noqa: LOG001
    http = To(timeout=timeout, logger=silent)
    return Client(account, token, http_client=http, environment={"": ""})


def refused(status: int, code: int | None, to: str) -> Outcome:
    """Twilio's refusal of a message as an outcome."""
    said = str(code or f"http_{status}")
    if status in _BAD_GATEWAYS:
        # A gateway that lost its backend's answer: the backend may have taken the message.
        return Outcome(result="unknown", code=said)
    if status == _TOO_MANY or status >= _SERVER_FAULT or code in _OURS:
        return Outcome(result="transient", code=said)
    return Outcome(result="permanent", code=said, dead=(to,) if code in _DEAD else ())


def gone(code: int) -> bool:
    """Whether a delivery report's error code says that the number never works."""
    return code in _DEAD and code not in _TRANSIENT_REPORTS


def spoken_number(number: str) -> str:
    """A notice number as it stands in messages: in two groups, so that it is no one-time code."""
    return f"{number[:4]}-{number[4:]}"
