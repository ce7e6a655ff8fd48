"""Acknowledgements: who, when, why; durable, and the only thing that ends an escalation early."""

from __future__ import annotations

import sqlite3
from typing import Final

import msgspec

from .item import Item
from .store import transaction

LONGEST_NAME: Final = 64
LONGEST_REASON: Final = 500


class Acknowledgement(msgspec.Struct, frozen=True, kw_only=True):
    """One of them; `revision` and `severity` are those of the alert that was looked at."""

    who: str
    reason: str
    at: int
    revision: int
    severity: str


def acknowledge(store: sqlite3.Connection, items: list[Item], who: str, why: str, now: int) -> None:
    """Record for each of `items` that `who` has it in hand. Nothing is ever removed."""
    with transaction(store):
        store.executemany(
            "INSERT INTO acknowledgements (id, revision, severity, who, reason, at) "
            "VALUES (?, ?, ?, ?, ?, ?)",
            [(item.id, item.alert.revision, item.alert.severity, who, why, now) for item in items],
        )


def acknowledgements(store: sqlite3.Connection, alert: str) -> list[Acknowledgement]:
    """Those of an alert, oldest first."""
    rows = store.execute(
        "SELECT who, reason, at, revision, severity FROM acknowledgements WHERE id = ? "
        "ORDER BY number",
        (alert,),
    ).fetchall()
    return [
        Acknowledgement(who=row[0], reason=row[1], at=row[2], revision=row[3], severity=row[4])
        for row in rows
    ]


def acknowledged(store: sqlite3.Connection, page: int) -> bool:
    """Whether a page is answered: of one alert, by any of those grouped under it; of a digest, by
    all. An acknowledgement from before the page, for a lesser severity, does not count.
    """
    kind, made = store.execute("SELECT kind, made FROM pages WHERE page = ?", (page,)).fetchone()
    answered = [
        count > 0
        for (count,) in store.execute(
            "SELECT (SELECT count(*) FROM acknowledgements a WHERE a.id = p.id AND "
            "(a.at >= ? OR a.severity = p.severity)) FROM paged p WHERE p.page = ?",
            (made, page),
        )
    ]
    # Without alerts it has nothing to say any more: they stand on a graver page.
    return not answered or (all(answered) if kind == "digest" else any(answered))
