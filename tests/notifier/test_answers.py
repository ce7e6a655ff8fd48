"""What an answer does: all of it once, and a "no" for ever."""

from __future__ import annotations

import dataclasses

import msgspec
import pytest

from detectors import alerts, notices
from detectors.notices import Answer
from notifier import tokens
from notifier.answers import CALL_BACK_TASK, MOST_WRONG, RUNBOOK_TASK
from notifier.denial import Order
from notifier.ledger import Ledger
from tests.notifier.answering import DIGITS, PHONE, Asked


@pytest.fixture
def asked(ledger: Ledger) -> Asked:
    """Give an empty ledger with a clock."""
    return Asked(ledger)


def test_a_no_is_confirmed_alerted_and_ordered_at_once(asked: Asked) -> None:
    """One "no" leaves a confirmation, a critical alert naming the login, and the firm's order."""
    told = asked.notice(notice_risk="high")

    assert asked.answers.by_page(asked.link(told), "no", DIGITS) == "recorded"

    (said,) = map(notices.decode_confirmation, asked.outbox("confirmations"))
    assert (said.answer, said.via, said.strength, said.by) == ("no", "page", None, "")
    (alert,) = map(alerts.decode, asked.outbox("alerts"))
    assert (alert.rule, alert.severity, alert.checklist_item) == (
        "customer_denied",
        "critical",
        "16",
    )
    assert alert.subject == alerts.AlertSubject("account", told.account)
    assert (alert.accounts, alert.event_ids) == ([told.account], [told.event_id])
    assert alert.summary.startswith(f"The customer says that the login {told.event_id}")
    (task,) = asked.ledger.open_tasks(RUNBOOK_TASK)
    order = msgspec.json.decode(task.payload, type=Order)
    assert (order.account, order.event_id, order.alert_id) == (
        told.account,
        told.event_id,
        alert.alert_id,
    )
    assert {"hold_new_e_orders", "kill_sessions"} <= set(order.actions)
    assert asked.ledger.find(told.number) == dataclasses.replace(
        told, state="answered", answer="no", seq=2
    )


def test_a_yes_of_a_link_is_weak_and_lowers_nothing(asked: Asked) -> None:
    """A "yes" is written down as weak; no alert, no order, and a "no" may still follow."""
    told = asked.notice()
    other = asked.link(told)

    assert asked.answers.by_page(asked.link(told), "yes", DIGITS) == "recorded"

    (said,) = map(notices.decode_confirmation, asked.outbox("confirmations"))
    assert (said.answer, said.strength) == ("yes", "weak")
    assert asked.outbox("alerts") == []
    assert asked.ledger.open_tasks(RUNBOOK_TASK) == []
    assert asked.answers.by_page(other, "no", DIGITS) == "recorded"
    assert len(asked.outbox("alerts")) == 1


def test_the_first_no_stands_for_ever(asked: Asked) -> None:
    """After a "no" neither link nor desk changes it, and nothing is alerted or ordered twice."""
    told = asked.notice()
    other = asked.link(told)
    asked.answers.by_page(asked.link(told), "no", DIGITS)

    assert asked.answers.open(other) is None
    assert asked.answers.by_page(other, "yes", DIGITS) == "closed"
    assert asked.answers.by_desk(told, "yes", by="amy", identified=True) is None
    assert asked.answers.by_desk(told, "no", by="amy", identified=True) is None

    assert len(asked.outbox("confirmations")) == 1
    assert len(asked.outbox("alerts")) == 1
    assert len(asked.ledger.open_tasks(RUNBOOK_TASK)) == 1


@pytest.mark.parametrize(
    ("answer", "identified", "strength"),
    [
        pytest.param("yes", True, "strong", id="yes, identified"),
        pytest.param("yes", False, "weak", id="yes, not identified"),
        pytest.param("no", False, None, id="no needs no identity"),
    ],
)
def test_the_desk_answers_with_a_name(
    asked: Asked, answer: Answer, identified: bool, strength: str | None
) -> None:
    """An answer told on the telephone holds who took it, and its strength."""
    said = asked.answers.by_desk(asked.notice(), answer, by="amy", identified=identified)

    assert said is not None
    assert (said.answer, said.via, said.by, said.strength) == (answer, "desk", "amy", strength)


def test_whoever_was_reached_is_not_called_again(asked: Asked) -> None:
    """An answer at the desk ends the notice's call-back, an answer by link does not."""
    told = asked.notice(notice_risk="high")
    asked.ledger.add_task(CALL_BACK_TASK, told.notice_id, b"{}", asked.clock(), asked.clock())

    asked.answers.by_page(asked.link(told), "yes", DIGITS)
    assert len(asked.ledger.open_tasks(CALL_BACK_TASK)) == 1
    asked.answers.by_desk(told, "yes", by="amy", identified=True)

    assert asked.ledger.open_tasks(CALL_BACK_TASK) == []


