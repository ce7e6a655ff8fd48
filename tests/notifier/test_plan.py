"""What follows from a verdict, decided without a clock or a server: tables and one property."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.events import rfc3339
from notifier import plan, turns
from notifier.ledger_records import Notice, Send, SendChannel
from notifier.messages import TAIPEI
from notifier.plan import Inbox, Known, Limits, Skip, Suppress, Tell, Upgrade
from notifier.turns import Drop, Go, Spent, Wait

from .made import ACCOUNT, NOON, verdict

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
ALL: tuple[SendChannel, ...] = ("app", "sms", "email")
LIMITS = Limits(
    fallback_after=MINUTE,
    unseen_after=10 * MINUTE,
    grace=4 * MINUTE,
    retry_for=2 * HOUR,
    sms_per_day=3,
    push_per_day=10,
    sms_per_hour=100,
    digest_hour=10,
    inbox=False,
)


def notice(**changed: Any) -> Notice:
    """A notice of the verdict of `made.verdict`."""
    facts: dict[str, Any] = {
        "notice_id": "n1",
        "number": "27190463",
        "verdict_id": f"{1:016x}",
        "event_id": "e1",
        "account": ACCOUNT,
        "person": "p1",
        "system": "trading-web",
        "notice_risk": "ask",
        "kind": "login",
        "occurred_at": NOON - MINUTE,
        "channel": "web",
        "country": "JP",
        "device": "d1",
        "language": "zh-TW",
        "state": "queued",
        "created_at": NOON,
    }
    return Notice(**(facts | changed))


def send(number: int = 1, **changed: Any) -> Send:
    """A send in its first attempt."""
    facts: dict[str, Any] = {
        "send_id": number,
        "notice_id": "n1",
        "round": 1,
        "channel": ALL[number - 1],
        "person": "p1",
        "template": "login_new_device",
        "state": "sending",
        "due_at": NOON,
        "first_at": NOON,
        "sent_at": None,
        "attempts": 1,
        "attempt_id": "a",
        "unsure": False,
        "provider_id": None,
        "code": "",
    }
    return Send(**(facts | changed))


NOTHING_SPENT = Spent(to_person=0, sms_in_hour=0)


@pytest.mark.parametrize(
    ("changed", "known", "kind"),
    [
        pytest.param({"notice_risk": "none"}, {}, Skip, id="wrong password or nobody"),
        pytest.param({"notice_risk": "inbox"}, {}, Skip, id="an ordinary login"),
        pytest.param({}, {}, Tell, id="new device and place"),
        pytest.param({}, {"own": notice()}, Skip, id="the same again"),
        pytest.param({"notice_risk": "high"}, {"own": notice()}, Upgrade, id="graver"),
        pytest.param(
            {"notice_risk": "high"}, {"own": notice(answer="no")}, Skip, id="graver after a no"
        ),
        pytest.param(
            {"verdict_id": "2"}, {"today": [notice()]}, Suppress, id="the same device that day"
        ),
        pytest.param(
            {"verdict_id": "2", "device": "d2"}, {"today": [notice()]}, Tell, id="another device"
        ),
        pytest.param(
            {"verdict_id": "2", "country": "KR"}, {"today": [notice()]}, Tell, id="another country"
        ),
        pytest.param(
            {"verdict_id": "2", "rules": ["password_known"]},
            {"today": [notice()]},
            Tell,
            id="another kind",
        ),
        pytest.param(
            {"verdict_id": "2"},
            {"today": [notice(state="suppressed")]},
            Tell,
            id="the other one was never sent",
        ),
        pytest.param(
            {"verdict_id": "2", "notice_risk": "high"},
            {"today": [notice()]},
            Upgrade,
            id="graver on the same device",
        ),
        pytest.param({"late": True}, {}, Suppress, id="late"),
        pytest.param({}, {"channels": None}, Suppress, id="no such customer"),
        pytest.param({}, {"channels": ()}, Suppress, id="no channel"),
    ],
)
def test_a_verdict_is_decided_by_its_kind_and_what_was_told(
    changed: dict[str, Any], known: dict[str, Any], kind: type
) -> None:
    """Each row of the table gets its kind of decision."""
    facts = {"channels": ALL} | known
    decision = plan.decide(verdict(**changed), Known(**facts), LIMITS, NOON)

    assert isinstance(decision, kind)


@pytest.mark.parametrize(
    ("age", "told"),
    [
        pytest.param(24 * HOUR, True, id="the boundary"),
        pytest.param(24 * HOUR + timedelta(seconds=1), False, id="a second beyond"),
    ],
)
def test_a_login_older_than_a_day_wakes_nobody(age: timedelta, told: bool) -> None:
    """Promise 7; a takeover that old is called about instead."""
    old = verdict(occurred_at=rfc3339(NOON - age), notice_risk="high")
    decision = plan.decide(old, Known(channels=ALL), LIMITS, NOON)

    assert isinstance(decision, Tell) is told
    if not told:
        assert decision == Suppress(reason="too_old", call=True)


def test_an_import_is_not_even_called_about() -> None:
    """`late` is detect's own word: imports and rewinds make no work for anybody."""
    late = verdict(late=True, notice_risk="high")

    decision = plan.decide(late, Known(channels=ALL), LIMITS, NOON)
    assert decision == Suppress(reason="late", call=False)


