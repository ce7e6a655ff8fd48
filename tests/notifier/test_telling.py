"""From a verdict to the customer's phone and mailbox, over the providers' own protocols."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from detectors.verdicts import Verdict
from loadtest.providers import Fault
from notifier.links import answer_links
from notifier.locked import LOCKED_TASK, plan_locked
from notifier.messages import taipei
from notifier.tokens import fingerprint

from .harness import EMAIL, PHONE, TOKEN, Harness, Providers

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
NotifierFactory = Callable[..., Harness]


def test_an_ask_goes_to_the_app_alone_while_it_is_fresh(
    notifier: Harness, providers: Providers
) -> None:
    """Push first; its text shows the time and nothing else."""
    notifier.take(notifier.verdict())
    notifier.work(9 * MINUTE)

    assert providers.sent() == {"app": 1, "sms": 0, "email": 0}
    (push,) = providers.fcm.sent
    (number,) = {push.data["number"]}
    assert push.token == TOKEN
    assert push.title.startswith("範例證券 登入通知 ")
    assert "***" not in push.title + push.body
    assert number not in push.title + push.body


def test_what_the_app_has_not_shown_goes_by_sms_and_then_by_mail(
    notifier: Harness, providers: Providers
) -> None:
    """Accepted is not seen: ten minutes later the SMS goes out, ten more the e-mail."""
    notifier.take(notifier.verdict())
    notifier.work(11 * MINUTE)
    assert providers.sent() == {"app": 1, "sms": 1, "email": 0}

    notifier.work(11 * MINUTE)
    assert providers.sent() == {"app": 1, "sms": 1, "email": 1}
    assert (providers.twilio.sent[0].to, providers.smtp.sent[0].to) == (PHONE, EMAIL)
    number = providers.fcm.sent[0].data["number"]
    spoken = f"{number[:4]}-{number[4:]}"
    assert spoken in providers.twilio.sent[0].text
    assert spoken in providers.smtp.sent[0].text


def test_what_the_app_has_shown_goes_nowhere_else(notifier: Harness, providers: Providers) -> None:
    """The phone says that it was displayed: no SMS, no e-mail."""
    notifier.take(notifier.verdict())
    notifier.work()
    (step, *_) = notifier.steps()
    notifier.ledger.step(step.notice_id, "displayed", notifier.clock.at, channel="app")

    notifier.work(30 * MINUTE)

    assert providers.sent() == {"app": 1, "sms": 0, "email": 0}


def test_high_goes_to_all_channels_at_once(notifier: Harness, providers: Providers) -> None:
    """A takeover waits for nobody, and each channel has its say in the ledger."""
    notifier.take(notifier.verdict(notice_risk="high", rules=["success_after_attack"]))
    notifier.work()

    assert providers.sent() == {"app": 1, "sms": 1, "email": 1}
    accepted = [step for step in notifier.steps() if step.state == "accepted"]
    assert {step.channel for step in accepted} == {"app", "sms", "email"}
    assert all(step.template.startswith("takeover/") for step in accepted)
    assert all(len(step.rendered_sha256) == 64 for step in accepted)
    sms = next(step for step in accepted if step.channel == "sms")
    assert sms.provider_id == providers.twilio.sent[0].sid


@pytest.mark.parametrize(
    ("fault", "within"),
    [
        pytest.param(Fault(kind="refuse", status=429), 2 * MINUTE, id="429"),
        pytest.param(Fault(kind="refuse", status=500), 2 * MINUTE, id="500"),
        pytest.param(Fault(kind="slow", seconds=3), 2 * MINUTE, id="slow"),
        pytest.param(Fault(kind="refuse", status=400, code=21610), MINUTE, id="permanent"),
    ],
)
def test_a_provider_that_fails_hands_over_to_the_next_in_time(
    notifier: Harness, providers: Providers, fault: Fault, within: timedelta
) -> None:
    """However the push fails for good, the SMS is there after at most two minutes."""
    providers.fcm.faults.always = fault

    notifier.take(notifier.verdict())
    notifier.work(within, step=10 * timedelta(seconds=1))

    assert providers.sent()["sms"] == 1
    assert providers.sent()["email"] == 0


def test_an_sms_that_was_taken_without_an_answer_is_not_sent_again(
    notifier: Harness, providers: Providers
) -> None:
    """Timeout after accept: the provider is asked, the message found, its id kept."""
    providers.twilio.faults.add(Fault(kind="hang", seconds=4))

    notifier.take(notifier.verdict(notice_risk="high"))
    notifier.work(2 * MINUTE)

    assert providers.sent() == {"app": 1, "sms": 1, "email": 1}
    accepted = [
        step for step in notifier.steps() if (step.channel, step.state) == ("sms", "accepted")
    ]
    assert [step.provider_id for step in accepted] == [providers.twilio.sent[0].sid]


def test_a_repeat_of_push_and_mail_is_known_as_one(notifier: Harness, providers: Providers) -> None:
    """Taken without an answer and sent again: the push replaces itself, the mail has one id."""
    providers.fcm.faults.add(Fault(kind="hang", seconds=4))
    providers.smtp.faults.add(Fault(kind="hang", seconds=4))

    notifier.take(notifier.verdict(notice_risk="high"))
    notifier.work(2 * MINUTE)

    assert len({push.tag for push in providers.fcm.sent}) == 1
    assert len({mail.message["message-id"] for mail in providers.smtp.sent}) == 1
    assert len(providers.fcm.sent) == len(providers.smtp.sent) == 2


def test_a_graver_verdict_grows_the_same_notice(notifier: Harness, providers: Providers) -> None:
    """The push is replaced, SMS and e-mail are added; no channel gets a second message."""
    notifier.take(notifier.verdict())
    notifier.work()
    notifier.take(notifier.verdict(notice_risk="high", rules=["success_after_attack"]))
    notifier.work(HOUR, step=10 * MINUTE)

    assert providers.sent() == {"app": 2, "sms": 1, "email": 1}
    assert len({push.tag for push in providers.fcm.sent}) == 1
    assert len({step.notice_id for step in notifier.steps()}) == 1
    assert "重要" in providers.fcm.sent[1].title


def test_an_sms_that_is_out_is_not_sent_again_by_a_graver_verdict(
    notifier: Harness, providers: Providers
) -> None:
    """Push and SMS have gone out; the takeover replaces the push, adds the mail, and no SMS."""
    notifier.take(notifier.verdict())
    notifier.work(11 * MINUTE)
    assert providers.sent() == {"app": 1, "sms": 1, "email": 0}

    graver = notifier.verdict(notice_risk="high", rules=["success_after_attack"])
    notifier.take(graver)
    notifier.work(HOUR, step=10 * MINUTE)

    assert providers.sent() == {"app": 2, "sms": 1, "email": 1}


def test_a_graver_login_on_the_same_device_grows_the_notice_that_is_there(
    notifier: Harness, providers: Providers
) -> None:
    """The second login joins the first one's notice, which becomes high."""
    notifier.take(notifier.verdict(1, device="d"))
    notifier.work()
    notifier.take(notifier.verdict(2, device="d", notice_risk="high"))
    notifier.work()

    assert providers.sent() == {"app": 2, "sms": 1, "email": 1}
    own = notifier.ledger.of_verdict(f"{2:016x}")
    assert own is not None
    assert own.state == "suppressed"
    grown = notifier.ledger.find(own.joined or "")
    assert grown is not None
    assert grown.notice_risk == "high"


