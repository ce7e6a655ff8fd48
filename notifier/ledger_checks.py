"""What has to be typed to use a token, and how often wrong digits were typed for a notice."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from detectors.events import milliseconds

from .ledger_records import Notice, TokenScope, notice_of
from .ledger_tasks import Tasks

Typed = Literal["phone", "number"]
"""What the customer types: the last digits of the telephone number on record, or, where none is on
record, of the notice's number in the message. A scanner of mail types neither."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TypedCheck:
    """`digest` is a hash of the token and the digits: without the token it tells no digit."""

    typed: Typed
    digest: bytes


class Checks(Tasks):
    """The checks of tokens; a token without one cannot answer."""

    def issue_checked_token(
        self,
        notice_id: str,
        token_hash: bytes,
        scope: TokenScope,
        check: TypedCheck,
        expires_at: datetime,
    ) -> None:
        """Keep a token's hash, and what has to be typed with it."""
        with self.transaction():
            self.issue_token(notice_id, token_hash, scope, expires_at)
            self._execute(
                "INSERT INTO token_checks VALUES (?,?,?)", token_hash, check.typed, check.digest
            )

    def check_of(self, token_hash: bytes) -> TypedCheck | None:
        """What has to be typed with a token; None where it was issued without."""
        row = self._row("SELECT * FROM token_checks WHERE token_hash = ?", token_hash)
        return None if row is None else TypedCheck(typed=row["typed"], digest=row["digest"])

    def typed_wrong(self, notice_id: str, at: datetime) -> int:
        """Count a wrong try, over all tokens of a notice; how many there are now."""
        with self.transaction():
            self._execute(
                "INSERT INTO wrong_tries VALUES (?,1,?) ON CONFLICT (notice_id)"
                " DO UPDATE SET tries = tries + 1, last_ms = excluded.last_ms",
                *(notice_id, milliseconds(at)),
            )
            return self.wrong_tries(notice_id)

    def wrong_tries(self, notice_id: str) -> int:
        """How often wrong digits were typed for a notice."""
        row = self._row("SELECT tries FROM wrong_tries WHERE notice_id = ?", notice_id)
        return 0 if row is None else int(row["tries"])

    def silent_high(self, before: datetime, kind: str, limit: int = 500) -> list[Notice]:
        """High-risk notices made before `before` without a "no" or a strong yes, and without a task
        of this kind. A weak yes is no answer here: it may come from whoever logged in.
        """
        rows = self._rows(
            "SELECT * FROM notices WHERE notice_risk = 'high' AND created_ms < ?"
            " AND state != 'suppressed' AND (answer IS NULL OR strength = 'weak')"
            " AND NOT EXISTS (SELECT 1 FROM tasks WHERE tasks.kind = ?"
            " AND tasks.notice_id = notices.notice_id) ORDER BY created_ms LIMIT ?",
            *(milliseconds(before), kind, limit),
        )
        return [notice_of(row) for row in rows]

    def finish_kind(self, kind: str, notice_id: str, at: datetime) -> None:
        """Finish a notice's task of a kind, where it has one."""
        with self.transaction():
            self._execute(
                "UPDATE tasks SET done_ms = ?, lease_ms = NULL, error = ''"
                " WHERE kind = ? AND notice_id = ? AND done_ms IS NULL",
                *(milliseconds(at), kind, notice_id),
            )
