"""Sends in the ledger: claimed before a provider is called, so that a kill in the call is seen."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta

from detectors.events import instant, milliseconds
from detectors.notices import NoticeState

from .ledger_records import Send, SendChannel, send_of
from .ledger_tasks import Tasks


class Sends(Tasks):
    """One row a channel and round of a notice: due, sending, then accepted, failed or cancelled."""

    def plan_send(
        self, notice_id: str, channel: SendChannel, template: str, due_at: datetime
    ) -> bool:
        """Add a send to a notice's present round; False where the channel has one there."""
        with self.transaction():
            notice = self._known(notice_id)
            done = self._execute(
                "INSERT OR IGNORE INTO sends (notice_id, round, channel, person, template, state,"
                " due_ms) VALUES (?,?,?,?,?,'due',?)",
                *(notice_id, notice.round, channel, notice.person, template, milliseconds(due_at)),
            )
            return done.rowcount == 1

    def due_sends(self, now: datetime, limit: int) -> list[int]:
        """Sends that are due, and those whose call has outlived its lease."""
        at = milliseconds(now)
        rows = self._rows(
            "SELECT send_id FROM sends WHERE (state = 'due' AND due_ms <= ?)"
            " OR (state = 'sending' AND lease_ms <= ?) ORDER BY due_ms LIMIT ?",
            *(at, at, limit),
        )
        return [row["send_id"] for row in rows]

    def claim_send(self, send_id: int, now: datetime, lease: timedelta) -> Send | None:
        """Take a send for one attempt; None where another process was quicker.

        One that was being sent when its process died comes back as `unsure`.
        """
        at = milliseconds(now)
        with self.transaction():
            done = self._execute(
                "UPDATE sends SET unsure = unsure OR state = 'sending', state = 'sending',"
                " attempts = attempts + 1, attempt_id = ?, lease_ms = ?,"
                " first_ms = coalesce(first_ms, ?) WHERE send_id = ?"
                " AND ((state = 'due' AND due_ms <= ?) OR (state = 'sending' AND lease_ms <= ?))",
                *(secrets.token_hex(8), milliseconds(now + lease), at, send_id, at, at),
            )
            return self.send(send_id) if done.rowcount == 1 else None

    def send(self, send_id: int) -> Send:
        """One send. Raises KeyError."""
        row = self._row("SELECT * FROM sends WHERE send_id = ?", send_id)
        if row is None:
            raise KeyError(f"no send {send_id}")
        return send_of(row)

    def sends_of(self, notice_id: str, round_: int | None = None) -> list[Send]:
        """A notice's sends in the order in which they were planned."""
        rows = self._rows("SELECT * FROM sends WHERE notice_id = ? ORDER BY send_id", notice_id)
        return [send_of(row) for row in rows if round_ is None or row["round"] == round_]

    def postpone_send(self, send: Send, due_at: datetime, code: str, *, unsure: bool) -> None:
        """Not now: the attempt found no end, or it is not yet this channel's turn."""
        with self.transaction():
            self._execute(
                "UPDATE sends SET state = 'due', due_ms = ?, code = ?, unsure = unsure OR ?,"
                " lease_ms = NULL WHERE send_id = ? AND state = 'sending' AND attempt_id = ?",
                *(milliseconds(due_at), code, unsure, send.send_id, send.attempt_id),
            )

    def give_back_send(self, send: Send, due_at: datetime) -> None:
        """It is not yet this channel's turn: no attempt was made."""
        with self.transaction():
            self._execute(
                "UPDATE sends SET state = 'due', due_ms = ?, lease_ms = NULL, attempts = ?,"
                " first_ms = ? WHERE send_id = ? AND state = 'sending' AND attempt_id = ?",
                *(milliseconds(due_at), send.attempts - 1),
                *(None if send.attempts == 1 else _ms(send.first_at), send.send_id),
                send.attempt_id,
            )

    def end_send(
        self, send: Send, state: str, at: datetime, *, code: str = "", provider_id: str = ""
    ) -> bool:
        """The send is accepted, failed or cancelled; False where it had ended before."""
        with self.transaction():
            done = self._execute(
                "UPDATE sends SET state = ?, code = ?, provider_id = ?, lease_ms = NULL,"
                " sent_ms = ?, first_ms = CASE WHEN ? THEN NULL ELSE first_ms END"
                " WHERE send_id = ? AND state IN ('due', 'sending')",
                *(state, code, provider_id or None),
                milliseconds(at) if state == "accepted" else None,
                # What was never sent has spent nothing.
                state == "cancelled" and send.attempts <= 1,
                send.send_id,
            )
            return done.rowcount == 1

    def catch_up(self, provider_id: str) -> None:
        """Apply what was said of a send before its id was known here."""
        with self.transaction():
            rows = self._rows("SELECT * FROM early WHERE provider_id = ?", provider_id)
            self._execute("DELETE FROM early WHERE provider_id = ?", provider_id)
            for row in rows:
                self.report(
                    provider_id,
                    row["state"],
                    instant(row["at_ms"]),
                    reason=row["reason"],
                    provider_at=row["provider_at"],
                    payload_sha256=row["payload_sha256"],
                )

    def bring_forward(self, notice_id: str, round_: int, now: datetime) -> None:
        """The next channel of a notice need not wait any longer: the one before has failed."""
        with self.transaction():
            self._execute(
                "UPDATE sends SET due_ms = min(due_ms, ?) WHERE send_id = (SELECT send_id"
                " FROM sends WHERE notice_id = ? AND round = ? AND state = 'due' AND attempts = 0"
                " ORDER BY send_id LIMIT 1)",
                *(milliseconds(now), notice_id, round_),
            )

    def cancel_sends(self, notice_id: str, code: str) -> int:
        """What is not being sent yet is not sent any more; how many there were."""
        with self.transaction():
            done = self._execute(
                "UPDATE sends SET state = 'cancelled', code = ?"
                " WHERE notice_id = ? AND state = 'due'",
                *(code, notice_id),
            )
            return done.rowcount

    def sent_to(self, person: str, channel: SendChannel, since: datetime, but: int) -> int:
        """How many sends of a channel a person has had since `since`, without the send `but`."""
        row = self._row(
            "SELECT count(*) AS sent FROM sends WHERE person = ? AND channel = ?"
            " AND first_ms > ? AND send_id <> ?",
            *(person, channel, milliseconds(since), but),
        )
        return 0 if row is None else int(row["sent"])

    def sent_since(self, channel: SendChannel, since: datetime, but: int) -> int:
        """How many sends of a channel there were since `since`, without the send `but`."""
        row = self._row(
            "SELECT count(*) AS sent FROM sends WHERE channel = ? AND first_ms > ?"
            " AND send_id <> ?",
            *(channel, milliseconds(since), but),
        )
        return 0 if row is None else int(row["sent"])

    def report(
        self,
        provider_id: str,
        state: NoticeState,
        at: datetime,
        *,
        reason: str = "",
        provider_at: str = "",
        payload_sha256: str = "",
    ) -> Send | None:
        """What a provider says later of a send; None where it is not known (yet: it is kept).

        A report that is no step forward is kept and changes nothing. After `failed` the next
        channel need not wait.
        """
        with self.transaction():
            row = self._row("SELECT * FROM sends WHERE provider_id = ?", provider_id)
            if row is None:
                self._execute(
                    "INSERT INTO early VALUES (?,?,?,?,?,?)",
                    *(provider_id, state, milliseconds(at), reason, provider_at, payload_sha256),
                )
                return None
            send = send_of(row)
            if state == "failed" and not self._reached_more(send):
                self._execute(
                    "UPDATE sends SET state = 'failed', code = ? WHERE send_id = ?",
                    *(reason, send.send_id),
                )
                self._note_failure(send, at, reason, provider_id, payload_sha256)
                self.bring_forward(send.notice_id, send.round, at)
                return self.send(send.send_id)
            self.step(
                send.notice_id,
                state,
                at,
                channel=send.channel,
                reason=reason,
                provider_id=provider_id,
                provider_at=provider_at,
                payload_sha256=payload_sha256,
            )
            return send

    def waiting_digests(self, person: str) -> list[Send]:
        """A person's summaries that have not been sent."""
        rows = self._rows(
            "SELECT * FROM sends WHERE person = ? AND template = 'digest' AND state = 'due'",
            person,
        )
        return [send_of(row) for row in rows]

    def gathered(self, person: str, code: str) -> int:
        """How many of a person's summaries went into the one that `code` names."""
        row = self._row(
            "SELECT count(*) AS many FROM sends WHERE person = ? AND code = ?", person, code
        )
        return 0 if row is None else int(row["many"])

    def waiting_sends(self) -> Sequence[tuple[SendChannel, int, datetime]]:
        """For displays: how many sends of each channel wait, and since when the oldest is due."""
        rows = self._rows(
            "SELECT channel, count(*) AS many, min(due_ms) AS oldest FROM sends"
            " WHERE state IN ('due', 'sending') GROUP BY channel"
        )
        return [(row["channel"], row["many"], instant(row["oldest"])) for row in rows]

    def _reached_more(self, send: Send) -> bool:
        """Whether this channel of the notice has already shown more than that it was accepted."""
        row = self._row(
            "SELECT 1 FROM steps WHERE notice_id = ? AND round = ? AND channel = ?"
            " AND state IN ('carrier', 'handset', 'displayed', 'answered')",
            *(send.notice_id, send.round, send.channel),
        )
        return row is not None or send.state == "failed"

    def _note_failure(
        self, send: Send, at: datetime, reason: str, provider_id: str, payload_sha256: str
    ) -> None:
        """A failure after `accepted` is a step of its own: that the provider gave up is news."""
        self.step(
            send.notice_id,
            "failed",
            at,
            channel=send.channel,
            reason=reason,
            provider_id=provider_id,
            payload_sha256=payload_sha256,
            after_all=True,
        )


def _ms(at: datetime | None) -> int | None:
    return None if at is None else milliseconds(at)
