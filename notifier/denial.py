"""What follows from a "no": the critical alert, and what the firm's systems are asked to do.

Both are pure functions of the notice and its confirmation: made twice, they are the same bytes.
"""

from __future__ import annotations

from hashlib import blake2b
from typing import Final

import msgspec

from detectors.alerts import Alert, AlertSubject, alert_id
from detectors.errors import escaped
from detectors.events import rfc3339
from detectors.notices import Confirmation

from .ledger_records import Notice

RULE: Final = "customer_denied"
VERSION: Final = "1"
ACTIONS: Final = ("hold_new_e_orders", "hold_withdrawals", "hold_certificates", "kill_sessions")
"""COMPLIANCE.md 3.8, steps 1 and 2; each lifted by the firm after a fresh identity check alone."""


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """The body of the firm's webhook. It names a pseudonym and the login, never a person.

    `idempotency_key` is also a header: however often it arrives, it is to be done once.
    """

    schema: int
    kind: str
    idempotency_key: str
    actions: tuple[str, ...]
    notice_id: str
    confirmation_id: str
    system: str
    account: str
    event_id: str
    occurred_at: str
    answered_at: str
    via: str
    alert_id: str


def alert_of(notice: Notice, said: Confirmation) -> Alert:
    """The alert that names account, login and answer. One notice has one, whoever asks."""
    return Alert(
        alert_id=denial_id(notice),
        revision=1,
        system=notice.system,
        rule=RULE,
        rule_version=VERSION,
        severity="critical",
        opened_at=said.at,
        updated_at=said.at,
        subject=AlertSubject("account", notice.account),
        counts={"denials": 1},
        window_s=0,
        threshold=1,
        accounts=[notice.account],
        ips=[],
        event_ids=[notice.event_id],
        attack_ids=["T1078", "T1110.004", "OAT-008"],
        checklist_item="16",
        summary=(
            f"The customer says that the login {escaped(notice.event_id)} at "
            f"{rfc3339(notice.occurred_at)} was not theirs (notice {notice.notice_id}, risk "
            f"{notice.notice_risk}, answered by {said.via}): treat the account as taken over"
        ),
    )


def order_of(notice: Notice, said: Confirmation) -> Order:
    """What the firm's systems are asked to do, until they say that it is done."""
    return Order(
        schema=1,
        kind="customer_denied",
        idempotency_key=f"customer_denied:{notice.notice_id}",
        actions=ACTIONS,
        notice_id=notice.notice_id,
        confirmation_id=said.confirmation_id,
        system=notice.system,
        account=notice.account,
        event_id=notice.event_id,
        occurred_at=rfc3339(notice.occurred_at),
        answered_at=said.at,
        via=said.via,
        alert_id=denial_id(notice),
    )


def denial_id(notice: Notice) -> str:
    """The alert's id: of rule, account and notice, so that a second "no" is the same alert."""
    number = int.from_bytes(blake2b(notice.notice_id.encode(), digest_size=8).digest())
    return alert_id(RULE, VERSION, "", (notice.system, "account", notice.account), number)
