"""What follows from a verdict: whom to tell, how, when, or why not. Pure: time is an argument."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal

from detectors.verdicts import RISKS, Verdict

from .ledger_records import Kind, Notice, SendChannel
from .messages import TemplateName

DAY: Final = timedelta(hours=24)
"""One notice per person, device, country and kind in this time; and a login older than this wakes
nobody (promise 7).
"""

Reason = Literal[
    "late", "too_old", "no_contact", "no_channel", "told_today", "denied", "finished", "inbox_off"
]
"""Why nobody is told. late: detect itself got it late (an import, a rewind). denied: the customer
has already said no. finished: the second factor was passed a moment later.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """The settings that decide; spans, and numbers per person and day or for all in an hour."""

    fallback_after: timedelta
    unseen_after: timedelta
    grace: timedelta
    retry_for: timedelta
    sms_per_day: int
    push_per_day: int
    sms_per_hour: int
    digest_hour: int
    inbox: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One channel of a notice, and when it is its turn."""

    channel: SendChannel
    due_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Skip:
    """Nothing is written: the login is nothing that a customer could be told of, or known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Suppress:
    """A notice that is not sent. `joined`: the one that told of it; `call`: somebody must call."""

    reason: Reason
    joined: str | None = None
    call: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Inbox:
    """An entry for the APP's own list, no message."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tell:
    """A notice that is sent."""

    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Upgrade:
    """The notice `notice_id` becomes as grave as this verdict and is told again where need be."""

    notice_id: str
    steps: tuple[Step, ...]


Decision = Skip | Suppress | Inbox | Tell | Upgrade


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What is known when a verdict comes.

    `channels`: how the customer can be reached (None: no such customer in the contact book), in
    order; `own`: the notice this verdict has; `today`: the person's notices of the last 24 hours,
    oldest first.
    """

    channels: Sequence[SendChannel] | None
    own: Notice | None = None
    today: Sequence[Notice] = ()


def kind_of(verdict: Verdict) -> Kind:
    """Of what a notice speaks."""
    return "password_known" if "password_known" in verdict.rules else "login"


def template_of(notice: Notice) -> TemplateName:
    """Which text a notice gets."""
    if notice.kind == "password_known":
        return "password_known"
    return "takeover" if notice.notice_risk == "high" else "login_new_device"


def decide(  # noqa: PLR0911 (one return a reason)
    verdict: Verdict, known: Known, limits: Limits, now: datetime
) -> Decision:
    """What to do about a verdict that has come at `now`."""
    if verdict.notice_risk == "none" or (verdict.notice_risk == "inbox" and not limits.inbox):
        return Skip()
    own = known.own
    if own is not None and not _graver(verdict, own):
        return Skip()
    age = now - datetime.fromisoformat(verdict.occurred_at)
    if verdict.late or age > DAY:
        if own is not None:
            return Skip()
        # A takeover that could not be told in time is told by a person; an import is not.
        call = verdict.notice_risk == "high" and not verdict.late
        return Suppress(reason="late" if verdict.late else "too_old", call=call)
    if own is not None and own.answer == "no":
        return Skip()
    if verdict.notice_risk == "inbox":
        return Inbox()
    return _tell(verdict, known, limits, now)


def _tell(verdict: Verdict, known: Known, limits: Limits, now: datetime) -> Decision:
    if not known.channels:
        reason: Reason = "no_contact" if known.channels is None else "no_channel"
        return Suppress(reason=reason, call=verdict.notice_risk == "high")
    own = known.own
    if own is not None and own.state != "suppressed":
        return Upgrade(notice_id=own.notice_id, steps=_steps(verdict, known.channels, limits, now))
    twin = _twin(verdict, known.today, own)
    if twin is None:
        return Tell(steps=_steps(verdict, known.channels, limits, now))
    if twin.answer == "no":
        return Suppress(reason="denied", joined=twin.notice_id)
    if _graver(verdict, twin):
        return Upgrade(notice_id=twin.notice_id, steps=_steps(verdict, known.channels, limits, now))
    return Suppress(reason="told_today", joined=twin.notice_id)


def _steps(
    verdict: Verdict, channels: Iterable[SendChannel], limits: Limits, now: datetime
) -> tuple[Step, ...]:
    """high: all at once. ask: one after the other, each a fall-back of the one before."""
    # Whoever has just typed the password finishes with the second factor, or it is not them.
    first = now + (limits.grace if kind_of(verdict) == "password_known" else timedelta(0))
    apart = timedelta(0) if verdict.notice_risk == "high" else limits.fallback_after
    return tuple(
        Step(channel=channel, due_at=first + number * apart)
        for number, channel in enumerate(channels)
    )


def _twin(verdict: Verdict, today: Iterable[Notice], own: Notice | None) -> Notice | None:
    """The notice that has told of the same device, country and kind in the last 24 hours."""
    for notice in today:
        same = (notice.device, notice.country, notice.kind) == (
            verdict.device,
            verdict.country,
            kind_of(verdict),
        )
        is_own = own is not None and notice.notice_id == own.notice_id
        if same and not is_own and notice.state != "suppressed" and notice.notice_risk != "inbox":
            return notice
    return None


def finished(verdict: Verdict, today: Iterable[Notice]) -> list[Notice]:
    """Notices in their grace that a login makes needless: the second factor was passed after all.

    Only a login that is nothing unusual, on the very device: a thief who passes it is told of.
    """
    if verdict.notice_risk != "inbox" or verdict.device is None:
        return []
    return [
        notice
        for notice in today
        if notice.kind == "password_known"
        and notice.device == verdict.device
        and notice.state == "planned"
        and notice.occurred_at <= datetime.fromisoformat(verdict.occurred_at)
    ]


def _graver(verdict: Verdict, notice: Notice) -> bool:
    return RISKS.index(verdict.notice_risk) > RISKS.index(notice.notice_risk)
