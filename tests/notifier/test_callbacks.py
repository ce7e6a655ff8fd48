"""What comes to the status callback: signed by Twilio, again and in any order; nothing forged."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.applications import Starlette

from detectors.verdicts import NoticeRisk
from notifier.callbacks import StatusCallbacks

from .harness import PHONE, Harness, Providers

URL = "https://notice.broker.example/twilio/status"
LOCAL = "http://127.0.0.1/twilio/status"
NotifierFactory = Callable[..., Harness]


class Posted:
    """A notifier with one SMS out, and its endpoint."""

    def __init__(self, notifier: Harness, providers: Providers, risk: NoticeRisk = "high") -> None:
        self.notifier = notifier
        self.twilio = providers.twilio
        notifier.take(notifier.verdict(notice_risk=risk))
        notifier.work()
        self.sid = providers.twilio.sent[0].sid
        routes = StatusCallbacks(
            notifier.ledger,
            notifier.contacts,
            url=URL,
            account=self.twilio.account,
            token=self.twilio.auth_token,
            now=notifier.clock,
            metrics=notifier.metrics,
        ).routes()
        self.application = Starlette(routes=routes)

    def fields(self, status: str, **more: str) -> dict[str, str]:
        """A callback's fields."""
        return {
            "MessageSid": self.sid,
            "MessageStatus": status,
            "AccountSid": self.twilio.account,
            "To": PHONE,
        } | more

    def post(self, fields: dict[str, str], signature: str | None = None) -> int:
        """Post as Twilio does; the status."""
        signed = self.twilio.signature(URL, fields) if signature is None else signature
        return self.raw(str(httpx.QueryParams(fields)).encode(), signed)

    def raw(self, body: bytes, signature: str, method: str = "POST") -> int:
        """Send any bytes; the status."""

        async def call() -> int:
            transport = httpx.ASGITransport(app=self.application)
            async with httpx.AsyncClient(transport=transport) as client:
                headers = {
                    "X-Twilio-Signature": signature,
                    "Content-Type": "application/x-www-form-urlencoded",
                }
                answer = await client.request(method, LOCAL, content=body, headers=headers)
                return answer.status_code

        return asyncio.run(call())

    def sms(self) -> list[tuple[str, str]]:
        """State and reason of every step of the SMS."""
        return [(state, why) for channel, state, why in self.notifier.told() if channel == "sms"]


@pytest.fixture
def posted(notifier_with: NotifierFactory, providers: Providers) -> Posted:
    """Give a notifier whose SMS is out and accepted."""
    return Posted(notifier_with(twilio_callback_url=URL), providers)


def test_a_report_of_the_carrier_moves_the_notice(posted: Posted) -> None:
    """`delivered` is the carrier's word, which is all there is in Taiwan: never `handset`."""
    assert posted.twilio.sent[0].callback == URL
    assert posted.post(posted.fields("sent")) == 204
    assert posted.post(posted.fields("delivered", RawDlrDoneDate="2611220401")) == 204

    assert posted.sms() == [("queued", ""), ("accepted", ""), ("carrier", "delivered")]


def test_a_forged_callback_changes_nothing(posted: Posted) -> None:
    """Wrong key, wrong URL, changed field, no signature, another account: 403, no step."""
    before, fields = posted.notifier.told(), posted.fields("failed", ErrorCode="30006")
    other = posted.fields("failed", AccountSid="AC" + "1" * 32)

    forged = [
        posted.post(fields, posted.twilio.signature(URL, fields, token="guess")),
        posted.post(fields, posted.twilio.signature(URL + "x", fields)),
        posted.post(fields, posted.twilio.signature(URL, posted.fields("delivered"))),
        posted.post(fields, ""),
        posted.post(fields, "\x00"),
        posted.post(other),
        posted.raw(b"", ""),
        posted.raw(b"\xff\xfe=%zz&&&=", "x"),
    ]

    assert set(forged) <= {400, 403}
    assert forged[:6] == [403] * 6
    assert posted.notifier.told() == before
    contact = posted.notifier.contacts.find(posted.notifier.verdict().account)
    assert contact is not None
    assert contact.phone == PHONE


