"""What is owed to each output: remaining = wanted - sent, on the disk before Kafka is told."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from msgspec.structs import replace

from config.failpoints import hit

from .item import CANARY, Item, Kind, item_of
from .store import transaction

TOPIC: Final = "topic"
"""The output that carries our own alerts to the topic `alerts`; it takes nothing else."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where reading of a partition goes on."""

    topic_id: str
    partition: int
    next: int


@dataclass(frozen=True, slots=True)
class Owed:
    """The newest revision of something that an output has not taken; `waiting` in ms."""

    item: Item
    tries: int
    waiting: int


class Queue:
    """Over one store and the names of the outputs in force. `now` gives milliseconds."""

    def __init__(
        self, store: sqlite3.Connection, outputs: Iterable[str], now: Callable[[], int]
    ) -> None:
        self.store = store
        self.outputs = tuple(outputs)
        self._now = now

    def forget_others(self) -> Mapping[str, int]:
        """Drop what is owed to outputs that are no longer configured; how many each was owed."""
        with transaction(self.store) as store:
            owed = store.execute(
                "SELECT output, count(waiting) FROM deliveries GROUP BY output"
            ).fetchall()
            gone = {name: count for name, count in owed if name not in self.outputs}
            for name in gone:
                store.execute("DELETE FROM deliveries WHERE output = ?", (name,))
                store.execute("DELETE FROM outages WHERE output = ?", (name,))
        return gone

    def put(self, items: Sequence[Item], places: Iterable[Place] = ()) -> list[Item]:
        """Store what is newer than what we have, with the places up to which it was read.

        One transaction. Gives the items that were new; older and equal revisions change nothing.
        """
        with transaction(self.store) as store:
            taken = [item for item in items if self._take(store, item)]
            store.executemany(
                "INSERT INTO positions VALUES (?, ?, ?) ON CONFLICT (topic_id, partition) "
                "DO UPDATE SET next = max(next, excluded.next)",
                [(place.topic_id, place.partition, place.next) for place in places],
            )
            hit("soc.before_commit")
        hit("soc.after_commit")
        return taken

    def _take(self, store: sqlite3.Connection, item: Item) -> bool:
        if item.alert.system == CANARY:
            return False  # the heartbeat of the pipeline, no news for anybody
        now, alert = self._now(), item.alert
        looked = 0 if item.kind == "alert" else alert.revision  # alerts page, incidents do not
        changed = store.execute(
            "INSERT INTO items VALUES (?, ?, ?, ?, ?, ?, ?, ?) "
            "ON CONFLICT (kind, id) DO UPDATE SET revision = excluded.revision, "
            "body = excluded.body, severity = excluded.severity, "
            "changed = excluded.changed, looked = max(looked, excluded.looked) "
            "WHERE excluded.revision > revision",
            (item.kind, item.id, alert.revision, item.body, alert.severity, now, now, looked),
        ).rowcount
        if not changed:
            return False
        store.executemany(
            "INSERT INTO members VALUES (?, ?, ?) ON CONFLICT (alert) DO UPDATE SET "
            "incident = excluded.incident, made = excluded.made",
            [(one, item.incident, now) for one in item.members],
        )
        store.executemany(
            "INSERT INTO deliveries (output, kind, id, waiting) VALUES (?, ?, ?, ?) "
            "ON CONFLICT (output, kind, id) DO UPDATE SET waiting = coalesce(waiting, ?)",
            [(name, item.kind, item.id, now, now) for name in self._wanted(item)],
        )
        return True

    def _wanted(self, item: Item) -> list[str]:
        """Ours about an output goes to every other one, never into the hole it speaks of."""
        about = item.own_about
        return [name for name in self.outputs if name != about and (item.own or name != TOPIC)]

    def position(self, topic_id: str, partition: int) -> int:
        """The next offset to read; 0 where nothing was read yet."""
        row = self.store.execute(
            "SELECT next FROM positions WHERE topic_id = ? AND partition = ?", (topic_id, partition)
        ).fetchone()
        return 0 if row is None else int(row[0])

    def owed(self, output: str, limit: int) -> list[Owed]:
        """What is due for `output` now, longest waiting first, at most `limit`."""
        rows = self.store.execute(
            "SELECT d.kind, i.body, coalesce(m.incident, ''), d.tries, d.waiting FROM deliveries d "
            "JOIN items i USING (kind, id) "
            "LEFT JOIN members m ON d.kind = 'alert' AND m.alert = d.id "
            "WHERE d.output = ? AND d.waiting IS NOT NULL AND d.due <= ? "
            "ORDER BY d.waiting, d.id LIMIT ?",
            (output, self._now(), limit),
        ).fetchall()
        return [
            Owed(_with(item_of(kind, body), incident), tries, waiting)
            for kind, body, incident, tries, waiting in rows
        ]

    def next_due(self, output: str) -> int | None:
        """When something is due for `output` (ms), None where nothing is owed."""
        (due,) = self.store.execute(
            "SELECT min(due) FROM deliveries WHERE output = ? AND waiting IS NOT NULL", (output,)
        ).fetchone()
        return None if due is None else int(due)

    def sent(self, output: str, items: Iterable[Item]) -> None:
        """The output has taken these; a newer revision that came meanwhile stays owed."""
        now = self._now()
        with transaction(self.store) as store:
            store.executemany(
                "UPDATE deliveries SET sent = max(sent, ?), tries = 0, due = 0, waiting = CASE "
                "WHEN (SELECT revision FROM items i WHERE i.kind = deliveries.kind "
                "AND i.id = deliveries.id) > ? THEN ? END "
                "WHERE output = ? AND kind = ? AND id = ?",
                [
                    (item.alert.revision, item.alert.revision, now, output, item.kind, item.id)
                    for item in items
                ],
            )

    def postpone(self, output: str, item: Item, due: int) -> None:
        """This one is refused for reasons of its own: later, without holding up the others."""
        self.store.execute(
            "UPDATE deliveries SET tries = tries + 1, due = ? "
            "WHERE output = ? AND kind = ? AND id = ?",
            (due, output, item.kind, item.id),
        )

    def owe_again(self, output: str, items: Iterable[Item]) -> None:
        """Taken, but it is in doubt whether it arrived: owed again, under the same key."""
        self.store.executemany(
            "UPDATE deliveries SET waiting = coalesce(waiting, ?), due = 0 "
            "WHERE output = ? AND kind = ? AND id = ?",
            [(self._now(), output, item.kind, item.id) for item in items],
        )

    def backlog(self, output: str) -> tuple[int, int | None]:
        """How many are owed to `output`, and since when (ms) the longest waits."""
        count, since = self.store.execute(
            "SELECT count(*), min(waiting) FROM deliveries WHERE output = ? "
            "AND waiting IS NOT NULL",
            (output,),
        ).fetchone()
        return int(count), since

    def prune(self, before: int) -> int:
        """Drop what last changed before `before` (ms) and is owed to nobody; how many."""
        with transaction(self.store) as store:
            dropped = store.execute(
                "DELETE FROM items WHERE changed < ? AND NOT EXISTS (SELECT 1 FROM deliveries d "
                "WHERE d.kind = items.kind AND d.id = items.id AND d.waiting IS NOT NULL)",
                (before,),
            ).rowcount
            store.execute(
                "DELETE FROM deliveries WHERE waiting IS NULL AND NOT EXISTS (SELECT 1 FROM items i"
                " WHERE i.kind = deliveries.kind AND i.id = deliveries.id)"
            )
            store.execute("DELETE FROM paged WHERE made < ?", (before,))
            store.execute("DELETE FROM pages WHERE made < ? AND due IS NULL", (before,))
            store.execute("DELETE FROM campaigns WHERE made < ?", (before,))
            store.execute("DELETE FROM members WHERE made < ?", (before,))
            store.execute("DELETE FROM calls WHERE at < ?", (before,))
        return dropped


def _with(item: Item, incident: str) -> Item:
    return replace(item, incident=incident) if incident else item


def find(store: sqlite3.Connection, kind: Kind, start: str) -> list[Item]:
    """The items whose id begins with `start`, at most two: more is ambiguous anyway."""
    rows = store.execute(
        "SELECT body FROM items WHERE kind = ? AND substr(id, 1, ?) = ? LIMIT 2",
        (kind, len(start), start),
    ).fetchall()
    return [item_of(kind, body) for (body,) in rows]
