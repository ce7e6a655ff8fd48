"""Who is not told, not told twice, or not told more: each with its reason in the ledger."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from detectors.errors import LoginwardError
from detectors.notices import Answer
from loadtest.providers import Fault

from .harness import EMAIL, TOKEN, Harness, Providers

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
NotifierFactory = Callable[..., Harness]


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