def test_a_name_that_stands_twice_is_refused(posted: Posted) -> None:
    """The signature of the first value must not carry a second one in."""
    fields = posted.fields("sent")
    body = str(httpx.QueryParams(fields)) + "&MessageStatus=failed"

    assert posted.raw(body.encode(), posted.twilio.signature(URL, fields)) == 403
    assert posted.raw(body.encode(), posted.twilio.signature(URL, posted.fields("failed"))) == 403


def test_replayed_and_reordered_reports_change_nothing(posted: Posted) -> None:
    """`sent` after `delivered`, and each of them again: taken, kept, no step."""
    for status in ("delivered", "sent", "queued", "delivered", "undelivered"):
        assert posted.post(posted.fields(status)) == 204

    assert posted.sms() == [("queued", ""), ("accepted", ""), ("carrier", "delivered")]


def test_a_late_failure_brings_the_next_channel_and_marks_the_number(
    notifier_with: NotifierFactory, providers: Providers
) -> None:
    """Undelivered to a landline: the e-mail goes out now, and the number is not used again."""
    notifier = notifier_with(twilio_callback_url=URL)
    notifier.contacts.mark_dead("phone-token-1", "UNREGISTERED", 0)
    posted = Posted(notifier, providers, risk="ask")
    assert providers.sent() == {"app": 0, "sms": 1, "email": 0}

    assert posted.post(posted.fields("undelivered", ErrorCode="30006")) == 204
    notifier.work(timedelta(seconds=10))

    assert providers.sent() == {"app": 0, "sms": 1, "email": 1}
    contact = notifier.contacts.find(notifier.verdict().account)
    assert contact is not None
    assert contact.phone is None
    assert ("failed", "30006") in posted.sms()


def test_a_report_that_overtakes_its_own_send_is_kept(posted: Posted) -> None:
    """The callback may come before the provider's answer: it counts once the id is known."""
    early = posted.fields("delivered", MessageSid="SMearly")

    assert posted.post(early) == 204
    posted.notifier.take(posted.notifier.verdict(2, who=2, notice_risk="high"))
    send_id = posted.notifier.ledger.due_sends(posted.notifier.clock.at, 10)[1]
    send = posted.notifier.ledger.claim_send(
        send_id, posted.notifier.clock.at, timedelta(seconds=9)
    )
    assert send is not None
    with posted.notifier.ledger.transaction():
        posted.notifier.ledger.end_send(
            send, "accepted", posted.notifier.clock.at, provider_id="SMearly"
        )
        posted.notifier.ledger.step(
            send.notice_id, "accepted", posted.notifier.clock.at, channel=send.channel
        )
        posted.notifier.ledger.catch_up("SMearly")

    states = [step.state for step in posted.notifier.steps() if step.notice_id == send.notice_id]
    assert states[-2:] == ["accepted", "carrier"]


def test_only_a_bounded_post_is_read(posted: Posted) -> None:
    """A megabyte, a thousand fields, another method: refused without a look."""
    assert posted.raw(b"a=" + b"x" * 1_000_000, "x") == 413
    assert posted.raw(b"&".join(b"a%d=1" % n for n in range(1000)), "x") == 400
    assert posted.raw(b"", "x", "GET") == 405


PIECES = (
    b"MessageSid=",
    b"&MessageStatus=delivered",
    b"&AccountSid=AC",
    b"&To=%2B886900000001",
    b"&ErrorCode=99999999999999999999",
    b"&RawDlrDoneDate=",
    b"%ff%00",
    b"=&=&",
)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    body=st.lists(st.sampled_from(PIECES) | st.binary(max_size=20), max_size=8).map(b"".join),
    signature=st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=40),
)
def test_any_bytes_with_any_signature_are_refused(
    posted: Posted, body: bytes, signature: str
) -> None:
    """Nothing that Twilio has not signed is more than a number in a metric."""
    before = posted.notifier.told()

    assert posted.raw(body, signature) in {400, 403}
    assert posted.notifier.told() == before


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    status=st.sampled_from(["sent", "delivered", "failed", "undelivered", "read"])
    | st.text(max_size=9),
    code=st.text(max_size=30),
    done=st.text(max_size=30),
)
def test_signed_reports_of_any_content_are_taken_or_refused(
    posted: Posted, status: str, code: str, done: str
) -> None:
    """A field that means nothing to us is no fault of ours."""
    fields = posted.fields(status, ErrorCode=code, RawDlrDoneDate=done)

    assert posted.post(fields) in {204, 400}
