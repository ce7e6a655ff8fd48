"""Notices in the ledger: made once a verdict, moved forward only, every step also for `notices`."""

from __future__ import annotations

import re
import secrets
from datetime import datetime, timedelta
from typing import Final

from detectors import notices as wire
from detectors.events import milliseconds, rfc3339
from detectors.notices import NoticeChannel, NoticeState, NoticeStep
from detectors.verdicts import RISKS, NoticeRisk

from .ledger_records import RANKS, Kind, Language, Notice, notice_of
from .ledger_store import LedgerStore

NUMBER_DIGITS: Final = 8
_NUMBER_KEPT: Final = timedelta(days=90)
"""A number is not given again for this long: customers call late."""
_SPOKEN: Final = re.compile(r"[\s-]+")


class Notices(LedgerStore):
    """The notices and their steps."""

    def find(self, notice_id: str) -> Notice | None:
        """The notice with this id or, where it is eight digits, the newest with that number."""
        spoken = _SPOKEN.sub("", notice_id)
        if len(spoken) == NUMBER_DIGITS and spoken.isascii() and spoken.isdigit():
            row = self._row(
                "SELECT * FROM notices WHERE number = ? ORDER BY created_ms DESC LIMIT 1", spoken
            )
        else:
            row = self._row("SELECT * FROM notices WHERE notice_id = ?", notice_id)
        return None if row is None else notice_of(row)

    def of_verdict(self, verdict_id: str) -> Notice | None:
        """The notice that a verdict has got."""
        row = self._row("SELECT * FROM notices WHERE verdict_id = ?", verdict_id)
        return None if row is None else notice_of(row)

    def of_person(self, person: str, since: datetime) -> list[Notice]:
        """A person's notices made at `since` or later, oldest first."""
        rows = self._rows(
            "SELECT * FROM notices WHERE person = ? AND created_ms >= ? ORDER BY created_ms",
            person,
            milliseconds(since),
        )
        return [notice_of(row) for row in rows]

    def create(  # noqa: PLR0913 (the facts of a notice)
        self,
        *,
        verdict_id: str,
        event_id: str,
        account: str,
        system: str,
        notice_risk: NoticeRisk,
        occurred_at: datetime,
        at: datetime,
        person: str = "",
        kind: Kind = "login",
        channel: str | None = None,
        country: str | None = None,
        device: str | None = None,
        language: Language = "zh-TW",
    ) -> Notice:
        """A new notice, `planned`; the one that is there where the verdict already has one."""
        with self.transaction():
            found = self.of_verdict(verdict_id)
            if found is not None:
                return found
            notice_id = secrets.token_hex(16)
            self._execute(
                "INSERT INTO notices (notice_id, number, verdict_id, event_id, account, person,"
                " system, notice_risk, kind, occurred_ms, channel, country, device, language,"
                " state, created_ms) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
                *(notice_id, self._fresh_number(at), verdict_id, event_id, account),
                *(person or account, system, notice_risk, kind, milliseconds(occurred_at)),
                *(channel, country, device, language, "planned", milliseconds(at)),
            )
            self.step(notice_id, "planned", at)
            return self._known(notice_id)

    def step(  # noqa: PLR0913 (the columns of a step)
        self,
        notice_id: str,
        state: NoticeState,
        at: datetime,
        *,
        channel: NoticeChannel | None = None,
        reason: str = "",
        template: str = "",
        rendered_sha256: str = "",
        provider_id: str = "",
        provider_at: str = "",
        payload_sha256: str = "",
        after_all: bool = False,
    ) -> int | None:
        """Move forward; the step's number, or None where it was no step forward.

        What comes late or again is kept as a report. A channel's `failed` leaves the notice where
        it is, since another channel may follow; `failed` without a channel is the end. `after_all`:
        a provider that had accepted has given up, which is news although it is a step back.
        """
        with self.transaction():
            notice = self._known(notice_id)
            # Every answer is a step, also a no after a yes; record_answer lets none pass twice.
            again = state != "answered" and not after_all
            if again and RANKS[state] <= self._reached(notice, channel):
                self._execute(
                    "INSERT INTO reports VALUES (?,?,?,?,?,?,?)",
                    *(notice_id, milliseconds(at), state, channel, reason, provider_id),
                    payload_sha256,
                )
                return None
            seq = notice.seq + 1
            self._execute(
                "INSERT INTO steps VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?)",
                *(notice_id, seq, notice.round, milliseconds(at), state, RANKS[state], channel),
                *(reason, template, rendered_sha256, provider_id, provider_at, payload_sha256),
            )
            forward = RANKS[state] > RANKS[notice.state] and not (state == "failed" and channel)
            self._execute(
                "UPDATE notices SET seq = ?, state = ? WHERE notice_id = ?",
                *(seq, state if forward else notice.state, notice_id),
            )
            record = NoticeStep(
                schema=1,
                notice_id=notice_id,
                seq=seq,
                at=rfc3339(at),
                state=state,
                verdict_id=notice.verdict_id,
                event_id=notice.event_id,
                account=notice.account,
                system=notice.system,
                notice_risk=notice.notice_risk,
                channel=channel,
                reason=reason,
                template=template,
                rendered_sha256=rendered_sha256,
                provider_id=provider_id,
                provider_at=provider_at,
                occurred_at=rfc3339(notice.occurred_at),
            )
            self.enqueue("notices", notice_id.encode(), wire.encode(record))
            return seq

    def upgrade(self, notice_id: str, risk: NoticeRisk, at: datetime, reason: str) -> Notice:
        """Make a notice graver: a new round of the same one; unchanged where it is as grave."""
        with self.transaction():
            notice = self._known(notice_id)
            if RISKS.index(risk) <= RISKS.index(notice.notice_risk):
                return notice
            self._execute(
                "UPDATE notices SET notice_risk = ?, round = round + 1 WHERE notice_id = ?",
                *(risk, notice_id),
            )
            self.step(notice_id, "queued", at, reason=reason)
            return self._known(notice_id)

    def next_round(self, notice_id: str) -> None:
        """Let a notice's channels begin anew, for a message of another kind."""
        with self.transaction():
            self._execute("UPDATE notices SET round = round + 1 WHERE notice_id = ?", notice_id)

    def join(self, notice_id: str, told: str) -> None:
        """Note that the customer was told of it by the notice `told`."""
        with self.transaction():
            self._execute("UPDATE notices SET joined = ? WHERE notice_id = ?", told, notice_id)

    def unanswered_since(self, before: datetime, limit: int = 500) -> list[Notice]:
        """Open notices made before `before` that nobody has answered."""
        rows = self._rows(
            "SELECT * FROM notices WHERE state NOT IN ('suppressed', 'answered', 'expired')"
            " AND created_ms < ? ORDER BY created_ms LIMIT ?",
            milliseconds(before),
            limit,
        )
        return [notice_of(row) for row in rows]

    def _known(self, notice_id: str) -> Notice:
        row = self._row("SELECT * FROM notices WHERE notice_id = ?", notice_id)
        if row is None:
            raise KeyError(f"no notice {notice_id}")
        return notice_of(row)

    def _reached(self, notice: Notice, channel: NoticeChannel | None) -> int:
        """The rank that a channel (None: the notice as a whole) has in the present round."""
        row = self._row(
            "SELECT max(rank) AS rank FROM steps"
            " WHERE notice_id = ? AND round = ? AND channel IS ?",
            *(notice.notice_id, notice.round, channel),
        )
        return -1 if row is None or row["rank"] is None else int(row["rank"])

    def _fresh_number(self, at: datetime) -> str:
        while True:
            number = f"{secrets.randbelow(10**NUMBER_DIGITS):0{NUMBER_DIGITS}}"
            taken = self._row(
                "SELECT 1 FROM notices WHERE number = ? AND created_ms > ?",
                *(number, milliseconds(at - _NUMBER_KEPT)),
            )
            if taken is None:
                return number
