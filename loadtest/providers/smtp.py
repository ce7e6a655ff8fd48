"""A mail server that keeps what it is given."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any, Self

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP

from deploy.embedded.ports import free_port

from .faults import Faults

_READY_S = 60.0
"""How long its thread may take to listen: aiosmtpd gives it 5 s, a busy machine more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mail:
    """A message as the server took it."""

    sender: str
    to: str
    message: EmailMessage

    @property
    def subject(self) -> str:
        """Its subject, decoded."""
        return str(self.message["subject"])

    @property
    def text(self) -> str:
        """Its plain text."""
        part = self.message.get_body(("plain",))
        return "" if part is None else str(part.get_content())


class FakeSmtp:
    """Listens on loopback between `start` and `stop`; refuses recipients in `unknown`."""

    def __init__(self, port: int = 0) -> None:
        self.sent: list[Mail] = []
        self.faults = Faults()
        self.unknown: set[str] = set()
        self._wanted = port
        self._controller: Controller | None = None

    @property
    def port(self) -> int:
        """Where it listens."""
        assert self._controller is not None  # noqa: S101 (asked only between start and stop)
        return int(self._controller.port)

    def start(self) -> Self:
        """Listen."""
        # aiosmtpd connects to itself to see that it listens, so the port must be known before.
        port = self._wanted or free_port()
        self._controller = Controller(self, hostname="127.0.0.1", port=port, ready_timeout=_READY_S)
        self._controller.start()
        return self

    def stop(self) -> None:
        """Stop listening."""
        if self._controller is not None:
            self._controller.stop()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    async def handle_RCPT(  # noqa: N802 (aiosmtpd's name)
        self, _server: SMTP, _session: Any, envelope: Any, address: str, _options: list[str]
    ) -> str:
        """Take a recipient or refuse it for good."""
        if address in self.unknown:
            return "550 5.1.1 no such user"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: SMTP, _session: Any, envelope: Any) -> str:  # noqa: N802
        """Take a message, or do what is wrong today."""
        sent, fault = self.sent, self.faults.take()
        if fault is not None and fault.kind == "refuse":
            return f"{fault.status} {fault.code or '4.3.2'} not now"
        if fault is not None and fault.kind == "slow":
            await asyncio.sleep(fault.seconds)
        message = message_from_bytes(envelope.content, policy=policy.default)
        for to in envelope.rcpt_tos:
            sent.append(Mail(sender=envelope.mail_from, to=to, message=message))
        if fault is not None and fault.kind in {"lose", "hang"}:
            await asyncio.sleep(fault.seconds)
        return "451 4.3.0 lost" if fault is not None and fault.kind == "lose" else "250 OK"
