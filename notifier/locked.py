"""After a "no" that the firm has acted on, the customer is told so, on every channel there is.

A thief who answers or hides one channel does not hide the others.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Final

from .contacts import ContactBook
from .ledger import Ledger
from .ledger_records import SendChannel

LOCKED_TASK: Final = "locked_notice"
"""Tasks of this kind are customers to be told that electronic orders are on hold."""

_LEASE: Final = timedelta(seconds=30)


def plan_locked(
    ledger: Ledger, contacts: ContactBook, channels: Collection[SendChannel], now: datetime
) -> int:
    """Plan the messages of every such task; how many customers."""
    if not ledger.open_tasks(LOCKED_TASK):
        return 0
    with ledger.transaction():
        tasks = ledger.claim_tasks(LOCKED_TASK, now, lease=_LEASE)
        for task in tasks:
            notice = ledger.find(task.notice_id)
            contact = None if notice is None else contacts.find(notice.account)
            if notice is not None and contact is not None:
                ledger.next_round(notice.notice_id)
                for channel in contact.channels:
                    if channel in channels:
                        ledger.plan_send(notice.notice_id, channel, "locked", now)
            ledger.finish_task(task.task_id, now)
        return len(tasks)
