"""Whether a due send still goes out, when it is tried again, and when a summary is due. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from .ledger_records import RANKS, Notice, Send
from .messages import TAIPEI
from .plan import DAY, Limits


@dataclass(frozen=True, slots=True, kw_only=True)
class Go:
    """Send now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait:
    """Ask again at `until`."""

    until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Drop:
    """Do not send, for `reason`. `digest`: it goes into the next summary instead."""

    reason: str
    digest: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Spent:
    """What has been sent: to this person on this channel in 24 h, and as SMS to all in an hour."""

    to_person: int
    sms_in_hour: int


def turn(
    send: Send, notice: Notice, others: Iterable[Send], spent: Spent, limits: Limits, now: datetime
) -> Go | Wait | Drop:
    """Whether a due send still has to go out, when the ledger is asked just before the call."""
    if send.template == "locked":
        # That orders are on hold is no question: neither an answer nor a cap of the day stops it.
        return _allowed(send, Spent(to_person=0, sms_in_hour=spent.sms_in_hour), limits)
    if notice.answer == "no" or (notice.answer == "yes" and notice.strength == "strong"):
        return Drop(reason="answered")
    if notice.occurred_at < now - DAY and send.template != "digest":
        return Drop(reason="too_old")
    waiting = _before(send, notice, others, limits, now)
    if waiting is not None:
        return waiting
    return _allowed(send, spent, limits)


def _before(
    send: Send, notice: Notice, others: Iterable[Send], limits: Limits, now: datetime
) -> Wait | Drop | None:
    """What the channels before this one say, of a notice that goes from one to the next."""
    if notice.notice_risk == "high" or send.template == "digest":
        return None
    if RANKS[notice.state] >= RANKS["carrier"]:
        return Drop(reason="reached")
    others = list(others)
    accepted = [one.sent_at for one in others if one.state == "accepted" and one.sent_at]
    if accepted and not limits.unseen_after:
        return Drop(reason="reached")
    trying = [
        one.first_at or one.due_at
        for one in others
        if one.send_id < send.send_id and one.state in {"due", "sending"}
    ]
    until = [at + limits.unseen_after for at in accepted]
    until += [at + limits.fallback_after for at in trying]
    return Wait(until=max(until)) if until and now < max(until) else None


def _allowed(send: Send, spent: Spent, limits: Limits) -> Go | Drop:
    """Budgets. A repeat of a message that has already been counted is not counted again."""
    if send.attempts > 1:
        return Go()
    if send.channel == "sms" and spent.sms_in_hour >= limits.sms_per_hour:
        return Drop(reason="sms_budget", digest=True)
    most = {"sms": limits.sms_per_day, "app": limits.push_per_day}.get(send.channel)
    if most is not None and spent.to_person >= most and send.template != "digest":
        return Drop(reason="daily_cap", digest=True)
    return Go()


def again_at(
    send: Send, notice: Notice, others: Iterable[Send], limits: Limits, now: datetime
) -> datetime | None:
    """When a send that failed for now is tried again; None: it is given up.

    Where another channel follows that one takes over after `fallback_after`; without one the
    message is tried for `retry_for`.
    """
    first = send.first_at or now
    next_one = any(one.send_id > send.send_id and one.state in _MAY_REACH for one in others)
    follows = next_one and notice.notice_risk != "high"
    patience = limits.fallback_after if follows else limits.retry_for
    pause = min(timedelta(seconds=60), timedelta(seconds=1) * 2 ** min(send.attempts - 1, 6))
    pause = min(pause, patience / 4)
    return now + pause if now + pause <= first + patience else None


_MAY_REACH: Final = frozenset({"due", "sending", "accepted"})


def digest_at(now: datetime, hour: int) -> datetime:
    """The next day's `hour` o'clock in Taipei: summaries keep the quiet hours, alarms do not."""
    local = now.astimezone(TAIPEI)
    due = local.replace(hour=hour, minute=0, second=0, microsecond=0) + timedelta(days=1)
    return due.astimezone(now.tzinfo)
