"""Who is woken for what: grave, live, fresh, unmuted; once a subject; never a flood."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from detectors.alerts import Alert
from notifier.soc.acknowledge import acknowledge, acknowledged
from notifier.soc.item import OWN_SYSTEM, UNDELIVERED
from notifier.soc.pager import items_of, size_of
from notifier.soc.paging import Limits, Paging
from notifier.soc.policy import Policy, Reason, nothing_muted
from notifier.soc.queue import Queue

from .made import DAY, HOUR, MINUTE, START, Clock, item, made_metrics, queue

QUIET = timedelta(hours=6)


class Desk:
    """A queue that is looked at for paging."""

    def __init__(self, folder: Path, *, per_hour: int = 5, policy: Policy = nothing_muted) -> None:
        self.clock = Clock()
        self.queue: Queue = queue(folder, self.clock)
        limits = Limits(quiet=lambda _: QUIET, per_hour=per_hour)
        self.paging = Paging(self.queue, limits, policy, made_metrics())

    def see(self, *numbers: int, revision: int = 1, **fields: Any) -> None:
        """Alerts that arrive now."""
        self.queue.put([item(number, revision, **fields) for number in numbers])
        self.paging.look(self.clock.now)

    @property
    def pages(self) -> list[tuple[str, str, int]]:
        """Kind, severity and how many alerts of each page so far."""
        rows = self.queue.store.execute("SELECT page, kind, severity FROM pages ORDER BY page")
        return [(kind, severity, self.count(page)) for page, kind, severity in rows.fetchall()]

    def count(self, page: int) -> int:
        """How many alerts stand on a page."""
        assert len(items_of(self.queue.store, page)) == size_of(self.queue.store, page)
        return size_of(self.queue.store, page)


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """Give a desk with five pages an hour."""
    return Desk(tmp_path)


def test_a_grave_live_fresh_alert_wakes_somebody_once(desk: Desk) -> None:
    """However many revisions it gets."""
    for revision in range(1, 9):
        desk.see(1, revision=revision)

    assert desk.pages == [("alert", "high", 1)]


@pytest.mark.parametrize(
    "fields",
    [
        {"severity": "low"},
        {"severity": "medium"},
        {"mode": "staged"},
        {"system": "_canary"},
        {"opened_at": (START - timedelta(hours=24, seconds=1)).isoformat()},
        {"opened_at": (START + timedelta(hours=24, seconds=1)).isoformat()},
        {"opened_at": "2021-11-25T01:00:00Z", "severity": "critical"},
    ],
)
def test_nobody_is_woken_for_less_for_trials_imports_or_old_alerts(
    desk: Desk, fields: dict[str, Any]
) -> None:
    """Promise 7: 24 hours by event time, whenever it arrives."""
    desk.see(1, **fields)

    assert desk.pages == []


@pytest.mark.parametrize("opened", ["", "yesterday", "2026-11-23T06:00:00"])
def test_an_alert_that_cannot_be_dated_wakes(desk: Desk, opened: str) -> None:
    """Somebody looks, rather than nobody."""
    desk.see(1, opened_at=opened)

    assert desk.pages == [("alert", "high", 1)]


def test_the_same_rule_on_the_same_subject_pages_once_within_its_quiet_time(desk: Desk) -> None:
    """A new alert of it joins the page; another subject, or the time passed, is another page."""
    desk.see(1, subject="203.0.113.7")
    desk.clock.pass_(HOUR)
    desk.see(2, subject="203.0.113.7")
    assert desk.pages == [("alert", "high", 2)]

    desk.see(3, subject="203.0.113.8")
    desk.see(4, subject="203.0.113.7", rule="ip_fail_burst")
    desk.clock.pass_(5 * HOUR + 1)
    desk.see(5, subject="203.0.113.7")
    assert desk.pages == [("alert", "high", n) for n in (2, 1, 1, 1)]


def test_a_graver_alert_pages_again(desk: Desk) -> None:
    """Of the same subject, or as a later revision of the same alert."""
    desk.see(1, subject="203.0.113.7")
    desk.see(2, subject="203.0.113.7", severity="critical")
    desk.see(3, subject="203.0.113.8")
    desk.see(3, revision=2, subject="203.0.113.8", severity="critical")

    assert [severity for _, severity, _ in desk.pages] == ["high", "critical", "high", "critical"]


def test_a_flood_is_five_pages_and_one_digest(desk: Desk) -> None:
    """Of a thousand alerts in an hour five page, one page names the rest; none is lost."""
    for number in range(1000):
        desk.see(number, subject=f"198.51.100.{number % 250}-{number}")
        desk.clock.pass_(3_000)

    assert desk.pages == [("alert", "high", 1)] * 5 + [("digest", "high", 995)]


def test_critical_always_gets_through(desk: Desk) -> None:
    """Though the hour's pages are used up."""
    desk.see(*range(100))
    before = len(desk.pages)
    desk.see(200, severity="critical")

    assert desk.pages[before:] == [("alert", "critical", 1)]


