"""One summary a day for whoever has had enough messages: nothing vanishes, it only waits."""

from __future__ import annotations

from datetime import datetime

from .ledger import Ledger, Notice, Send
from .ledger_records import SendChannel


def put_off(
    ledger: Ledger, notice: Notice, channel: SendChannel, due_at: datetime, now: datetime
) -> None:
    """Leave a notice to the next summary, on the channel that was full."""
    with ledger.transaction():
        ledger.next_round(notice.notice_id)
        ledger.step(notice.notice_id, "queued", now, reason="digest")
        ledger.plan_send(notice.notice_id, channel, "digest", due_at)


def gather(ledger: Ledger, send: Send, now: datetime) -> None:
    """Take all that waits for the same person's summary into this one."""
    with ledger.transaction():
        for other in ledger.waiting_digests(send.person):
            if other.send_id != send.send_id:
                ledger.end_send(other, "cancelled", now, code=_code(send))
                ledger.join(other.notice_id, send.notice_id)


def told_in(ledger: Ledger, send: Send) -> int:
    """How many logins a summary tells of; the same for a repeat of it."""
    return 1 + ledger.gathered(send.person, _code(send))


def _code(send: Send) -> str:
    return f"in_digest:{send.notice_id}"
