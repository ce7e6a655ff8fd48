"""What the ledger holds, as facts: a notice, a send, a token, a task. Times are aware UTC."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

from detectors.events import Channel, instant
from detectors.notices import Answer, NoticeState, Strength
from detectors.verdicts import NoticeRisk

Kind = Literal["login", "password_known"]
"""Of what a notice speaks: somebody is in, or somebody has the password and not the second factor.
"""

Language = Literal["zh-TW", "en"]
SendChannel = Literal["app", "sms", "email"]
SendState = Literal["due", "sending", "accepted", "failed", "cancelled"]
TokenScope = Literal["answer", "lock"]
"""answer: a page that asks yes or no. lock: may only say no."""

RANKS: Final[dict[NoticeState, int]] = {
    "planned": 0,
    "suppressed": 1,
    "queued": 2,
    "failed": 3,
    "accepted": 4,
    "carrier": 5,
    "handset": 6,
    "displayed": 7,
    "expired": 8,
    "answered": 9,
}
"""How far each state is. An answer that comes after the notice has expired still counts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """What one customer is told of one login.

    `number`: eight digits a customer can say on the telephone, unique among open notices.
    `account`, `person` are pseudonyms, `device` a keyed hash; `channel` is the login's own.
    `joined`: the notice that already told of the same device, country and kind that day.
    """

    notice_id: str
    number: str
    verdict_id: str
    event_id: str
    account: str
    person: str
    system: str
    notice_risk: NoticeRisk
    kind: Kind
    occurred_at: datetime
    channel: Channel | None
    country: str | None
    device: str | None
    language: Language
    state: NoticeState
    created_at: datetime
    answer: Answer | None = None
    strength: Strength | None = None
    joined: str | None = None
    seq: int = 0
    round: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundToken:
    """A token's notice, and whether it may still be used: compare `expires_at`, see `used_at`."""

    notice: Notice
    scope: TokenScope
    expires_at: datetime
    used_at: datetime | None

    def usable(self, now: datetime) -> bool:
        """Neither used nor expired at `now`."""
        return self.used_at is None and now < self.expires_at


@dataclass(frozen=True, slots=True, kw_only=True)
class Send:
    """One channel's part of one notice. `unsure`: a call ended without an answer, or the process
    died in it, so the provider may have taken the message.
    """

    send_id: int
    notice_id: str
    round: int
    channel: SendChannel
    person: str
    template: str
    state: SendState
    due_at: datetime
    first_at: datetime | None
    sent_at: datetime | None
    attempts: int
    attempt_id: str | None
    unsure: bool
    provider_id: str | None
    code: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """Durable work: a webhook, a call-back. One of a kind for a notice."""

    task_id: int
    kind: str
    notice_id: str
    payload: bytes
    due_at: datetime
    attempts: int
    created_at: datetime
    done_at: datetime | None
    error: str


def notice_of(row: sqlite3.Row) -> Notice:
    """A row of `notices`."""
    facts = dict(row)
    facts["occurred_at"] = instant(facts.pop("occurred_ms"))
    facts["created_at"] = instant(facts.pop("created_ms"))
    return Notice(**facts)


def send_of(row: sqlite3.Row) -> Send:
    """A row of `sends`."""
    facts = dict(row)
    del facts["lease_ms"]
    facts["due_at"] = instant(facts.pop("due_ms"))
    facts["first_at"] = _instant(facts.pop("first_ms"))
    facts["sent_at"] = _instant(facts.pop("sent_ms"))
    facts["unsure"] = bool(facts["unsure"])
    return Send(**facts)


def task_of(row: sqlite3.Row) -> Task:
    """A row of `tasks`."""
    facts = dict(row)
    del facts["lease_ms"]
    facts["due_at"] = instant(facts.pop("due_ms"))
    facts["created_at"] = instant(facts.pop("created_ms"))
    facts["done_at"] = _instant(facts.pop("done_ms"))
    return Task(**facts)


def _instant(ms: int | None) -> datetime | None:
    return None if ms is None else instant(ms)
