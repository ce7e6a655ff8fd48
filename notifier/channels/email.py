"""E-mail by SMTP: plain text first and complete, no remote image. A repeat has the same id."""

from __future__ import annotations

import asyncio
from email.message import EmailMessage
from email.utils import format_datetime, parseaddr
from typing import Final

import aiosmtplib

from config.notifier_section import NotifierSettings
from config.secret_files import read_password
from detectors.errors import LoginwardError

from .outcome import Delivery, Outcome

_PERMANENT: Final = 500
_GONE: Final = frozenset({550, 551, 553})


class Mailer:
    """One message to the customer's address."""

    name: Final = "email"

    def __init__(self, settings: NotifierSettings) -> None:
        if settings.smtp_host is None or settings.smtp_from is None:
            raise LoginwardError("notifier.smtp_host: is empty; there is no e-mail then")
        self._settings = settings
        self._from = settings.smtp_from
        self._domain = parseaddr(settings.smtp_from)[1].rpartition("@")[2] or "localhost"
        self._timeout = settings.call_timeout.total_seconds()
        file = settings.smtp_password_file
        self._password = (
            None if file is None else read_password("notifier.smtp_password_file", file)
        )

    async def send(self, delivery: Delivery) -> Outcome:
        """Send once. Until the text is on its way every failure leaves nothing behind."""
        to = delivery.contact.email
        if to is None:
            return Outcome(result="permanent", code="no_email")
        message = self.message(delivery, to)
        client = self._client()
        try:
            async with asyncio.timeout(self._timeout):
                await client.connect()
                await client.mail(parseaddr(self._from)[1])
                await client.rcpt(to)
        except aiosmtplib.SMTPResponseException as refusal:
            client.close()
            return _refused(refusal, to)
        except (aiosmtplib.SMTPException, OSError, TimeoutError) as failure:
            client.close()
            return Outcome(result="transient", code=_kind(failure))
        return await self._text(client, message, to)

    async def close(self) -> None:
        """Nothing stays open between messages."""

    def message(self, delivery: Delivery, to: str) -> EmailMessage:
        """The message; its id is the notice's, so that mailboxes show a repeat once."""
        message = EmailMessage()
        message["From"] = self._from
        message["To"] = to
        message["Subject"] = delivery.message.title
        message["Date"] = format_datetime(delivery.message.at)
        message["Message-ID"] = f"<{delivery.notice_id}.{delivery.message.name}@{self._domain}>"
        message["Auto-Submitted"] = "auto-generated"
        message["Content-Language"] = delivery.message.language
        message.set_content(delivery.message.text)
        if delivery.message.html:
            message.add_alternative(delivery.message.html, subtype="html")
        return message

    async def _text(self, client: aiosmtplib.SMTP, message: EmailMessage, to: str) -> Outcome:
        try:
            async with asyncio.timeout(self._timeout):
                answer = await client.data(message.as_bytes())
        except aiosmtplib.SMTPResponseException as refusal:
            return _refused(refusal, to)
        except (aiosmtplib.SMTPException, OSError, TimeoutError) as failure:
            return Outcome(result="unknown", code=_kind(failure))
        finally:
            client.close()
        # Postfix and most others: "250 2.0.0 Ok: queued as <id>".
        queued = answer.message.rpartition("queued as ")[2] if "queued as" in answer.message else ""
        return Outcome(result="accepted", provider_id=queued[:64])

    def _client(self) -> aiosmtplib.SMTP:
        settings = self._settings
        return aiosmtplib.SMTP(
            hostname=settings.smtp_host,
            port=settings.smtp_port,
            timeout=self._timeout,
            use_tls=settings.smtp_tls == "tls",
            start_tls=settings.smtp_tls == "starttls",
            username=settings.smtp_username,
            password=self._password,
        )


def _refused(refusal: aiosmtplib.SMTPResponseException, to: str) -> Outcome:
    """4yz: later. 5yz: never, and 550, 551, 553 on the recipient mean that nobody is there."""
    code = f"smtp_{refusal.code}"
    if refusal.code < _PERMANENT:
        return Outcome(result="transient", code=code)
    if isinstance(refusal, aiosmtplib.SMTPAuthenticationError):
        return Outcome(
            result="transient", code=code
        )  # our password: mended by us, not by the other
    recipient = isinstance(refusal, aiosmtplib.SMTPRecipientRefused)
    dead = (to,) if recipient and refusal.code in _GONE else ()
    return Outcome(result="permanent", code=code, dead=dead)


def _kind(failure: BaseException) -> str:
    return type(failure).__name__[:40]
