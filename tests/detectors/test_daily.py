"""The day in numbers: by the calendar of its zone, each system apart, as counted elsewhere."""

from __future__ import annotations

from collections import Counter
from zoneinfo import ZoneInfo

import msgspec
import pytest

from detectors.daily import CANARY, Daily, Day
from detectors.events import LoginEvent
from tests.builders import DAY, HOUR, found, login, series
from tests.real_data import document, lines, logins

TAIPEI = "Asia/Taipei"


def rows(*events: LoginEvent, zone: str = TAIPEI) -> list[Day]:
    """The days of some events."""
    daily = Daily(ZoneInfo(zone), zone)
    for event in events:
        daily.add(event)
    return daily.rows()


def test_a_day_counts_attempts_failures_and_whom_they_touch() -> None:
    """Successes are attempts; addresses and accounts are those that failed, each once."""
    (day,) = rows(
        login(0, "a"),
        login(1, "b", ip="192.0.2.8"),
        login(2, "c", account="bob"),
        login(3, "d", outcome="success", account="carol", ip="192.0.2.9"),
        login(4, "e", account="eve", reason="unknown_account"),
        login(5, "f", account="eve", account_class="closed"),
        login(6, "g", account="dan", outcome="success", account_class="unknown"),
    )

    assert day == Day(
        date="2026-11-23",
        tz=TAIPEI,
        system="web",
        attempts=7,
        failures=5,
        failing_ips=2,
        failing_accounts=3,
        unknown_account_attempts=3,
        distinct_unknown_accounts=2,
        alerts=0,
        nil=False,
    )


def test_the_calendar_is_that_of_the_zone() -> None:
    """Midnight in Taipei is 16:00 UTC: the same events, other days."""
    before, after = login(10 * HOUR - 0.001, "a"), login(10 * HOUR, "b")

    assert [day.date for day in rows(before, after)] == ["2026-11-23", "2026-11-24"]
    assert [day.date for day in rows(before, after, zone="UTC")] == ["2026-11-23"]


def test_a_silent_system_has_a_nil_row() -> None:
    """Each system that occurs has a row on each day that occurs, and a quiet one says so."""
    days = rows(
        login(0, "a"),
        login(DAY, "b", system="app"),
        login(DAY + 1, "c", outcome="success"),
    )

    assert [(day.date[-2:], day.system, day.nil) for day in days] == [
        ("23", "app", True),
        ("23", "web", False),
        ("24", "app", False),
        ("24", "web", True),
    ]
    assert days[0].attempts == 0
    assert days[3].attempts == 1


def test_an_attempt_on_a_stranger_is_no_nil_day() -> None:
    """A success on an account that is no customer's is worth a look."""
    (day,) = rows(login(0, "a", outcome="success", account_class="closed"))

    assert (day.failures, day.unknown_account_attempts, day.nil) == (0, 1, False)


def test_what_is_no_login_and_what_is_ours_is_not_counted() -> None:
    """Orders and canaries stand in no day, and make none."""
    assert rows(login(0, "a", action="order"), login(0, "b", system=CANARY)) == []


def test_a_login_without_account_or_address_is_counted_as_far_as_it_goes() -> None:
    """It is one nameless account, and no address."""
    (day,) = rows(login(0, "a", account=None, ip=None), login(1, "b", account=None, ip=None))

    assert (day.failures, day.failing_accounts, day.failing_ips) == (2, 1, 0)


def test_alerts_count_on_the_day_they_opened() -> None:
    """Each on its system's row; our own canary's on none."""
    alerts = found(series(10, every=1, start=10 * HOUR - 5))
    canary = msgspec.structs.replace(alerts[0], system=CANARY)
    daily = Daily(ZoneInfo(TAIPEI), TAIPEI)

    for alert in (*alerts, canary):
        daily.add_alert(alert)

    assert [(day.date, day.system, day.alerts) for day in daily.rows()] == [
        ("2026-11-24", "web", 1)
    ]


@pytest.mark.parametrize(
    ("events", "counts"),
    [
        ("drillworkshop-auth/events.jsonl", "drillworkshop-auth/daily.json"),
        ("loghub/events.jsonl", "loghub/daily.json"),
        ("loghub/events_linux.jsonl", "loghub/daily_linux.json"),
        ("o365spray-otrf/events.jsonl", "o365spray-otrf/daily.json"),
        ("zeek-ftp-bruteforce/events.jsonl", "zeek-ftp-bruteforce/daily.json"),
    ],
)
def test_days_of_real_logs_are_as_counted_elsewhere(events: str, counts: str) -> None:
    """Every number of every day, in two time zones, of five public logs."""
    logs = logins(events)

    for zone, expected in document(counts).items():
        days = {
            day.date: {
                "attempts": day.attempts,
                "failures": day.failures,
                "failing_ips": day.failing_ips,
                "failing_users": day.failing_accounts,
                "unknown_account_attempts": day.unknown_account_attempts,
                "distinct_unknown_accounts": day.distinct_unknown_accounts,
            }
            for day in rows(*logs, zone=zone)
        }
        assert days == expected


@pytest.mark.parametrize(
    ("events", "reference"),
    [
        ("drillworkshop-auth/events.jsonl", "drillworkshop-auth.jsonl"),
        ("loghub/events.jsonl", "loghub.jsonl"),
        ("loghub/events_linux.jsonl", "loghub-linux.jsonl"),
        ("o365spray-otrf/events.jsonl", "o365spray-otrf.jsonl"),
        ("zeek-ftp-bruteforce/events.jsonl", "zeek-ftp-bruteforce.jsonl"),
    ],
)
def test_addresses_that_a_peer_names_are_named(events: str, reference: str) -> None:
    """Of those with ten failures or more that CrowdSec alerts on, none is missing."""
    logs = logins(events)
    failures = Counter(event.ip for event in logs if event.outcome == "failure")
    peers = {ip for line in lines(f"_crowdsec_reference/{reference}") for ip in line["ips"]}

    ours = {ip for alert in found(logs, cut=len(logs)) for ip in alert.ips}

    assert {ip for ip in peers if failures[ip] >= 10} <= ours