def test_the_same_no_is_the_same_alert_byte_for_byte(asked: Asked) -> None:
    """The alert's id comes from the notice alone, so that a repeat could only repeat it."""
    told, other = asked.notice(), asked.notice()
    asked.answers.by_desk(told, "no", by="amy", identified=False)
    asked.answers.by_desk(other, "no", by="amy", identified=False)

    first, second = map(alerts.decode, asked.outbox("alerts"))
    assert first.alert_id != second.alert_id
    assert len(first.alert_id) == 32
    assert first.revision == second.revision == 1


def test_a_link_answers_once(asked: Asked) -> None:
    """A used link is closed for either answer."""
    token = asked.link()

    assert asked.answers.by_page(token, "yes", DIGITS) == "recorded"
    assert asked.answers.open(token) is None
    assert asked.answers.by_page(token, "no", DIGITS) == "closed"


def test_a_link_lives_for_24_hours(asked: Asked) -> None:
    """A second before its end a link answers, at its end no more."""
    token = asked.link()

    asked.clock.advance(hours=24, seconds=-1)
    assert asked.answers.open(token) is not None
    asked.clock.advance(seconds=1)
    assert asked.answers.open(token) is None
    assert asked.answers.by_page(token, "no", DIGITS) == "closed"


def test_wrong_digits_close_links_and_never_the_account(asked: Asked) -> None:
    """Five wrong tries close all links of a notice; the desk still takes an answer."""
    told = asked.notice()
    token, other = asked.link(told), asked.link(told)
    tries = [asked.answers.by_page(token, "no", "999") for _ in range(MOST_WRONG)]

    assert tries == [*["wrong"] * (MOST_WRONG - 1), "closed"]
    assert asked.answers.by_page(token, "no", DIGITS) == "closed"
    assert asked.answers.open(other) is None
    assert asked.outbox("confirmations") == []
    assert asked.outbox("alerts") == []
    assert asked.answers.by_desk(told, "no", by="amy", identified=False) is not None


def test_without_a_telephone_the_digits_of_the_notice_count(asked: Asked) -> None:
    """Where no number is on record the last digits of the notice's own number are asked for."""
    told = asked.notice()
    token = asked.link(told, phone=None)

    opened = asked.answers.open(token)
    assert opened is not None
    assert opened.typed == "number"
    assert asked.answers.by_page(token, "yes", told.number[-3:]) == "recorded"


def test_the_ledger_holds_neither_token_nor_digits(asked: Asked) -> None:
    """Of a link only hashes are kept, and equal digits do not look equal."""
    first, second = asked.link(), asked.link()
    checks = [asked.ledger.check_of(tokens.fingerprint(one)) for one in (first, second)]
    asked.ledger.close()

    kept = b"".join(path.read_bytes() for path in asked.ledger.path.parent.iterdir())
    assert first.encode() not in kept
    assert second.encode() not in kept
    assert PHONE.encode() not in kept
    assert checks[0] is not None
    assert checks[1] is not None
    assert checks[0].digest != checks[1].digest


def test_a_token_without_check_answers_nothing(asked: Asked) -> None:
    """A token that was issued without digits, or only to lock, opens no page."""
    told = asked.notice()
    token = "A" * 32
    later = asked.clock.at.replace(year=2027)
    asked.ledger.issue_token(told.notice_id, tokens.fingerprint(token), "answer", later)

    assert asked.answers.open(token) is None
    assert asked.answers.by_page(token, "no", DIGITS) == "closed"
    assert asked.answers.open(asked.link(told, scope="lock")) is None


@pytest.mark.parametrize(
    ("text", "digits"),
    [
        pytest.param("123", "123", id="plain"),
        pytest.param(" 123\n", "123", id="spaces around"),
        pytest.param("１２３", "123", id="full width"),
        pytest.param("12", None, id="too few"),
        pytest.param("1234", None, id="too many"),
        pytest.param("1 3", None, id="a gap"),
        pytest.param("١٢٣", None, id="other digits"),
        pytest.param("²³¹", "231", id="superscripts are digits to NFKC"),
        pytest.param("123" + " " * 100, "123", id="long"),
        pytest.param("", None, id="nothing"),
    ],
)
def test_three_digits_are_read_as_people_type_them(text: str, digits: str | None) -> None:
    """Full width and spaces are forgiven, anything else is no three digits."""
    assert tokens.digits_of(text) == digits


def test_tokens_are_long_random_and_hashed(asked: Asked) -> None:
    """192 bits of chance each, none twice, and 32 bytes of hash that differ with each."""
    told = asked.notice()
    made = {asked.link(told) for _ in range(200)}

    assert len(made) == 200
    assert tokens.SECRET_BYTES * 8 >= 128
    assert all(tokens.shaped(token) for token in made)
    assert len({tokens.fingerprint(token) for token in made}) == 200


@pytest.mark.parametrize(
    "token", ["", "A" * 31, "A" * 33, "A" * 31 + "=", "A" * 31 + "é", "\0" * 32]
)
def test_what_is_no_token_is_never_looked_up(asked: Asked, token: str) -> None:
    """A malformed token is refused before the ledger is asked."""
    asked.ledger.close()

    assert asked.answers.open(token) is None
