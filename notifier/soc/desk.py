"""What a person asks of the queue: which alerts there are, who has them, who is on duty."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import Any

import msgspec

from detectors.alerts import Alert
from detectors.rule import SEVERITIES, Severity

from .acknowledge import Acknowledgement, acknowledgements
from .item import item_of


class Listed(msgspec.Struct, frozen=True, kw_only=True):
    """An alert with what became of it here; times in milliseconds since 1970 UTC."""

    alert: Alert
    arrived: int
    acknowledged: Sequence[Acknowledgement]
    pages: Sequence[dict[str, Any]]
    undelivered: Sequence[str]


def listed(
    store: sqlite3.Connection,
    *,
    severity: Severity = "low",
    open_only: bool = False,
    limit: int = 50,
) -> list[Listed]:
    """The newest alerts of at least `severity`; with `open_only` those nobody has acknowledged."""
    grave = SEVERITIES[SEVERITIES.index(severity) :]
    marks = ", ".join("?" for _ in grave)
    unanswered = "AND id NOT IN (SELECT id FROM acknowledgements)" if open_only else ""
    rows = store.execute(
        f"SELECT kind, body, arrived FROM items WHERE kind = 'alert' AND severity IN ({marks}) "  # noqa: S608 (question marks and a constant)
        f"{unanswered} "
        "ORDER BY arrived DESC, id LIMIT ?",
        (*grave, limit),
    ).fetchall()
    return [_one(store, item_of(kind, body).alert, arrived) for kind, body, arrived in rows]


def one(store: sqlite3.Connection, alert: Alert) -> Listed:
    """One alert of the queue."""
    (arrived,) = store.execute(
        "SELECT arrived FROM items WHERE id = ?", (alert.alert_id,)
    ).fetchone()
    return _one(store, alert, arrived)


def outputs(store: sqlite3.Connection) -> list[tuple[str, int, int | None]]:
    """What each output owes: its name, how many, since when (ms)."""
    rows = store.execute(
        "SELECT output, count(waiting), min(waiting) FROM deliveries GROUP BY output ORDER BY 1"
    ).fetchall()
    return [(str(name), int(count), since) for name, count, since in rows]


def _one(store: sqlite3.Connection, alert: Alert, arrived: int) -> Listed:
    return Listed(
        alert=alert,
        arrived=arrived,
        acknowledged=acknowledgements(store, alert.alert_id),
        pages=_pages(store, alert.alert_id),
        undelivered=[
            str(name)
            for (name,) in store.execute(
                "SELECT output FROM deliveries WHERE id = ? AND waiting IS NOT NULL ORDER BY 1",
                (alert.alert_id,),
            )
        ],
    )


def _pages(store: sqlite3.Connection, alert: str) -> list[dict[str, Any]]:
    rows = store.execute(
        "SELECT g.page, g.kind, g.made, g.due, g.ended FROM paged p JOIN pages g USING (page) "
        "WHERE p.id = ?",
        (alert,),
    ).fetchall()
    return [
        {
            "page": page,
            "kind": kind,
            "made": made,
            "next": due,
            "ended": ended,
            "calls": [
                {"person": person, "way": way, "at": at, "round": number}
                for person, way, at, number in store.execute(
                    "SELECT person, way, at, round FROM calls WHERE page = ? "
                    "ORDER BY round, person",
                    (page,),
                )
            ],
        }
        for page, kind, made, due, ended in rows
    ]
