"""From a verdict to the customer's phone and mailbox, over the providers' own protocols."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from detectors.errors import LoginwardError
from detectors.notices import Answer
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


def test_wrong_passwords_and_unknown_accounts_tell_nobody(
    notifier: Harness, providers: Providers
) -> None:
    """10,000 of each: not one notice, not one row."""
    none = [notifier.verdict(number, notice_risk="none") for number in range(10_000)]
    unknown = [
        notifier.verdict(number, notice_risk="none", account=f"k1k1-{number:024x}")
        for number in range(10_000, 20_000)
    ]
    notifier.take(*none, *unknown)
    notifier.work(HOUR, step=10 * MINUTE)

    assert providers.sent() == {"app": 0, "sms": 0, "email": 0}
    assert notifier.steps() == []


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        pytest.param({"late": True, "notice_risk": "high"}, "late", id="an import"),
        pytest.param({"occurred_at": "2020-01-01T00:00:00Z"}, "too_old", id="an old login"),
        pytest.param({"account": "k1k1-" + "0" * 24}, "no_contact", id="nobody we know"),
    ],
)
def test_who_is_not_told_has_a_reason(
    notifier: Harness, providers: Providers, changed: dict[str, Any], reason: str
) -> None:
    """A suppressed notice stands in the ledger with why, and nothing is sent."""
    notifier.take(notifier.verdict(**changed))
    notifier.work(HOUR, step=10 * MINUTE)

    assert providers.sent() == {"app": 0, "sms": 0, "email": 0}
    assert notifier.told() == [(None, "planned", ""), (None, "suppressed", reason)]


def test_one_device_and_country_is_told_once_a_day(notifier: Harness, providers: Providers) -> None:
    """Ten logins on the same new device: one message, nine that say which notice told of them."""
    notifier.take(*(notifier.verdict(number, device="d") for number in range(1, 11)))
    notifier.work()

    assert providers.sent()["app"] == 1
    told = [step.reason for step in notifier.steps() if step.state == "suppressed"]
    assert told == ["told_today"] * 9


def test_a_verdict_that_comes_again_changes_nothing(
    notifier: Harness, providers: Providers
) -> None:
    """Kafka delivers twice; the customer reads once."""
    verdict = notifier.verdict()
    notifier.take(verdict, verdict)
    notifier.work()
    before = notifier.steps()
    notifier.take(verdict)
    notifier.work()

    assert notifier.steps() == before
    assert providers.sent()["app"] == 1


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


def test_no_customer_gets_more_than_three_sms_a_day_and_then_one_summary(
    notifier: Harness, providers: Providers
) -> None:
    """Beyond three, and with no other channel, one summary the next morning tells of the rest."""
    notifier.contacts.mark_dead(EMAIL, "550", 0)
    notifier.contacts.mark_dead(TOKEN, "UNREGISTERED", 0)
    notifier.take(*(notifier.verdict(number, notice_risk="high") for number in range(1, 8)))
    notifier.work(HOUR, step=20 * MINUTE)
    assert providers.sent() == {"app": 0, "sms": 3, "email": 0}

    notifier.work(36 * HOUR, step=HOUR)
    assert providers.sent() == {"app": 0, "sms": 4, "email": 0}
    assert "另有4次登入" in providers.twilio.sent[3].text


def test_a_spent_budget_turns_sms_off_and_leaves_the_others(
    notifier_with: NotifierFactory, providers: Providers
) -> None:
    """Two SMS an hour for all: the third customer gets push and e-mail, and the gauge says so."""
    notifier = notifier_with(sms_per_hour="2")
    notifier.take(*(notifier.verdict(n, who=n, notice_risk="high") for n in range(1, 6)))
    notifier.work()

    assert providers.sent() == {"app": 5, "sms": 2, "email": 5}
    assert notifier.metrics.sms_budget_open._value.get() == 1
    notifier.clock.advance(2 * HOUR)
    notifier.take(notifier.verdict(9, who=9, notice_risk="high"))
    notifier.work()
    assert providers.sent()["sms"] == 3
    assert notifier.metrics.sms_budget_open._value.get() == 0


def test_after_a_no_nothing_more_is_sent(notifier: Harness, providers: Providers) -> None:
    """Who has said no knows; who has said a weak yes is still told by the other channels."""
    notifier.take(notifier.verdict(1, who=1), notifier.verdict(2, who=2))
    notifier.work()
    answers: tuple[tuple[int, Answer], ...] = ((1, "no"), (2, "yes"))
    for number, answer in answers:
        made = notifier.ledger.of_verdict(f"{number:016x}")
        assert made is not None
        notifier.ledger.record_answer(
            made.notice_id,
            answer,
            "page",
            "weak",
            "",
            notifier.clock.at,
        )
    notifier.work(HOUR, step=MINUTE)

    assert [sms.to for sms in providers.twilio.sent] == []
    assert [push.token for push in providers.fcm.sent] == ["token-1", "token-2"]


def test_what_is_dead_is_not_used_again(notifier: Harness, providers: Providers) -> None:
    """An unregistered token, a landline, an unknown mailbox: each is tried once and never more."""
    providers.fcm.unregistered.add(TOKEN)
    providers.twilio.faults.always = Fault(kind="refuse", status=400, code=21614)
    providers.smtp.unknown.add(EMAIL)
    notifier.take(notifier.verdict(1, notice_risk="high"))
    notifier.work(HOUR, step=MINUTE)

    notifier.take(notifier.verdict(2, notice_risk="high"))
    found = notifier.ledger.of_verdict(f"{2:016x}")

    assert found is not None
    assert found.state == "suppressed"
    first = notifier.ledger.of_verdict(f"{1:016x}")
    assert first is not None
    assert first.state == "failed"
    assert len(notifier.ledger.open_tasks("call_back")) == 2


def test_an_unreadable_verdict_costs_the_others_nothing(
    notifier: Harness, providers: Providers
) -> None:
    """Bytes that are no verdict are counted, and the next one is told of."""
    good = notifier.verdict()
    notifier.intake.take([b"", None, b"{}", b"\xff", b'{"notice_risk":"x"}'])
    notifier.take(good)
    notifier.work()

    assert notifier.metrics.unreadable._value.get() == 5
    assert providers.sent()["app"] == 1


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


def test_a_book_that_cannot_be_read_stops_the_notifier_and_loses_nothing(
    notifier: Harness, providers: Providers
) -> None:
    """A wrong key is no reason to tell nobody: no verdict is taken, no send is given up."""
    notifier.take(notifier.verdict(1))
    right, notifier.contacts._cipher = notifier.contacts._cipher, AESGCM(bytes(32))

    with pytest.raises(LoginwardError, match="does not decrypt"):
        notifier.take(notifier.verdict(2))
    with pytest.raises(LoginwardError, match="does not decrypt"):
        notifier.work()
    assert notifier.ledger.of_verdict(f"{2:016x}") is None

    notifier.contacts._cipher, notifier.sender._failure = right, None
    notifier.take(notifier.verdict(2))
    notifier.work(MINUTE)
    assert providers.sent()["app"] == 2
