"""The tables of the notice ledger, and how its file is opened. Times are ms since 1970."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path
from typing import Final

from detectors.errors import LoginwardError

VERSION: Final = 1
"""Kept in the file as PRAGMA user_version; a file of another version is refused, never guessed."""

_BUSY_MS: Final = 10_000
"""Several processes write the same file in short transactions; one that waits this long is ill."""

_SCHEMA: Final = """
CREATE TABLE notices (
    notice_id TEXT PRIMARY KEY, number TEXT NOT NULL, verdict_id TEXT NOT NULL UNIQUE,
    event_id TEXT NOT NULL, account TEXT NOT NULL, person TEXT NOT NULL, system TEXT NOT NULL,
    notice_risk TEXT NOT NULL, kind TEXT NOT NULL, occurred_ms INTEGER NOT NULL,
    channel TEXT, country TEXT, device TEXT, language TEXT NOT NULL,
    state TEXT NOT NULL, created_ms INTEGER NOT NULL, answer TEXT, strength TEXT,
    joined TEXT REFERENCES notices, seq INTEGER NOT NULL DEFAULT 0,
    round INTEGER NOT NULL DEFAULT 1
) STRICT;
CREATE INDEX notices_number ON notices (number);
CREATE INDEX notices_person ON notices (person, created_ms);
CREATE INDEX notices_open ON notices (created_ms) WHERE state NOT IN
    ('suppressed', 'answered', 'expired');

-- Every transition that was applied; 'reports' holds what came late or again and changed nothing.
CREATE TABLE steps (
    notice_id TEXT NOT NULL REFERENCES notices, seq INTEGER NOT NULL, round INTEGER NOT NULL,
    at_ms INTEGER NOT NULL, state TEXT NOT NULL, rank INTEGER NOT NULL, channel TEXT,
    reason TEXT NOT NULL, template TEXT NOT NULL, rendered_sha256 TEXT NOT NULL,
    provider_id TEXT NOT NULL, provider_at TEXT NOT NULL, payload_sha256 TEXT NOT NULL,
    PRIMARY KEY (notice_id, seq)
) STRICT, WITHOUT ROWID;
CREATE TABLE reports (
    notice_id TEXT NOT NULL REFERENCES notices, at_ms INTEGER NOT NULL, state TEXT NOT NULL,
    channel TEXT, reason TEXT NOT NULL, provider_id TEXT NOT NULL, payload_sha256 TEXT NOT NULL
) STRICT;
CREATE INDEX reports_notice ON reports (notice_id);

-- One row a channel and round of a notice; 'sending' is written before the provider is called.
CREATE TABLE sends (
    send_id INTEGER PRIMARY KEY, notice_id TEXT NOT NULL REFERENCES notices, round INTEGER NOT NULL,
    channel TEXT NOT NULL, person TEXT NOT NULL, template TEXT NOT NULL, state TEXT NOT NULL,
    due_ms INTEGER NOT NULL, first_ms INTEGER, sent_ms INTEGER, lease_ms INTEGER,
    attempts INTEGER NOT NULL DEFAULT 0, attempt_id TEXT, unsure INTEGER NOT NULL DEFAULT 0,
    provider_id TEXT, code TEXT NOT NULL DEFAULT '',
    UNIQUE (notice_id, round, channel)
) STRICT;
CREATE INDEX sends_due ON sends (due_ms) WHERE state IN ('due', 'sending');
CREATE INDEX sends_accepted ON sends (sent_ms) WHERE state = 'accepted';
CREATE INDEX sends_provider ON sends (provider_id) WHERE provider_id IS NOT NULL;
CREATE INDEX sends_person ON sends (person, channel, first_ms);
CREATE INDEX sends_hour ON sends (channel, first_ms);

-- What a provider said of a send whose id we do not know yet: its answer and its call cross.
CREATE TABLE early (
    provider_id TEXT NOT NULL, state TEXT NOT NULL, at_ms INTEGER NOT NULL, reason TEXT NOT NULL,
    provider_at TEXT NOT NULL, payload_sha256 TEXT NOT NULL
) STRICT;
CREATE INDEX early_provider ON early (provider_id);

