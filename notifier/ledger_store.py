"""The ledger's connection: short transactions, and the outbox that leaves with them for Kafka."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple, Self

from config.topics import TopicName

from .ledger_schema import connect


class Outgoing(NamedTuple):
    """One record that waits for Kafka."""

    id: int
    topic: TopicName
    key: bytes
    value: bytes


class LedgerStore:
    """One connection; of several threads one is inside at a time, of several processes one writes.

    Every public method of a ledger is a transaction by itself, or part of the caller's.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._connection = connect(path)
        self._lock = threading.RLock()
        self._depth = 0

    @classmethod
    def open(cls, path: Path) -> Self:
        """Open or make the file. Raises LoginwardError where that cannot be."""
        return cls(path)

    def close(self) -> None:
        """Close the file; what was committed is on the disk."""
        with self._lock:
            self._connection.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing: what is written inside is durable when the block ends, or undone.

        Do not await inside: another task of this thread would write into the same transaction.
        """
        with self._lock:
            outermost = self._depth == 0
            if outermost:
                self._connection.execute("BEGIN IMMEDIATE")
            self._depth += 1
            try:
                yield
                if outermost:
                    self._connection.execute("COMMIT")
            except BaseException:
                if outermost and self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise
            finally:
                self._depth -= 1

    @contextmanager
    def savepoint(self) -> Iterator[None]:
        """A part of a transaction that may fail by itself: then it alone is undone."""
        with self.transaction():
            self._connection.execute("SAVEPOINT part")
            try:
                yield
            except BaseException:
                self._connection.execute("ROLLBACK TO part")
                raise
            finally:
                self._connection.execute("RELEASE part")

    def enqueue(self, topic: TopicName, key: bytes, value: bytes) -> None:
        """Leave a record for Kafka in this transaction; it is delivered at least once, in order."""
        with self.transaction():
            self._execute(
                "INSERT INTO outbox (topic, key, value) VALUES (?, ?, ?)", topic, key, value
            )

    def outgoing(self, limit: int = 500) -> list[Outgoing]:
        """The oldest records that wait for Kafka."""
        rows = self._rows("SELECT id, topic, key, value FROM outbox ORDER BY id LIMIT ?", limit)
        return [Outgoing(*row) for row in rows]

    def delivered(self, records: Sequence[Outgoing]) -> None:
        """Forget records that Kafka has."""
        with self.transaction():
            self._connection.executemany(
                "DELETE FROM outbox WHERE id = ?", [(record.id,) for record in records]
            )

    def _execute(self, statement: str, *values: Any) -> sqlite3.Cursor:
        return self._connection.execute(statement, values)

    def _rows(self, statement: str, *values: Any) -> list[sqlite3.Row]:
        with self._lock:
            return self._connection.execute(statement, values).fetchall()

    def _row(self, statement: str, *values: Any) -> sqlite3.Row | None:
        with self._lock:
            row: sqlite3.Row | None = self._connection.execute(statement, values).fetchone()
            return row
