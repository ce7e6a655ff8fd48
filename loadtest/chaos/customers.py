"""Customers of the trial: who is told, by providers on loopback, and what each of them got.

A trial's own logins are days old and wake nobody (promise 7), so the notifier is fed beside them:
each fault comes with a few verdicts of logins of now, each on a customer of its own. Whatever is
broken, each customer must get their messages, and none a second one.
"""

from __future__ import annotations

import re
import secrets
from collections import Counter, defaultdict
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Self

from aiokafka import AIOKafkaProducer

from config.kafka import producer_options, topic_name
from config.settings import KafkaSettings
from detectors import verdicts
from detectors.events import rfc3339
from detectors.pseudonyms import KEY_BYTES, Pseudonyms
from detectors.verdicts import NoticeRisk, Verdict

from ..providers import FakeFcm, FakeSmtp, FakeTwilio
from .pipeline import Pipeline

_MARK = "chaos-told-"
_NUMBER = re.compile(r"(?<!\d)\d{4}-\d{4}(?!\d)")
"""A notice number as it stands in an SMS."""
_PHONES = 1000
_PRIVATE = 0o600
CALL_TIMEOUT_S = 2.0
_COURSES: tuple[tuple[NoticeRisk, ...], ...] = (("high",), ("ask",), ("ask", "high"), ("high",))
"""What is said of one login, record after record; each record comes twice."""


def is_told(event_id: str) -> bool:
    """Whether a verdict is one of ours, of which no login stands in `logins`."""
    return event_id.startswith(_MARK)


@dataclass(slots=True)
class Got:
    """What all customers got. A push that replaces itself and a mail with one id are one."""

    lost: int = 0
    """Customers that a message did not reach on a channel on which it should."""
    doubled: int = 0
    """Second notices: another push beside the first, another mail, or somebody nobody told of."""
    sms_doubled: int = 0
    """SMS sent twice: at least once by nature, but its list of messages is asked first."""


