"""What customers got: a lost or second message is seen, a repeat that nobody sees is none."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path

import msgspec
import pytest

from config.kafka import ensure_topics
from config.settings import KafkaSettings, load
from detectors.notices import NoticeStep
from loadtest.chaos.customers import Customers, Got, verdict_id
from loadtest.chaos.notices import Book
from loadtest.providers import Mail, Push, Sms

STEP = NoticeStep(
    schema=1,
    notice_id="n1",
    seq=1,
    at="2026-11-25T00:00:00Z",
    state="planned",
    verdict_id=verdict_id(0),
    event_id="e",
    account="a",
    system="web",
    notice_risk="high",
)


@pytest.fixture
def kafka(kafka_bootstrap: str) -> KafkaSettings:
    """Give topics of the test's own."""
    environ = {"KAFKA_BOOTSTRAP": kafka_bootstrap, "LOGINWARD_KAFKA_TOPIC_PREFIX": "customers."}
    settings = load(environ=environ).kafka
    ensure_topics(settings)
    return settings


@pytest.fixture
def told(tmp_path: Path, kafka: KafkaSettings) -> Iterator[Customers]:
    """Give two customers who have been told: number 0 on all channels, number 1 by push."""
    with Customers(tmp_path / "customers", 2) as customers:
        customers.settings()
        asyncio.run(customers.tell(kafka, 2))
        assert not customers.settled()
        customers.fcm.sent += [push("chaos-phone-0", "n0"), push("chaos-phone-1", "n1")]
        customers.smtp.sent.append(mail("chaos0@broker.example", "n0"))
        customers.twilio.sent.append(sms("+886900000000", "1234-5678"))
        yield customers


def push(token: str, tag: str) -> Push:
    """A push of a notice to a phone."""
    return Push(token=token, title="t", body="b", tag=tag, data={})


def mail(to: str, notice_id: str) -> Mail:
    """A mail of a notice."""
    message = EmailMessage()
    message["Message-ID"] = f"<{notice_id}@broker.example>"
    return Mail(sender="notice@broker.example", to=to, message=message)


def sms(to: str, number: str) -> Sms:
    """An SMS that names a notice's number, as it stands between other signs."""
    text = f"編號{number}。"
    at = datetime(2026, 11, 25, tzinfo=UTC)
    return Sms(sid="SM1", to=to, sender="+886900000000", text=text, callback="", at=at)


def test_what_arrived_once_or_is_seen_once_is_fine(told: Customers) -> None:
    """A push with the same tag and a mail with the same id replace themselves."""
    told.fcm.sent.append(push("chaos-phone-0", "n0"))
    told.smtp.sent.append(mail("chaos0@broker.example", "n0"))

    assert (told.got(), told.settled()) == (Got(), True)


def test_second_and_lost_messages_are_counted(told: Customers) -> None:
    """A second push, a mail to somebody nobody told of, an SMS twice, a mail that never came."""
    told.fcm.sent.append(push("chaos-phone-1", "another"))
    told.smtp.sent[0] = replace(told.smtp.sent[0], to="chaos7@broker.example")
    told.twilio.sent.append(told.twilio.sent[0])

    assert told.got() == Got(lost=1, doubled=2, sms_doubled=1)


def test_a_login_with_two_notices_or_a_step_with_two_contents_is_seen() -> None:
    """Records that come again are the same; a verdict without a record is missing."""
    book = Book()
    for step in (STEP, STEP, msgspec.structs.replace(STEP, seq=2, state="queued")):
        book.add(msgspec.json.encode(step))
    assert (book.doubled, book.missing([verdict_id(0), verdict_id(1)])) == (0, 1)

    book.add(msgspec.json.encode(msgspec.structs.replace(STEP, notice_id="n2")))
    book.add(msgspec.json.encode(msgspec.structs.replace(STEP, seq=2, state="failed")))
    assert book.doubled == 2
