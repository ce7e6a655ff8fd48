"""Which alerts wake somebody: few enough to be answered, and never a grave one less."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, Literal

import structlog
from msgspec.json import encode

from detectors.alerts import Alert
from detectors.incidents.pages import waking
from detectors.incidents.sums import Sum
from detectors.rule import SEVERITIES

from .campaigns import Campaigns
from .item import OWN_SYSTEM, Item, item_of, own_item
from .metrics import SocMetrics
from .policy import Policy, Reason
from .queue import Queue
from .store import transaction
from .undelivered import ROSTER

FRESH: Final = timedelta(hours=24)
"""Nobody is woken for an alert opened longer ago (DESIGN.md 9, promise 7), by imports least."""

_HOUR_MS: Final = 3_600_000
_AT_ONCE: Final = 500

Outcome = Literal["quiet", "muted", "acknowledged", "grouped", "held", "page"]
"""quiet: it is not one that wakes anybody. grouped: its subject was paged within the quiet time.
held: the hour's pages are used up; the next digest names it.
"""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """`quiet` gives the quiet time of a rule; `per_hour` is the most pages an hour."""

    quiet: Callable[[str], timedelta]
    per_hour: int


class Paging:
    """Decides over the alerts of a queue and makes pages; `Pager` carries them to people."""

    def __init__(
        self,
        queue: Queue,
        limits: Limits,
        policy: Policy,
        metrics: SocMetrics,
        campaigns: Campaigns | None = None,
    ) -> None:
        self._queue = queue
        self._store = queue.store
        self._limits = limits
        self._policy = policy
        self._metrics = metrics
        self._campaigns = campaigns

    def look(self, now: int) -> int:
        """Decide over every revision that was not looked at; how many there were.

        The decisions and the marks that they were made are one transaction, for a flood too.
        """
        rows = self._store.execute(
            "SELECT kind, body FROM items WHERE looked < revision ORDER BY changed LIMIT ?",
            (_AT_ONCE,),
        ).fetchall()
        seen = [(item := item_of(kind, body), self._muted(item.alert, now)) for kind, body in rows]
        # Before the marks: killed between the two, we make these again, equal.
        instead = [muted.instead for _, muted in seen if muted is not None and muted.instead]
        if instead:
            self._queue.put([own_item(alert) for alert in instead])
        if self._campaigns is not None:
            self._campaigns.add(item.alert for item, _ in seen)
        outcomes: list[tuple[Outcome, Item]] = []
        if seen:
            with transaction(self._store) as store:
                for item, muted in seen:
                    outcome: Outcome = "muted" if muted else self._decide(item.alert, now)
                    outcomes.append((outcome, item))
                    store.execute(
                        "UPDATE items SET looked = max(looked, ?) WHERE kind = ? AND id = ?",
                        (item.alert.revision, item.kind, item.id),
                    )
        self._say(outcomes)
        self._digest(now)
        return len(rows)

    def _say(self, outcomes: list[tuple[Outcome, Item]]) -> None:
        for outcome, item in outcomes:
            if outcome != "quiet":
                self._metrics.pages.labels(outcome).inc()
            if outcome in {"page", "muted"}:
                log.info("alert", outcome=outcome, alert=item.key, severity=item.alert.severity)

    def _muted(self, alert: Alert, now: int) -> Reason | None:
        at = datetime.fromtimestamp(now / 1000, tz=UTC)
        muted = self._policy(alert, at) if wakes(alert, at) else None
        if muted is not None:
            log.info(
                "page muted",
                alert=alert.alert_id,
                entry=muted.entry,
                by=muted.by,
                reason=muted.text,
            )
        return muted

    def _decide(self, alert: Alert, now: int) -> Outcome:
        at = datetime.fromtimestamp(now / 1000, tz=UTC)
        if not wakes(alert, at):
            return "quiet"
        known = self._store.execute(
            "SELECT severity, page FROM paged WHERE id = ?", (alert.alert_id,)
        ).fetchone()
        if known is not None and _rank(known[0]) >= _rank(alert.severity):
            return "quiet"
        return "acknowledged" if self._acknowledged(alert) else self._take(alert, now)

    def _take(self, alert: Alert, now: int) -> Outcome:
        """Its page: an earlier one of its subject, none for now, or one of its own."""
        incident = None if self._campaigns is None else self._campaigns.of(alert, now)
        if incident is not None and self._campaigns is not None:
            return self._take_of(incident, self._campaigns, alert, now)
        page = self._grouped(alert, now)
        if page is not None:
            self._note(alert, now, page)
            return "grouped"
        if alert.severity != "critical" and self._pages_since(now - _HOUR_MS) >= (
            self._limits.per_hour
        ):
            self._note(alert, now, None)
            return "held"
        self._note(alert, now, self._page("alert", alert.severity, now))
        return "page"

    def _take_of(self, incident: Sum, campaigns: Campaigns, alert: Alert, now: int) -> Outcome:
        """The same for an alert of an open incident, which pages as one."""
        before = campaigns.paged(incident)
        wish = waking(alert.rule, alert.severity, None if before is None else before.told)
        if wish == "grouped" and before is not None:
            self._note(alert, now, before.page)
            return "grouped"
        full = self._pages_since(now - _HOUR_MS) >= self._limits.per_hour
        if wish == "digest" or (full and alert.severity != "critical"):
            self._note(alert, now, None)
            return "held"
        page = self._page("incident", alert.severity, now)
        self._note(alert, now, page)
        campaigns.note(incident, alert, before, page, now)
        return "page"

    def _acknowledged(self, alert: Alert) -> bool:
        rows = self._store.execute(
            "SELECT severity FROM acknowledgements WHERE id = ?", (alert.alert_id,)
        )
        return any(_rank(severity) >= _rank(alert.severity) for (severity,) in rows)

    def _grouped(self, alert: Alert, now: int) -> int | None:
        """The page by which the same subject was told within the rule's quiet time."""
        since = now - int(self._limits.quiet(alert.rule).total_seconds() * 1000)
        rows = self._store.execute(
            "SELECT a.severity, a.page FROM paged a JOIN pages g USING (page) "
            "WHERE a.subject = ? AND g.made > ? ORDER BY g.made DESC",
            (subject_key(alert), since),
        ).fetchall()
        for severity, page in rows:
            if _rank(severity) >= _rank(alert.severity):
                return int(page)
        return None

    def _pages_since(self, since: int) -> int:
        (count,) = self._store.execute(
            "SELECT count(*) FROM pages WHERE kind <> 'digest' AND made > ?", (since,)
        ).fetchone()
        return int(count)

    def _page(self, kind: str, severity: str, now: int) -> int:
        made = self._store.execute(
            "INSERT INTO pages (kind, severity, made, level, due) VALUES (?, ?, ?, -1, ?)",
            (kind, severity, now, now),
        ).lastrowid
        return int(made or 0)

    def _note(self, alert: Alert, now: int, page: int | None) -> None:
        self._store.execute(
            "INSERT INTO paged VALUES (?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET "
            "severity = excluded.severity, made = excluded.made, page = excluded.page",
            (alert.alert_id, subject_key(alert), alert.severity, now, page),
        )

    def _digest(self, now: int) -> None:
        """Held alerts join the digest that is still open; else a new one, at most one an hour."""
        with transaction(self._store) as store:
            held = store.execute(
                "SELECT id FROM paged WHERE page IS NULL AND id NOT IN "
                "(SELECT id FROM acknowledgements)"
            ).fetchall()
            if not held:
                return
            last = store.execute(
                "SELECT page, made, due FROM pages WHERE kind = 'digest' ORDER BY page DESC LIMIT 1"
            ).fetchone()
            (incident,) = store.execute(
                "SELECT max(made) FROM pages WHERE kind = 'incident'"
            ).fetchone()
            if last is not None and last[2] is not None:
                page = int(last[0])
            elif max(last[1] if last else 0, incident or 0) > now - _HOUR_MS:
                return  # people were told of something an hour ago at most
            else:
                page = self._page("digest", "high", now)
                self._metrics.pages.labels("digest").inc()
            store.executemany(
                "UPDATE paged SET page = ? WHERE id = ?", [(page, one) for (one,) in held]
            )


def wakes(alert: Alert, at: datetime) -> bool:
    """Whether an alert of this kind and age may wake anybody at `at`."""
    if _rank(alert.severity) < _rank("high") or alert.mode != "live":
        return False
    if alert.system == OWN_SYSTEM and alert.subject.value == ROSTER:
        return False  # it says that paging does not work
    if alert.system == OWN_SYSTEM and not alert.counts.get("waiting"):
        return False  # it says that all is well again
    try:
        opened = datetime.fromisoformat(alert.opened_at)
    except ValueError:
        return True  # an alert that we cannot date is not one to sleep through
    if opened.tzinfo is None:
        return True
    return abs(at - opened) <= FRESH


def subject_key(alert: Alert) -> str:
    """What is paged once within a quiet time: this rule on this subject."""
    return encode([alert.rule, alert.system, alert.subject.type, alert.subject.value]).decode()


def _rank(severity: str) -> int:
    return SEVERITIES.index(severity) if severity in SEVERITIES else 0