@dataclass(slots=True)
class Customers:
    """The customers, their providers while the block runs, and what they were to be told."""

    folder: Path
    many: int
    fcm: FakeFcm = field(default_factory=FakeFcm)
    twilio: FakeTwilio = field(default_factory=FakeTwilio)
    smtp: FakeSmtp = field(default_factory=FakeSmtp)
    _told: list[NoticeRisk] = field(default_factory=list)
    _key: bytes = b""
    _running: ExitStack = field(default_factory=ExitStack)

    def __enter__(self) -> Self:
        self.folder.mkdir(parents=True, exist_ok=True)
        for server in (self.fcm, self.twilio, self.smtp):
            self._running.enter_context(server)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._running.close()

    def settings(self) -> dict[str, str]:
        """With which the notifier reaches them; short waits, and no cap that a trial would meet."""
        credentials = self._file("fcm.json", self.fcm.credentials())
        token = self._file("twilio", self.twilio.auth_token.encode())
        self._key = secrets.token_bytes(KEY_BYTES)
        key = self._file("pseudonym.key", self._key.hex().encode())
        return {
            "LOGINWARD_PSEUDONYM_KEY_FILE": str(key),
            "LOGINWARD_NOTIFIER_FCM_CREDENTIALS_FILE": str(credentials),
            "LOGINWARD_NOTIFIER_FCM_URL": self.fcm.url,
            "LOGINWARD_NOTIFIER_TWILIO_ACCOUNT_SID": self.twilio.account,
            "LOGINWARD_NOTIFIER_TWILIO_TOKEN_FILE": str(token),
            "LOGINWARD_NOTIFIER_TWILIO_FROM": "+886900000000",
            "LOGINWARD_NOTIFIER_TWILIO_URL": self.twilio.url,
            "LOGINWARD_NOTIFIER_SMTP_HOST": "127.0.0.1",
            "LOGINWARD_NOTIFIER_SMTP_PORT": str(self.smtp.port),
            "LOGINWARD_NOTIFIER_SMTP_TLS": "none",
            "LOGINWARD_NOTIFIER_SMTP_FROM": "DemoSec <notice@broker.example>",
            "LOGINWARD_NOTIFIER_CALL_TIMEOUT": f"{CALL_TIMEOUT_S:.0f}s",
            "LOGINWARD_NOTIFIER_FALLBACK_AFTER": "10s",
            "LOGINWARD_NOTIFIER_UNSEEN_AFTER": "0s",
            "LOGINWARD_NOTIFIER_SMS_PER_DAY": "100",
            "LOGINWARD_NOTIFIER_SMS_PER_HOUR": "1000000",
        }

    def load(self, pipeline: Pipeline) -> None:
        """Fill the contact book as a firm would."""
        path = self.folder / "contacts.csv"
        lines = (
            f"{_account(n)},C{n},{_phone(n)},{_email(n)},zh-TW,{_token(n)}"
            for n in range(self.many)
        )
        head = "account,customer,phone,email,language,push_token"
        path.write_text("\n".join([head, *lines]) + "\n")
        pipeline.run("customers", "contacts", "load", str(path))

    async def tell(self, kafka: KafkaSettings, many: int) -> None:
        """Say of the next `many` customers that somebody has logged in; each record twice."""
        first = len(self._told)
        numbers = range(first, min(self.many, first + many))
        producer = AIOKafkaProducer(**producer_options(kafka))
        await producer.start()
        try:
            for number in numbers:
                for risk in _COURSES[number % len(_COURSES)]:
                    one = self._verdict(number, risk)
                    key, value = one.verdict_id.encode(), verdicts.encode(one)
                    for _ in range(2):
                        await producer.send(topic_name(kafka, "verdicts"), value, key=key)
                self._told.append(_COURSES[number % len(_COURSES)][-1])
            await producer.flush()
        finally:
            await producer.stop()

    def _verdict(self, number: int, risk: NoticeRisk) -> Verdict:
        return Verdict(
            event_id=f"{_MARK}{number}",
            verdict_id=verdict_id(number),
            occurred_at=rfc3339(datetime.now(tz=UTC)),
            account=Pseudonyms(self._key).account(_account(number)),
            notice_risk=risk,
            rules=["new_device_and_place"],
            system="trading-web",
            channel="web",
            country="JP",
            device=f"d{number}",
        )

    @property
    def told(self) -> int:
        """Of how many logins customers were to be told so far."""
        return len(self._told)

    def settled(self) -> bool:
        """Whether everybody has got what they should."""
        return self.got().lost == 0

    def got(self) -> Got:
        """What everybody has got so far."""
        tags: dict[str, set[str]] = defaultdict(set)
        mails: dict[str, set[str]] = defaultdict(set)
        texts: dict[str, Counter[str]] = defaultdict(Counter)
        for push in list(self.fcm.sent):
            tags[push.token].add(push.tag)
        for mail in list(self.smtp.sent):
            mails[mail.to].add(str(mail.message["Message-ID"]))
        for sms in list(self.twilio.sent):
            texts[sms.to].update(_NUMBER.findall(sms.text)[:1])
        found = Got()
        wanted_sms: Counter[str] = Counter()
        for number, risk in enumerate(self._told):
            reached = (_token(number) in tags, _email(number) in mails)
            wanted_sms[_phone(number)] += risk == "high"
            if risk == "high":
                found.lost += reached.count(False)
            else:
                found.lost += int(not (any(reached) or _phone(number) in texts))
        found.lost += sum(
            max(0, many - len(texts[phone])) for phone, many in wanted_sms.items() if many
        )
        for ways in (tags, mails):
            found.doubled += sum(len(ids) - 1 for ids in ways.values())
        known = {_token(n) for n in range(self.told)} | {_email(n) for n in range(self.told)}
        found.doubled += len((set(tags) | set(mails)) - known)
        found.sms_doubled = sum(sum(one.values()) - len(one) for one in texts.values())
        return found

    def _file(self, name: str, content: bytes) -> Path:
        path = self.folder / name
        path.write_bytes(content)
        path.chmod(_PRIVATE)
        return path


def verdict_id(number: int) -> str:
    """The id of the verdict on a customer's login."""
    return f"{number + 1:016x}"


def _account(number: int) -> str:
    return f"K{number:09d}"


def _token(number: int) -> str:
    return f"chaos-phone-{number}"


def _email(number: int) -> str:
    return f"chaos{number}@broker.example"


def _phone(number: int) -> str:
    return f"+886900000{number % _PHONES:03d}"
