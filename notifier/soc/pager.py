"""Carries pages to the people on duty, level after level, until somebody acknowledges."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

import structlog

from config.failpoints import hit
from config.roster import Person, Roster

from .acknowledge import acknowledged
from .item import Item, item_of
from .metrics import SocMetrics
from .store import transaction
from .texts import page_text, spoken
from .ways import Message, NotTaken, Ways

LAST_ROUNDS: Final = 3
"""How often the last level is paged before the page counts as unanswered."""

RETRY_MS: Final = 60_000
"""Nobody could be reached at all: after this everything is tried again."""

_AT_ONCE: Final = 8
_NAMED: Final = 100
"""Alerts that a page names; it says how many there are."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A page as it stands; `level` is the one paged last, -1 before the first."""

    number: int
    kind: str
    severity: str
    level: int
    rounds: int


@dataclass(slots=True, kw_only=True)
class Pager:
    """`roster` is asked at every round: a roster read anew is in force at once.

    `unreachable` and `reached` are told whether a round got through to anybody.
    """

    store: sqlite3.Connection
    roster: Roster
    ways: Ways
    metrics: SocMetrics
    unreachable: Callable[[int], None]
    reached: Callable[[int], None]

    async def turn(self, now: int) -> int:
        """One round of every page that is due; how many there were."""
        rows = self.store.execute(
            "SELECT page, kind, severity, level, rounds FROM pages WHERE due <= ? "
            "ORDER BY severity = 'critical' DESC, page LIMIT ?",
            (now, _AT_ONCE),
        ).fetchall()
        pages = [
            Page(number=row[0], kind=row[1], severity=row[2], level=row[3], rounds=row[4])
            for row in rows
        ]
        await asyncio.gather(*(self._round(page, now) for page in pages))
        return len(pages)

    async def _round(self, page: Page, now: int) -> None:
        if acknowledged(self.store, page.number):
            self._end(page, "acknowledged")
            return
        first = self.roster.first.get(page.severity)
        if first is None:
            self._end(page, "no roster")
            log.error("nobody to page: the roster names no level", severity=page.severity)
            return
        last = len(self.roster.levels) - 1
        if page.rounds >= last - min(first, last) + LAST_ROUNDS:
            self._end(page, "unanswered")
            self.metrics.unanswered.inc()
            log.error("nobody acknowledged a page", page=page.number, rounds=page.rounds)
            return
        level, people = self._on_duty(min(max(first, page.level + 1), last), now)
        message = self._message(page)
        took = await asyncio.gather(*(self._tell(page, person, message) for person in people))
        hit("soc.paged")
        if not any(took):
            self._missed(page, level, last, now)
            return
        self.reached(now)
        after = self.roster.levels[level].escalate_after
        self._next(page, level, now + int(after.total_seconds() * 1000))

    def _on_duty(self, level: int, now: int) -> tuple[int, Sequence[Person]]:
        """The people of the first level from `level` on with anybody there.

        A page that finds nobody on duty goes to everybody: a hole in the plan is no reason to let
        an attack go on.
        """
        at = datetime.fromtimestamp(now / 1000, tz=UTC)
        for higher in range(level, len(self.roster.levels)):
            people = self.roster.on_duty(higher, at)
            if people:
                return higher, people
        log.error("nobody is on duty: everybody is paged", level=self.roster.levels[level].name)
        return len(self.roster.levels) - 1, tuple(self.roster.people.values())

    async def _tell(self, page: Page, person: Person, message: Message) -> bool:
        """Over the person's channels in their order, until one takes it; once a round."""
        known = self.store.execute(
            "SELECT way FROM calls WHERE page = ? AND round = ? AND person = ?",
            (page.number, page.rounds, person.name),
        ).fetchone()
        if known is not None:
            return True
        for channel in person.channels:
            send = self.ways.get(channel.way)
            try:
                if send is None:
                    raise NotTaken(f"{channel.way} is not configured")
                await send(channel.address, message)
            except NotTaken as failure:
                log.warning(
                    "page not taken", person=person.name, way=channel.way, reason=str(failure)
                )
                continue
            self._called(page, person, channel.way)
            return True
        self.metrics.calls.labels("none").inc()
        return False

    def _called(self, page: Page, person: Person, way: str) -> None:
        self.store.execute(
            "INSERT OR REPLACE INTO calls SELECT page, ?, ?, due, ? FROM pages WHERE page = ?",
            (page.rounds, person.name, way, page.number),
        )
        self.metrics.calls.labels(way).inc()
        log.info("paged", page=page.number, person=person.name, way=way, round=page.rounds)

    def _missed(self, page: Page, level: int, last: int, now: int) -> None:
        """Nobody was reached: the next level at once, and at the last one everything again."""
        if level < last:
            self.store.execute(
                "UPDATE pages SET level = ?, due = ? WHERE page = ?", (level, now, page.number)
            )
            return
        self.unreachable(now)
        self.store.execute(
            "UPDATE pages SET level = -1, due = ? WHERE page = ?", (now + RETRY_MS, page.number)
        )

    def _next(self, page: Page, level: int, due: int) -> None:
        self.store.execute(
            "UPDATE pages SET level = ?, rounds = rounds + 1, due = ? WHERE page = ?",
            (level, due, page.number),
        )

    def _end(self, page: Page, how: str) -> None:
        with transaction(self.store) as store:
            store.execute(
                "UPDATE pages SET due = NULL, ended = ? WHERE page = ?", (how, page.number)
            )

    def _message(self, page: Page) -> Message:
        alerts = [item.alert for item in items_of(self.store, page.number, _NAMED)]
        count = size_of(self.store, page.number)
        return Message(
            key=f"page:{page.number}:{page.rounds}",
            text=page_text(page.number, page.kind, alerts, count),
            spoken=spoken(page.kind, alerts, count),
            facts={
                "number": page.number,
                "kind": page.kind,
                "severity": page.severity,
                "round": page.rounds,
                "count": count,
                "alerts": [alert.alert_id for alert in alerts],
            },
        )


def items_of(store: sqlite3.Connection, page: int, limit: int = -1) -> list[Item]:
    """What stands on a page, the gravest and oldest first; all of it without a `limit`."""
    rows = store.execute(
        "SELECT i.kind, i.body FROM (SELECT id, severity, made FROM paged WHERE page = ? "
        "ORDER BY severity = 'critical' DESC, made, id LIMIT ?) p JOIN items i ON i.id = p.id "
        "AND i.kind = 'alert' ORDER BY p.severity = 'critical' DESC, p.made, p.id",
        (page, limit),
    ).fetchall()
    return [item_of(kind, body) for kind, body in rows]


def size_of(store: sqlite3.Connection, page: int) -> int:
    """How many alerts stand on a page."""
    (count,) = store.execute("SELECT count(*) FROM paged WHERE page = ?", (page,)).fetchone()
    return int(count)
