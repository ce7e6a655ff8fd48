"""Tokens and answers: one confirmation an answer, and the first no stands for ever."""

from __future__ import annotations

import hashlib
from datetime import datetime

from detectors import notices as wire
from detectors.events import instant, milliseconds, rfc3339
from detectors.notices import Answer, Confirmation, NoticeChannel, Strength

from .ledger_notices import Notices
from .ledger_records import FoundToken, TokenScope


class Answers(Notices):
    """What customers answered, and the tokens that let them."""

    def issue_token(
        self, notice_id: str, token_hash: bytes, scope: TokenScope, expires_at: datetime
    ) -> None:
        """Keep a token's hash; the token itself is nowhere but in the message."""
        with self.transaction():
            self._execute(
                "INSERT INTO tokens (token_hash, notice_id, scope, expires_ms) VALUES (?,?,?,?)",
                *(token_hash, notice_id, scope, milliseconds(expires_at)),
            )

    def notice_of_token(self, token_hash: bytes) -> FoundToken | None:
        """The token's notice, also where it is expired or used: the caller looks."""
        row = self._row("SELECT * FROM tokens WHERE token_hash = ?", token_hash)
        if row is None:
            return None
        used = row["used_ms"]
        return FoundToken(
            notice=self._known(row["notice_id"]),
            scope=row["scope"],
            expires_at=instant(row["expires_ms"]),
            used_at=None if used is None else instant(used),
        )

    def use_token(self, token_hash: bytes, at: datetime) -> bool:
        """Use a token up; False where it was used before, is expired or unknown."""
        with self.transaction():
            done = self._execute(
                "UPDATE tokens SET used_ms = ?"
                " WHERE token_hash = ? AND used_ms IS NULL AND expires_ms > ?",
                *(milliseconds(at), token_hash, milliseconds(at)),
            )
            return done.rowcount == 1

    def record_answer(
        self,
        notice_id: str,
        answer: Answer,
        via: NoticeChannel,
        strength: Strength | None,
        by: str,
        at: datetime,
    ) -> Confirmation | None:
        """Record an answer, its step and its confirmation for Kafka; None where nothing changed.

        A no may follow a yes and a strong yes a weak one, never the other way. Raises KeyError for
        an unknown notice. What is still to be sent of the notice is cancelled by a no and by a
        strong yes, not by a weak one: whoever gave it may be the one who logged in.
        """
        with self.transaction():
            notice = self._known(notice_id)
            held = strength if answer == "yes" else None
            if _graver(notice.answer, notice.strength) >= _graver(answer, held):
                return None
            confirmation = Confirmation(
                schema=1,
                confirmation_id=_confirmation_id(notice_id, answer, held),
                notice_id=notice_id,
                verdict_id=notice.verdict_id,
                event_id=notice.event_id,
                account=notice.account,
                system=notice.system,
                answer=answer,
                via=via,
                at=rfc3339(at),
                strength=held,
                by=by,
                occurred_at=rfc3339(notice.occurred_at),
            )
            self._execute(
                "INSERT INTO answers (confirmation_id, notice_id, answer, strength, via, by, at_ms)"
                " VALUES (?,?,?,?,?,?,?)",
                *(confirmation.confirmation_id, notice_id, answer, held, via, by, milliseconds(at)),
            )
            self._execute(
                "UPDATE notices SET answer = ?, strength = ? WHERE notice_id = ?",
                *(answer, held, notice_id),
            )
            self.step(notice_id, "answered", at, channel=via, reason=_said(answer, held))
            if answer == "no" or held == "strong":
                self._execute(
                    "UPDATE sends SET state = 'cancelled', code = 'answered'"
                    " WHERE notice_id = ? AND state = 'due'",
                    notice_id,
                )
            self.enqueue("confirmations", notice_id.encode(), wire.encode(confirmation))
            return confirmation

    def answers_of(self, notice_id: str) -> list[Confirmation]:
        """Every answer of a notice, oldest first."""
        notice = self._known(notice_id)
        rows = self._rows("SELECT * FROM answers WHERE notice_id = ? ORDER BY answer_id", notice_id)
        return [
            Confirmation(
                schema=1,
                confirmation_id=row["confirmation_id"],
                notice_id=notice_id,
                verdict_id=notice.verdict_id,
                event_id=notice.event_id,
                account=notice.account,
                system=notice.system,
                answer=row["answer"],
                via=row["via"],
                at=rfc3339(instant(row["at_ms"])),
                strength=row["strength"],
                by=row["by"],
                occurred_at=rfc3339(notice.occurred_at),
            )
            for row in rows
        ]


def _graver(answer: Answer | None, strength: Strength | None) -> int:
    """The order in which answers may follow each other: nothing, weak yes, strong yes, no."""
    if answer is None:
        return 0
    if answer == "no":
        return 3
    return 2 if strength == "strong" else 1


def _said(answer: Answer, strength: Strength | None) -> str:
    return "weak-yes" if answer == "yes" and strength != "strong" else answer


def _confirmation_id(notice_id: str, answer: Answer, strength: Strength | None) -> str:
    said = f"{notice_id}/{_said(answer, strength)}"
    return hashlib.sha256(said.encode()).hexdigest()[:32]
