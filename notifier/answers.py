"""What an answer does: one transaction with confirmation, alert and the firm's task, or nothing.

Idempotent: the same answer again changes nothing, and the first "no" stands for ever. A "yes" is
recorded with its strength and lowers no control (COMPLIANCE.md 0.4).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

import msgspec

from config.failpoints import hit
from detectors import alerts as wire
from detectors.notices import Answer, Confirmation, NoticeChannel, Strength

from .denial import alert_of, order_of
from .ledger import Ledger, Notice
from .ledger_checks import Typed
from .ledger_records import Kind
from .tokens import fingerprint, shaped, typed_right

RUNBOOK_TASK: Final = "runbook"
"""Tasks of this kind are orders for the firm's webhook (`notifier.runbook`)."""

CALL_BACK_TASK: Final = "call_back"
"""Tasks of this kind are customers to be called by a person."""

MOST_WRONG: Final = 5
"""Wrong digits a notice; then its links are closed, never the account (COMPLIANCE.md 3.4)."""

PageOutcome = Literal["recorded", "wrong", "closed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenQuestion:
    """What a usable token may see of its notice: no account, not even a pseudonym."""

    number: str
    occurred_at: datetime
    channel: str | None
    country: str
    typed: Typed
    kind: Kind


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """Takes answers from the page and from the desk. `now` gives aware UTC times."""

    ledger: Ledger
    now: Callable[[], datetime]

    def open(self, token: str) -> OpenQuestion | None:
        """What to ask; None for a token that is malformed, unknown, expired, used or worn out."""
        found = self._usable(token)
        if found is None:
            return None
        notice, typed = found
        return OpenQuestion(
            number=notice.number,
            occurred_at=notice.occurred_at,
            channel=notice.channel,
            country=notice.country or "",
            typed=typed,
            kind=notice.kind,
        )

    def by_page(self, token: str, answer: Answer, typed: str) -> PageOutcome:
        """An answer through a link: weak, once, and only with the right digits typed."""
        with self.ledger.transaction():
            found = self._usable(token)
            if found is None:
                return "closed"
            notice, _ = found
            now, mark = self.now(), fingerprint(token)
            check = self.ledger.check_of(mark)
            if check is None or not typed_right(token, check, typed):
                tries = self.ledger.typed_wrong(notice.notice_id, now)
                return "closed" if tries >= MOST_WRONG else "wrong"
            if not self.ledger.use_token(mark, now):
                return "closed"
            strength: Strength | None = "weak" if answer == "yes" else None
            self._record(notice, answer, "page", strength, "", now)
            return "recorded"

    def by_desk(
        self, notice: Notice, answer: Answer, *, by: str, identified: bool
    ) -> Confirmation | None:
        """An answer told to a person `by`; None where it changes nothing any more.

        `identified`: the caller's identity was checked by the firm's rules. A "no" counts anyway.
        """
        strength: Strength = "strong" if identified else "weak"
        held = strength if answer == "yes" else None
        return self._record(notice, answer, "desk", held, by, self.now())

    def _record(
        self,
        notice: Notice,
        answer: Answer,
        via: NoticeChannel,
        strength: Strength | None,
        by: str,
        at: datetime,
    ) -> Confirmation | None:
        with self.ledger.transaction():
            said = self.ledger.record_answer(notice.notice_id, answer, via, strength, by, at)
            hit("answer.recorded")
            if said is not None and answer == "no":
                alert = alert_of(notice, said)
                self.ledger.enqueue("alerts", alert.alert_id.encode(), wire.encode(alert))
                order = msgspec.json.encode(order_of(notice, said))
                self.ledger.add_task(RUNBOOK_TASK, notice.notice_id, order, at, at)
                hit("answer.ordered")
            if via == "desk":
                # Whoever was reached need not be called any more.
                self.ledger.finish_kind(CALL_BACK_TASK, notice.notice_id, at)
            return said

    def _usable(self, token: str) -> tuple[Notice, Typed] | None:
        if not shaped(token):
            return None
        mark = fingerprint(token)
        found = self.ledger.notice_of_token(mark)
        check = self.ledger.check_of(mark)
        if found is None or check is None or found.scope != "answer":
            return None
        # After a "no", from wherever it came, a link has nothing left to say.
        if not found.usable(self.now()) or found.notice.answer == "no":
            return None
        if self.ledger.wrong_tries(found.notice.notice_id) >= MOST_WRONG:
            return None
        return found.notice, check.typed
