"""An alert when an alert could not be delivered: one an outage, told by every other way.

It is of the system `_loginward`, goes to the topic `alerts` too, and never to the output it speaks
of. Its id is made of the output and the start of the outage, which stands in the queue: a restart
does not tell it twice.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

import structlog

from detectors.alerts import Alert, AlertSubject, alert_id

from .item import OWN_SYSTEM, UNDELIVERED, Item, own_item
from .metrics import SocMetrics
from .queue import TOPIC, Queue
from .store import transaction

VERSION: Final = "1"
ROSTER: Final = "roster"
"""The name under which it is told that no page reached anybody."""

_BROKEN_ROSTER: Final = (
    "a page reached nobody over any channel; look at the console, and at `loginward alerts list`"
)

log = structlog.get_logger(__name__)


class Watch:
    """Looks at what each output owes. Times in milliseconds."""

    def __init__(self, queue: Queue, metrics: SocMetrics, after: timedelta) -> None:
        self._queue = queue
        self._metrics = metrics
        self._after = int(after.total_seconds() * 1000)

    def look(self, now: int) -> list[Item]:
        """The alerts that have to be told of outages now; already queued when this returns."""
        told: list[Item] = []
        for output in self._queue.outputs:
            count, since = self._queue.backlog(output)
            late = since is not None and now - since >= self._after
            self._metrics.undelivered.labels(output).set(int(late))
            # Of the topic itself nobody can be told by it; metric and log are all there is.
            if output == TOPIC:
                continue
            if late and since is not None:
                told += self.broken(output, count, since, now)
            elif since is None:
                told += self.mended(output, now)
        return told

    def broken(self, output: str, count: int, since: int, now: int) -> list[Item]:
        """A first alert, and one more whenever twice as many wait."""
        row = self._row(output)
        if row is not None and count < 2 * row[2]:
            return []
        start, revision = (since, 1) if row is None else (row[0], row[1] + 1)
        waited = timedelta(milliseconds=now - start)
        alert = self._alert(
            output,
            start,
            revision,
            now,
            count,
            _BROKEN_ROSTER
            if output == ROSTER
            else f"{output} has not taken {count} alert(s), the oldest for {_span(waited)}; "
            "they wait in the queue and nothing is lost, but nobody sees them there",
        )
        return self._tell(alert, output, start, count)

    def mended(self, output: str, now: int) -> list[Item]:
        """The last revision, once nothing waits any more."""
        row = self._row(output)
        if row is None:
            return []
        start, revision, _ = row
        lasted = _span(timedelta(milliseconds=now - start))
        alert = self._alert(
            output,
            start,
            revision + 1,
            now,
            0,
            f"a page reached somebody again, after {lasted}"
            if output == ROSTER
            else f"{output} takes alerts again; what waited was delivered, after {lasted}",
        )
        return self._tell(alert, output, None, 0)

    def _tell(self, alert: Alert, output: str, start: int | None, count: int) -> list[Item]:
        item = own_item(alert)
        # The alert first: if we die between the two it is made again, equal, and dropped.
        self._queue.put([item])
        with transaction(self._queue.store) as store:
            if start is None:
                store.execute("DELETE FROM outages WHERE output = ?", (output,))
            else:
                store.execute(
                    "INSERT INTO outages VALUES (?, ?, ?, ?) ON CONFLICT (output) DO UPDATE SET "
                    "revision = excluded.revision, told = excluded.told",
                    (output, start, alert.revision, count),
                )
        if start is None:
            log.info("alerts are delivered again", output=output, summary=alert.summary)
        else:
            log.error("alerts could not be delivered", output=output, summary=alert.summary)
        return [item]

    def _row(self, output: str) -> tuple[int, int, int] | None:
        row = self._queue.store.execute(
            "SELECT since, revision, told FROM outages WHERE output = ?", (output,)
        ).fetchone()
        return None if row is None else (int(row[0]), int(row[1]), int(row[2]))

    def _alert(
        self, output: str, start: int, revision: int, now: int, count: int, summary: str
    ) -> Alert:
        return Alert(
            alert_id=alert_id(
                UNDELIVERED, VERSION, "", (OWN_SYSTEM, "global", output), start // 1000
            ),
            revision=revision,
            system=OWN_SYSTEM,
            rule=UNDELIVERED,
            rule_version=VERSION,
            severity="high",
            opened_at=_written(start),
            updated_at=_written(now),
            subject=AlertSubject(type="global", value=output),
            counts={"waiting": count, "waited_s": (now - start) // 1000},
            window_s=self._after // 1000,
            threshold=1,
            accounts=[],
            ips=[],
            event_ids=[],
            attack_ids=[],
            checklist_item="",
            summary=summary,
        )


def _written(ms: int) -> str:
    at = datetime.fromtimestamp(ms // 1000, tz=UTC).replace(microsecond=ms % 1000 * 1000)
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _span(span: timedelta) -> str:
    seconds = int(span.total_seconds())
    return f"{seconds} s" if seconds < 120 else f"{seconds // 60} min"  # noqa: PLR2004 (two minutes)
