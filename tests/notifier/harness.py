"""The notifier without Kafka: real ledger, real channels, local servers, a clock in the hand."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from prometheus_client import CollectorRegistry

from config.settings import Settings, load
from detectors import verdicts as wire
from detectors.events import rfc3339
from detectors.notices import NoticeStep, decode_step
from detectors.pseudonyms import Pseudonyms
from detectors.verdicts import Verdict
from loadtest.providers import FakeFcm, FakeSmtp, FakeTwilio
from notifier import metrics as published
from notifier.contacts import ContactBook, Person
from notifier.intake import Intake
from notifier.ledger import Ledger
from notifier.ledger_records import Language
from notifier.sender import Sender, Wording
from notifier.service import channels_of, limits_of

NAMES = Pseudonyms(bytes(range(32)))
TYPED = "A123456789"
PHONE = "+886900000123"
EMAIL = "customer@example.com"
TOKEN = "phone-token-1"


@dataclass(slots=True)
class Clock:
    """Time as the test sets it."""

    at: datetime = field(default_factory=lambda: datetime.now(tz=UTC).replace(microsecond=0))

    def __call__(self) -> datetime:
        """Now."""
        return self.at

    def advance(self, span: timedelta) -> None:
        """Let time pass."""
        self.at += span


@dataclass(slots=True, kw_only=True)
class Providers:
    """The three local servers."""

    fcm: FakeFcm
    twilio: FakeTwilio
    smtp: FakeSmtp

    def reset(self) -> None:
        """Forget what was sent and what was to go wrong."""
        for one in (self.fcm, self.twilio, self.smtp):
            one.sent = []  # a new list: a slow call of the last test still writes into the old one
            one.faults.take()
            one.faults.always = None
            while one.faults.left:
                one.faults.take()
        self.fcm.unregistered.clear()
        self.smtp.unknown.clear()
        self.twilio.listed = True

    def sent(self) -> dict[str, int]:
        """How many messages each took."""
        return {
            "app": len(self.fcm.sent),
            "sms": len(self.twilio.sent),
            "email": len(self.smtp.sent),
        }


def environment(home: Path, providers: Providers, **more: str) -> dict[str, str]:
    """Settings for all three channels towards the local servers, with their secrets in files."""
    secrets = home / "secrets"
    secrets.mkdir(exist_ok=True)
    (secrets / "fcm.json").write_bytes(providers.fcm.credentials())
    (secrets / "twilio").write_text(providers.twilio.auth_token)
    return {
        "LOGINWARD_HOME": str(home),
        "LOGINWARD_NOTIFIER_FCM_CREDENTIALS_FILE": str(secrets / "fcm.json"),
        "LOGINWARD_NOTIFIER_FCM_URL": providers.fcm.url,
        "LOGINWARD_NOTIFIER_TWILIO_ACCOUNT_SID": providers.twilio.account,
        "LOGINWARD_NOTIFIER_TWILIO_TOKEN_FILE": str(secrets / "twilio"),
        "LOGINWARD_NOTIFIER_TWILIO_FROM": "+886900000000",
        "LOGINWARD_NOTIFIER_TWILIO_URL": providers.twilio.url,
        "LOGINWARD_NOTIFIER_SMTP_HOST": "127.0.0.1",
        "LOGINWARD_NOTIFIER_SMTP_PORT": str(providers.smtp.port),
        "LOGINWARD_NOTIFIER_SMTP_TLS": "none",
        "LOGINWARD_NOTIFIER_SMTP_FROM": "DemoSec <notice@broker.example>",
        "LOGINWARD_NOTIFIER_CALL_TIMEOUT": "1s",
    } | more


def customer(number: int = 0, language: Language = "zh-TW") -> Person:
    """A customer with all three channels; number 0 is the one of TYPED."""
    return Person(
        customer=f"C{number}",
        accounts=[account(number)],
        language=language,
        phone=f"+8869000001{number:02d}" if number else PHONE,
        email=f"c{number}@example.com" if number else EMAIL,
        push_tokens=[f"token-{number}" if number else TOKEN],
    )


def account(number: int = 0) -> str:
    """The account as its customer types it."""
    return f"B{number:09d}" if number else TYPED


class Harness:
    """One notifier's parts over one folder."""

    def __init__(self, home: Path, environ: Mapping[str, str], clock: Clock | None = None) -> None:
        self.settings: Settings = load(environ=environ)
        self.clock = clock or Clock()
        notifier = self.settings.notifier
        self.ledger = Ledger.open(notifier.ledger)
        self.contacts = ContactBook.open(notifier.contacts, notifier.contacts_key_file)
        self.metrics = published.build(CollectorRegistry())
        limits = limits_of(notifier)
        self.channels = channels_of(notifier)
        self.intake = Intake(
            ledger=self.ledger,
            contacts=self.contacts,
            channels=self.channels,
            limits=limits,
            now=self.clock,
            metrics=self.metrics,
        )
        self.sender = Sender(
            ledger=self.ledger,
            contacts=self.contacts,
            channels=self.channels,
            limits=limits,
            wording=Wording(firm_zh=notifier.firm_zh, firm_en=notifier.firm_en),
            lease=notifier.call_timeout * 3,
            now=self.clock,
            metrics=self.metrics,
        )

    def take(self, *verdicts: Verdict) -> None:
        """Let verdicts arrive."""
        self.intake.take([wire.encode(verdict) for verdict in verdicts])

    def verdict(self, number: int = 1, who: int = 0, **changed: Any) -> Verdict:
        """A verdict of a minute ago on a customer's account."""
        return self.verdict_at(self.clock.at, number, who, **changed)

    @staticmethod
    def verdict_at(at: datetime, number: int = 1, who: int = 0, **changed: Any) -> Verdict:
        """A verdict of a minute before `at`."""
        facts: dict[str, Any] = {
            "event_id": f"e{number}",
            "verdict_id": f"{number:016x}",
            "occurred_at": rfc3339(at - timedelta(minutes=1)),
            "account": NAMES.account(account(who)),
            "notice_risk": "ask",
            "rules": ["new_device_and_place"],
            "system": "trading-web",
            "channel": "web",
            "country": "JP",
            "device": f"d{number}",
        }
        return Verdict(**(facts | changed))

    def work(self, span: timedelta = timedelta(0), step: timedelta = timedelta(seconds=5)) -> None:
        """Send what is due now and, in steps, in the next `span`."""
        asyncio.run(self._work(span, step))

    async def _work(self, span: timedelta, step: timedelta) -> None:
        end = self.clock.at + span
        while True:
            while self.sender.start_due():
                await self.sender.finish()
            if self.clock.at >= end:
                break
            self.clock.advance(min(step, end - self.clock.at))
        for channel in self.channels.values():
            await channel.close()
        # The sessions belonged to this loop; the next one makes its own.
        self.channels.update(channels_of(self.settings.notifier))

    def steps(self) -> list[NoticeStep]:
        """Every step that waits for Kafka."""
        return [
            decode_step(one.value)
            for one in self.ledger.outgoing(100_000)
            if one.topic == "notices"
        ]

    def told(self) -> list[tuple[str | None, str, str]]:
        """Channel, state and reason of every step."""
        return [(step.channel, step.state, step.reason) for step in self.steps()]

    def close(self) -> None:
        """Close the files."""
        self.ledger.close()
        self.contacts.close()