def test_a_known_password_waits_for_the_second_factor(
    notifier: Harness, providers: Providers
) -> None:
    """Whoever passes it within the grace is told nothing; whoever does not is told."""

    def stopped(number: int, device: str) -> Verdict:
        return notifier.verdict(
            number, notice_risk="high", rules=["password_known"], device=device, country=None
        )

    notifier.take(stopped(1, "own-phone"), stopped(2, "thief"))
    notifier.work(3 * MINUTE)
    assert providers.sent() == {"app": 0, "sms": 0, "email": 0}
    notifier.take(notifier.verdict(3, notice_risk="inbox", device="own-phone", rules=[]))
    notifier.work(2 * MINUTE)

    assert providers.sent() == {"app": 1, "sms": 1, "email": 1}
    assert "的密碼於" in providers.twilio.sent[0].text
    first = notifier.ledger.of_verdict(f"{1:016x}")
    assert first is not None
    assert first.state == "suppressed"


def test_who_has_said_no_is_told_of_the_hold_on_every_channel(
    notifier: Harness, providers: Providers
) -> None:
    """Once, by the text about the hold and its time; a cap of the day stops nothing."""
    notifier.take(*(notifier.verdict(number, notice_risk="high") for number in range(1, 4)))
    notifier.work()
    made = notifier.ledger.of_verdict(f"{1:016x}")
    assert made is not None
    notifier.ledger.record_answer(made.notice_id, "no", "page", None, "", notifier.clock.at)
    notifier.ledger.add_task(
        LOCKED_TASK, made.notice_id, b"{}", notifier.clock.at, notifier.clock.at
    )
    notifier.clock.advance(HOUR)
    for _ in range(2):
        plan_locked(notifier.ledger, notifier.contacts, notifier.channels, notifier.clock.at)
        notifier.work(HOUR, step=30 * MINUTE)

    assert providers.sent() == {"app": 4, "sms": 4, "email": 4}
    assert "已暫停電子下單" in providers.twilio.sent[3].text
    assert taipei(notifier.clock.at - 2 * HOUR) in providers.twilio.sent[3].text


def test_a_mail_holds_a_link_that_the_answer_page_takes(
    notifier_with: NotifierFactory, providers: Providers
) -> None:
    """The firm's own address, the customer's language, a token of this notice; none in an SMS."""
    notifier = notifier_with()
    notifier.sender.wording = replace(
        notifier.sender.wording,
        link=answer_links(notifier.ledger, "https://answer.broker.example", notifier.clock),
    )
    notifier.take(notifier.verdict(notice_risk="high"))
    notifier.work()

    text = providers.smtp.sent[0].text
    (token,) = re.findall(r"https://answer\.broker\.example/zh/(\S+)", text)
    found = notifier.ledger.notice_of_token(fingerprint(token))
    assert found is not None
    assert found.notice.verdict_id == f"{1:016x}"
    assert found.usable(notifier.clock.at)
    assert "http" not in providers.twilio.sent[0].text + providers.fcm.sent[0].body