def test_channels_come_one_after_the_other_or_at_once() -> None:
    """ask: a minute apart in the order APP, SMS, e-mail; high: all now; a password: after grace."""

    def due(**changed: Any) -> list[tuple[str, timedelta]]:
        decision = plan.decide(verdict(**changed), Known(channels=ALL), LIMITS, NOON)
        assert isinstance(decision, Tell)
        return [(step.channel, step.due_at - NOON) for step in decision.steps]

    zero = timedelta(0)
    assert due() == [("app", zero), ("sms", MINUTE), ("email", 2 * MINUTE)]
    assert due(notice_risk="high") == [("app", zero), ("sms", zero), ("email", zero)]
    grace = LIMITS.grace
    password = due(notice_risk="high", rules=["password_known"])
    assert password == [("app", grace), ("sms", grace), ("email", grace)]


def test_an_inbox_entry_only_where_it_is_wanted() -> None:
    """Off: an ordinary login leaves no row; on: an entry and no message."""
    wanted = Limits(**{name: getattr(LIMITS, name) for name in Limits.__slots__} | {"inbox": True})
    ordinary = verdict(notice_risk="inbox")

    assert plan.decide(ordinary, Known(channels=ALL), wanted, NOON) == Inbox()
    assert plan.decide(ordinary, Known(channels=ALL), LIMITS, NOON) == Skip()


@pytest.mark.parametrize(
    ("others", "said"),
    [
        pytest.param([send(1, state="failed")], Go(), id="the one before has failed"),
        pytest.param(
            [send(1, first_at=NOON - 50 * timedelta(seconds=1))],
            Wait(until=NOON + 10 * timedelta(seconds=1)),
            id="it is still being tried",
        ),
        pytest.param([send(1, first_at=NOON - MINUTE)], Go(), id="it has been tried long enough"),
        pytest.param(
            [send(1, state="accepted", sent_at=NOON - MINUTE)],
            Wait(until=NOON + 9 * MINUTE),
            id="accepted, not seen yet",
        ),
        pytest.param(
            [send(1, state="accepted", sent_at=NOON - 10 * MINUTE)], Go(), id="never seen"
        ),
    ],
)
def test_the_next_channel_goes_when_the_one_before_has_not_reached(
    others: list[Send], said: object
) -> None:
    """The SMS of an `ask`, by what became of the push."""
    assert turns.turn(send(2), notice(), others, NOTHING_SPENT, LIMITS, NOON) == said


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        pytest.param({"answer": "no"}, "answered", id="a no"),
        pytest.param({"answer": "yes", "strength": "strong"}, "answered", id="a strong yes"),
        pytest.param({"answer": "yes", "strength": "weak"}, None, id="a weak yes proves nothing"),
        pytest.param({"state": "displayed"}, "reached", id="shown on the phone"),
        pytest.param({"state": "carrier"}, "reached", id="with the carrier"),
        pytest.param({"state": "accepted"}, None, id="accepted alone"),
        pytest.param({"occurred_at": NOON - 25 * HOUR}, "too_old", id="a day late"),
    ],
)
def test_what_is_not_needed_any_more_is_not_sent(
    changed: dict[str, Any], reason: str | None
) -> None:
    """Asked again just before the call."""
    said = turns.turn(send(2), notice(**changed), [], NOTHING_SPENT, LIMITS, NOON)

    assert said == (Go() if reason is None else Drop(reason=reason))


@pytest.mark.parametrize(
    ("one", "spent", "said"),
    [
        pytest.param(send(2), Spent(to_person=2, sms_in_hour=99), Go(), id="the last one allowed"),
        pytest.param(
            send(2),
            Spent(to_person=3, sms_in_hour=0),
            Drop(reason="daily_cap", digest=True),
            id="a fourth SMS",
        ),
        pytest.param(
            send(2),
            Spent(to_person=0, sms_in_hour=100),
            Drop(reason="sms_budget", digest=True),
            id="the hour is spent",
        ),
        pytest.param(
            send(1),
            Spent(to_person=10, sms_in_hour=0),
            Drop(reason="daily_cap", digest=True),
            id="an eleventh push",
        ),
        pytest.param(send(3), Spent(to_person=99, sms_in_hour=999), Go(), id="e-mail has none"),
        pytest.param(
            send(2, attempts=2),
            Spent(to_person=9, sms_in_hour=999),
            Go(),
            id="a repeat has been counted already",
        ),
        pytest.param(
            send(2, template="digest"), Spent(to_person=9, sms_in_hour=0), Go(), id="the summary"
        ),
    ],
)
def test_budgets_hold_at_their_limit(one: Send, spent: Spent, said: object) -> None:
    """High, so that nothing else speaks."""
    high = notice(notice_risk="high")

    assert turns.turn(one, high, [], spent, LIMITS, NOON) == said


@given(
    attempts=st.integers(1, 50),
    tried=st.timedeltas(timedelta(0), 3 * HOUR),
    risk=st.sampled_from(["ask", "high"]),
    follows=st.booleans(),
)
def test_a_repeat_comes_within_the_patience_and_not_at_once(
    attempts: int, tried: timedelta, risk: str, follows: bool
) -> None:
    """Later than now, never beyond the patience, a minute at most between two tries."""
    one = send(1, attempts=attempts, first_at=NOON - tried)
    others = [send(2, state="due", attempts=0)] if follows else []
    patience = LIMITS.fallback_after if follows and risk == "ask" else LIMITS.retry_for

    again = turns.again_at(one, notice(notice_risk=risk), others, LIMITS, NOON)

    if again is None:
        assert tried + MINUTE > patience
    else:
        assert NOON < again <= min(NOON + MINUTE, NOON - tried + patience)


def test_summaries_keep_the_quiet_hours() -> None:
    """Ten in the morning of the next day in Taipei, whatever the hour of the notice."""
    for hours in range(24):
        due = turns.digest_at(NOON + hours * HOUR, 10).astimezone(TAIPEI)
        assert due.hour == 10
        assert timedelta(0) < due - (NOON + hours * HOUR) <= 46 * HOUR
