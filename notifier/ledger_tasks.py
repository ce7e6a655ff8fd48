"""Durable work in the ledger: done once it is done, tried again until then."""

from __future__ import annotations

from datetime import datetime, timedelta

from detectors.events import milliseconds

from .ledger_answers import Answers
from .ledger_records import Task, task_of


class Tasks(Answers):
    """Tasks of any kind; whoever knows a kind claims it, works, and finishes or postpones it."""

    def add_task(
        self, kind: str, notice_id: str, payload: bytes, due_at: datetime, at: datetime
    ) -> bool:
        """Add a task; False where the notice already has one of this kind."""
        with self.transaction():
            done = self._execute(
                "INSERT OR IGNORE INTO tasks (kind, notice_id, payload, due_ms, created_ms)"
                " VALUES (?,?,?,?,?)",
                *(kind, notice_id, payload, milliseconds(due_at), milliseconds(at)),
            )
            return done.rowcount == 1

    def claim_tasks(
        self, kind: str, now: datetime, *, lease: timedelta, limit: int = 20
    ) -> list[Task]:
        """Take due tasks for `lease`; nobody else gets them before it ends. Counts an attempt."""
        with self.transaction():
            rows = self._rows(
                "SELECT * FROM tasks WHERE kind = ? AND done_ms IS NULL AND due_ms <= ?"
                " AND coalesce(lease_ms, 0) <= ? ORDER BY due_ms LIMIT ?",
                *(kind, milliseconds(now), milliseconds(now), limit),
            )
            for row in rows:
                self._execute(
                    "UPDATE tasks SET lease_ms = ?, attempts = attempts + 1 WHERE task_id = ?",
                    *(milliseconds(now + lease), row["task_id"]),
                )
            return [self._task(row["task_id"]) for row in rows]

    def finish_task(self, task_id: int, at: datetime) -> None:
        """The work is done."""
        with self.transaction():
            self._execute(
                "UPDATE tasks SET done_ms = ?, lease_ms = NULL, error = '' WHERE task_id = ?",
                *(milliseconds(at), task_id),
            )

    def postpone_task(self, task_id: int, due_at: datetime, error: str) -> None:
        """The work could not be done now; `error` says why, escaped, without personal data."""
        with self.transaction():
            self._execute(
                "UPDATE tasks SET due_ms = ?, lease_ms = NULL, error = ? WHERE task_id = ?",
                *(milliseconds(due_at), error[:300], task_id),
            )

    def open_tasks(self, kind: str) -> list[Task]:
        """Tasks of a kind that are not done, the longest due first."""
        rows = self._rows(
            "SELECT * FROM tasks WHERE kind = ? AND done_ms IS NULL ORDER BY due_ms", kind
        )
        return [task_of(row) for row in rows]

    def _task(self, task_id: int) -> Task:
        (row,) = self._rows("SELECT * FROM tasks WHERE task_id = ?", task_id)
        return task_of(row)