def test_held_alerts_after_an_acknowledged_digest_are_told_again(desk: Desk) -> None:
    """What joins nothing open waits for the next hour's digest, and is in it."""
    desk.see(*range(10))
    page = len(desk.pages)
    held = [found for found in desk.queue.owed("one", 99) if found.item.id]
    acknowledge(desk.queue.store, [one.item for one in held], "chen", "seen", desk.clock.now)
    assert acknowledged(desk.queue.store, page)
    desk.queue.store.execute("UPDATE pages SET due = NULL WHERE page = ?", (page,))

    desk.clock.pass_(MINUTE)
    desk.see(20, 21)
    assert len(desk.pages) == page
    desk.clock.pass_(HOUR)
    desk.paging.look(desk.clock.now)

    assert desk.pages[page:] == [("digest", "high", 2)]


def test_who_has_acknowledged_is_not_woken_again(desk: Desk) -> None:
    """Unless the alert grows graver than what was acknowledged."""
    desk.queue.put([item(1)])
    acknowledge(desk.queue.store, [item(1)], "chen", "mine", desk.clock.now)
    desk.paging.look(desk.clock.now)
    assert desk.pages == []

    desk.see(1, revision=2, severity="critical")
    assert desk.pages == [("alert", "critical", 1)]


def test_an_old_acknowledgement_does_not_end_a_graver_page(desk: Desk) -> None:
    """It was given for less than what the page says now."""
    desk.see(1)
    acknowledge(desk.queue.store, [item(1)], "chen", "mine", desk.clock.now)
    assert acknowledged(desk.queue.store, 1)
    desk.clock.pass_(MINUTE)
    desk.see(1, revision=2, severity="critical")

    assert not acknowledged(desk.queue.store, 2)
    acknowledge(desk.queue.store, [item(1, 2, severity="critical")], "wu", "x", desk.clock.now)
    assert acknowledged(desk.queue.store, 2)


def test_a_mute_is_asked_before_every_page(tmp_path: Path) -> None:
    """It sees alert and time, and outputs get the alert all the same."""
    asked: list[tuple[Alert, datetime]] = []

    def mute(alert: Alert, now: datetime) -> Reason | None:
        asked.append((alert, now))
        return Reason(entry="M1", by="lin", text="load test") if alert.rule == "muted" else None

    desk = Desk(tmp_path, policy=mute)
    desk.see(1, rule="muted")
    desk.see(2)

    assert desk.pages == [("alert", "high", 1)]
    assert asked[0][1] == START.astimezone(UTC)
    assert desk.queue.backlog("one")[0] == 2


def test_our_own_alert_wakes_and_its_end_does_not(desk: Desk) -> None:
    """Undelivered alerts wake somebody; that paging fails, or that all is well, nobody."""
    own: dict[str, Any] = {"system": OWN_SYSTEM, "rule": UNDELIVERED}
    desk.see(1, subject="webhook", counts={"waiting": 3}, **own)
    desk.see(1, revision=2, subject="webhook", counts={"waiting": 0}, **own)
    desk.see(2, subject="roster", counts={"waiting": 1}, **own)
    desk.see(3, subject="syslog", counts={"waiting": 0}, **own)

    assert desk.pages == [("alert", "high", 1)]


def test_a_crash_between_queue_and_decision_loses_no_page(desk: Desk) -> None:
    """What was queued and not looked at is looked at after the restart."""
    desk.queue.put([item(1)])
    again = Paging(
        desk.queue, Limits(quiet=lambda _: QUIET, per_hour=5), nothing_muted, made_metrics()
    )
    desk.clock.pass_(DAY // 2)

    assert again.look(desk.clock.now) == 1
    assert again.look(desk.clock.now) == 0
    assert desk.pages == [("alert", "high", 1)]
