"""A customer whom no message reached in time is called by a person: one task a notice."""

from __future__ import annotations

from datetime import datetime

import msgspec

from .answers import CALL_BACK_TASK
from .ledger import Ledger, Notice


def ask_to_call(ledger: Ledger, notice: Notice, now: datetime) -> bool:
    """Add the task; False where the notice has one."""
    said = msgspec.json.encode(
        {
            "schema": 1,
            "notice_id": notice.notice_id,
            "number": notice.number,
            "account": notice.account,
            "system": notice.system,
            "event_id": notice.event_id,
        }
    )
    return ledger.add_task(CALL_BACK_TASK, notice.notice_id, said, now, now)
