"""An incident wakes people once, again when it is graver or first hits somebody, and no more."""

from __future__ import annotations

from pathlib import Path

import pytest

from notifier.soc.campaigns import Campaigns
from notifier.soc.pager import size_of
from notifier.soc.paging import Limits, Paging
from notifier.soc.policy import nothing_muted

from .made import DAY, HOUR, MINUTE, item, made_metrics
from .test_paging import QUIET, Desk


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """Give a desk that knows incidents."""
    desk = Desk(tmp_path)
    _restart(desk)
    return desk


def _restart(desk: Desk) -> None:
    """As a process that begins anew."""
    limits = Limits(quiet=lambda _: QUIET, per_hour=5)
    campaigns = Campaigns(desk.queue.store)
    desk.paging = Paging(desk.queue, limits, nothing_muted, made_metrics(), campaigns)


def hit(desk: Desk, number: int, severity: str = "critical") -> None:
    """An account was hit from an address of the attack."""
    desk.queue.put(
        [
            item(
                1000 + number,
                rule="success_after_attack",
                severity=severity,
                accounts=[f"hit{number}"],
                subject=f"hit{number}",
                ips=["203.0.113.1"],
            )
        ]
    )
    desk.paging.look(desk.clock.now)


def test_a_thousand_alerts_of_an_attack_are_one_page(desk: Desk) -> None:
    """Over restarts, too; people see on the page how many there are by now."""
    for number in range(1, 1001):
        desk.see(number, subject=f"198.51.{number // 250}.{number % 250}")
        if number in {3, 500}:
            _restart(desk)

    assert desk.pages == [("incident", "high", 1000)]


def test_alerts_of_no_incident_page_singly(desk: Desk) -> None:
    """Two small ones are no attack; the third address makes one of them, which pages."""
    for number in (1, 2, 3):
        desk.see(number, subject=f"198.51.{number}.1", counts={"accounts": 2})

    assert [kind for kind, _, _ in desk.pages] == ["alert", "alert", "incident"]


def test_the_first_account_hit_wakes_and_the_others_are_a_digest_an_hour(desk: Desk) -> None:
    """Not one page an account, and none is forgotten."""
    desk.see(1)
    for number in range(5):
        desk.clock.pass_(MINUTE)
        hit(desk, number)
    assert [(kind, severity) for kind, severity, _ in desk.pages] == [
        ("incident", "high"),
        ("incident", "critical"),
    ]

    desk.clock.pass_(HOUR)
    desk.paging.look(desk.clock.now)

    assert desk.pages[2:] == [("digest", "high", 4)]


def test_a_first_hit_wakes_although_it_is_not_graver(desk: Desk) -> None:
    """Somebody is in: that is news of its own."""
    desk.see(1, severity="critical")
    hit(desk, 1, "high")

    assert [severity for _, severity, _ in desk.pages] == ["critical", "high"]


def test_what_comes_a_day_later_is_another_incident(desk: Desk) -> None:
    """It pages for itself."""
    desk.see(1)
    desk.clock.pass_(2 * DAY)
    later = "2026-11-25T06:00:00Z"
    desk.see(2, opened_at=later, updated_at=later)

    assert [size_of(desk.queue.store, page) for page in (1, 2)] == [1, 1]