CREATE TABLE tokens (
    token_hash BLOB PRIMARY KEY, notice_id TEXT NOT NULL REFERENCES notices, scope TEXT NOT NULL,
    expires_ms INTEGER NOT NULL, used_ms INTEGER
) STRICT, WITHOUT ROWID;

CREATE TABLE token_checks (
    token_hash BLOB PRIMARY KEY REFERENCES tokens, typed TEXT NOT NULL, digest BLOB NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE wrong_tries (
    notice_id TEXT PRIMARY KEY REFERENCES notices, tries INTEGER NOT NULL, last_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE answers (
    answer_id INTEGER PRIMARY KEY, confirmation_id TEXT NOT NULL UNIQUE,
    notice_id TEXT NOT NULL REFERENCES notices, answer TEXT NOT NULL, strength TEXT,
    via TEXT NOT NULL, by TEXT NOT NULL, at_ms INTEGER NOT NULL
) STRICT;
CREATE INDEX answers_notice ON answers (notice_id);

CREATE TABLE tasks (
    task_id INTEGER PRIMARY KEY, kind TEXT NOT NULL, notice_id TEXT NOT NULL, payload BLOB NOT NULL,
    due_ms INTEGER NOT NULL, attempts INTEGER NOT NULL DEFAULT 0, lease_ms INTEGER,
    error TEXT NOT NULL DEFAULT '', created_ms INTEGER NOT NULL, done_ms INTEGER,
    UNIQUE (kind, notice_id)
) STRICT;
CREATE INDEX tasks_due ON tasks (kind, due_ms) WHERE done_ms IS NULL;

CREATE TABLE outbox (
    id INTEGER PRIMARY KEY AUTOINCREMENT, topic TEXT NOT NULL, key BLOB NOT NULL,
    value BLOB NOT NULL
) STRICT;

-- What happened stays: the file itself refuses to rewrite it, whoever asks.
CREATE TRIGGER steps_stay BEFORE UPDATE ON steps
    BEGIN SELECT RAISE(ABORT, 'steps are never rewritten'); END;
CREATE TRIGGER steps_kept BEFORE DELETE ON steps
    BEGIN SELECT RAISE(ABORT, 'steps are never deleted'); END;
CREATE TRIGGER no_stands BEFORE UPDATE OF answer ON notices
    WHEN OLD.answer = 'no' AND NEW.answer IS NOT 'no'
    BEGIN SELECT RAISE(ABORT, 'a no stands for ever'); END;
"""


def connect(path: Path) -> sqlite3.Connection:
    """Open or make the ledger's file (0600, its folder 0700).

    Raises LoginwardError where it cannot be opened, or is no ledger of this version.
    """
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        # Made by us first, so that at no moment others may read it; SQLite's -wal follows its mode.
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
        # Starlette answers from threads of a pool; LedgerStore lets one in at a time.
        connection = sqlite3.connect(
            path, timeout=_BUSY_MS / 1000, isolation_level=None, check_same_thread=False
        )
        try:
            _prepare(connection, path)
        except BaseException:
            connection.close()
            raise
    except (OSError, sqlite3.Error) as failure:
        raise LoginwardError(
            f"notifier.ledger: {path}: {failure}; name a file on a local disk that this user may "
            "read and write"
        ) from None
    connection.row_factory = sqlite3.Row
    return connection


def _prepare(connection: sqlite3.Connection, path: Path) -> None:
    connection.execute("PRAGMA journal_mode = WAL")
    # FULL: a commit is on the disk before the provider is called; NORMAL may lose it to a power cut
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("BEGIN IMMEDIATE")
    try:
        (found,) = connection.execute("PRAGMA user_version").fetchone()
        if found == 0:
            for statement in _statements():
                connection.execute(statement)
            connection.execute(f"PRAGMA user_version = {VERSION}")
        elif found != VERSION:
            raise LoginwardError(
                f"notifier.ledger: {path}: is of version {found}, this program writes {VERSION}; "
                "use the program that wrote it, or name another file"
            )
        connection.execute("COMMIT")
    except BaseException:
        connection.execute("ROLLBACK")
        raise


def _statements() -> list[str]:
    """The schema's statements; `executescript` would end the transaction that guards them."""
    found, draft = [], ""
    for line in _SCHEMA.splitlines(keepends=True):
        draft += line
        if sqlite3.complete_statement(draft):
            found.append(draft)
            draft = ""
    return found
