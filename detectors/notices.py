"""The records of `notices` and `confirmations`: what was told to a customer, and what they said.

Published here because archive, notifier and console speak of them and may not import each other.
Times are RFC 3339 in UTC. No record holds an address of a person: accounts are pseudonyms.
"""

from __future__ import annotations

from typing import Final, Literal, get_args

import msgspec

from .verdicts import NoticeRisk

NoticeState = Literal[
    "planned",
    "suppressed",
    "queued",
    "failed",
    "accepted",
    "carrier",
    "handset",
    "displayed",
    "answered",
    "expired",
]
"""How far a notice has come; only forward (COMPLIANCE.md 3.6). accepted: the provider has it.
carrier, handset, displayed: the evidence the channel gives. Never is `accepted` called received.
"""

NoticeChannel = Literal["app", "sms", "email", "inbox", "page", "desk"]
"""app: push to the bound APP. inbox: an entry there without a push. page, desk: ways to answer."""

Answer = Literal["yes", "no"]
Strength = Literal["strong", "weak"]
"""Of a yes: strong from a bound APP device other than the login's, or identified by the desk; weak
from a link. A no needs no strength: it counts from every channel.
"""

STATES: Final[tuple[NoticeState, ...]] = get_args(NoticeState)


class NoticeStep(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One transition of one notice; key of the record is `notice_id`.

    `seq` counts the steps of a notice from 1: two records with one seq are one. `template` is
    id/version/language, `rendered_sha256` the text as sent, `provider_id` what the provider calls
    it.
    """

    schema: int
    notice_id: str
    seq: int
    at: str
    state: NoticeState
    verdict_id: str
    event_id: str
    account: str
    system: str
    notice_risk: NoticeRisk
    channel: NoticeChannel | None = None
    reason: str = ""
    template: str = ""
    rendered_sha256: str = ""
    provider_id: str = ""
    provider_at: str = ""
    occurred_at: str = ""


class Confirmation(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a customer answered; key of the record is `notice_id`. The first `no` stands for ever.

    `by`: who recorded it at the desk, a name of the firm's own directory; empty for the customer.
    """

    schema: int
    confirmation_id: str
    notice_id: str
    verdict_id: str
    event_id: str
    account: str
    system: str
    answer: Answer
    via: NoticeChannel
    at: str
    strength: Strength | None = None
    by: str = ""
    occurred_at: str = ""


encode = msgspec.json.Encoder().encode
_step = msgspec.json.Decoder(NoticeStep).decode
_confirmation = msgspec.json.Decoder(Confirmation).decode


def decode_step(raw: bytes) -> NoticeStep:
    """A record of `notices`. Raises msgspec.DecodeError."""
    return _step(raw)


def decode_confirmation(raw: bytes) -> Confirmation:
    """A record of `confirmations`. Raises msgspec.DecodeError."""
    return _confirmation(raw)
