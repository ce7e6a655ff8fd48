"""The other ends of the demo: providers that take its messages, the firm's own hook, the contacts.

All on this machine's loopback, speaking the real protocols; every telephone and address is made up.
"""

from __future__ import annotations

import re
import secrets
import threading
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from config.settings import Settings
from deploy.embedded.ports import free_port
from detectors.errors import LoginwardError
from detectors.pseudonyms import Pseudonyms
from loadtest.population import Population
from loadtest.providers import FakeFcm, FakeSmtp, FakeTwilio
from loadtest.providers.serving import Serving
from notifier.contacts import ContactBook, Person

from .folder import DemoFolder

_LINK = re.compile(r"http://127\.0\.0\.1:\d+/\S+")
_PRIVATE = 0o600


class FirmHook(Serving):
    """The firm's system that holds orders and ends sessions after a "no"; it counts the calls."""

    def __init__(self) -> None:
        super().__init__()
        self.calls = 0

    def application(self) -> Starlette:
        """One route, which takes everything."""
        return Starlette(routes=[Route("/hold", self._hold, methods=["POST"])])

    async def _hold(self, request: Request) -> Response:
        await request.body()
        self.calls += 1
        return JSONResponse({"held": True})


@dataclass(slots=True)
class Told:
    """What customers were told so far, by channel, and what came of it."""

    push: int = 0
    sms: int = 0
    email: int = 0
    held: int = 0
    link: str | None = None
    """The newest answer page, as its customer got it by e-mail."""


@dataclass(slots=True)
class Telling:
    """The providers and the firm's hook while the block runs."""

    folder: DemoFolder
    fcm: FakeFcm = field(default_factory=FakeFcm)
    twilio: FakeTwilio = field(default_factory=FakeTwilio)
    smtp: FakeSmtp = field(default_factory=FakeSmtp)
    firm: FirmHook = field(default_factory=FirmHook)
    _running: ExitStack = field(default_factory=ExitStack)
    _book: threading.Thread | None = None
    _failure: LoginwardError | None = None

    def __enter__(self) -> Self:
        for server in (self.fcm, self.twilio, self.smtp, self.firm):
            self._running.enter_context(server)
        return self

    def __exit__(self, *_: object) -> None:
        if self._book is not None:
            self._book.join()
        self._running.close()

    def sections(self) -> dict[str, Mapping[str, object]]:
        """The settings with which notifier and answer page reach them."""
        page = free_port([])
        secret = self._secret("hook.secret", secrets.token_hex(16).encode())
        return {
            "notifier": {
                "answer_url": f"http://127.0.0.1:{page}",
                "fcm_credentials_file": str(self._secret("fcm.json", self.fcm.credentials())),
                "fcm_url": self.fcm.url,
                "twilio_account_sid": self.twilio.account,
                "twilio_token_file": str(self._secret("twilio", self.twilio.auth_token.encode())),
                "twilio_from": "+886900000000",
                "twilio_url": self.twilio.url,
                "smtp_host": "127.0.0.1",
                "smtp_port": self.smtp.port,
                "smtp_tls": "none",
                "smtp_from": "DemoSec <notice@broker.example>",
            },
            "answers": {
                "port": page,
                "webhook_url": f"{self.firm.url}/hold",
                "webhook_secret_file": str(secret),
            },
        }

    def load_contacts(self, settings: Settings, people: Population, names: Pseudonyms) -> None:
        """Fill the contact book beside everything else: it is read only when somebody is told."""

        def load() -> None:
            notifier = settings.notifier
            try:
                with closing(ContactBook.open(notifier.contacts, notifier.contacts_key_file)) as to:
                    to.replace(_persons(people), names)
            except LoginwardError as failure:
                self._failure = failure

        self._book = threading.Thread(target=load, name="contacts")
        self._book.start()

    @property
    def ready(self) -> bool:
        """Whether the contacts are loaded. Raises LoginwardError where they could not be."""
        if self._failure is not None:
            raise self._failure
        return self._book is not None and not self._book.is_alive()

    @property
    def told(self) -> Told:
        """What customers were told so far."""
        links = [found[0] for mail in self.smtp.sent if (found := _LINK.search(mail.text))]
        return Told(
            push=len(self.fcm.sent),
            sms=len(self.twilio.sent),
            email=len(self.smtp.sent),
            held=self.firm.calls,
            link=links[-1] if links else None,
        )

    def _secret(self, name: str, content: bytes) -> Path:
        folder = self.folder.root / "providers"
        folder.mkdir(mode=0o700, exist_ok=True)
        path = folder / name
        path.write_bytes(content)
        path.chmod(_PRIVATE)
        return path


def _persons(people: Population) -> Iterator[Person]:
    """Every simulated customer, with a telephone and an address that nobody has."""
    for number in range(people.size):
        yield Person(
            customer=f"C{number}",
            accounts=[people.account(number)],
            language="en" if number % 10 == 0 else "zh-TW",
            phone=f"+886900000{number % 1000:03d}",
            email=f"customer{number}@broker.example",
            push_tokens=[f"demo-phone-{number}"],
        )
