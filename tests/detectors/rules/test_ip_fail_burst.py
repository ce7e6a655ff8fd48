"""ip_fail_burst: 10 failures of one address in 2 minutes are medium, 20 in 10 minutes high."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest

from detectors.events import LoginEvent
from tests.builders import HOUR, IP, MINUTE, QUIET, found, login, rules, series

from .timelines import Seen, Shape, case, common, seen

RULE = "ip_fail_burst"


def short(start: float, **fields: Any) -> list[LoginEvent]:
    """Ten failures, ten seconds apart."""
    return series(10, start=start, every=10, **fields)


def long(start: float, **fields: Any) -> list[LoginEvent]:
    """Twenty failures, thirty seconds apart: never more than four in two minutes."""
    return series(20, start=start, every=30, **fields)


def stretched(count: int, seconds: float) -> list[LoginEvent]:
    """`count` failures from 0 to `seconds`: all but the first within the last minute."""
    return [
        login(0, "first", account="account0"),
        *(login(seconds - n, f"e{n}", account="account0") for n in reversed(range(count - 1))),
    ]


SHORT = Shape(
    rule=RULE,
    threshold=10,
    severity="medium",
    window=2 * MINUTE,
    accounts=1,
    crossing=short,
    stretched=partial(stretched, 10),
    others_off={"many_failures": 1000},
)
LONG = Shape(
    rule=RULE,
    threshold=20,
    severity="high",
    window=10 * MINUTE,
    accounts=1,
    crossing=long,
    stretched=partial(stretched, 20),
    others_off={"failures": 1000},
)
TIMELINES = [
    *common(SHORT),
    case(
        "a second quiet time is a second alert",
        short(0) + short(QUIET, name="again"),
        Seen("medium", 90, 90, 10, 1),
        Seen("medium", QUIET + 90, QUIET + 90, 10, 1),
    ),
    case(
        "one alert grows within a quiet time",
        short(0) + short(HOUR, name="again"),
        Seen("medium", 90, HOUR + 90, 20, 1),
    ),
    case(
        "a login without an account",
        series(10, every=10, account=None),
        Seen("medium", 90, 90, 10, 0),
    ),
    # Forty customers of a carrier's NAT: one in ten mistypes once, over the same minutes.
    case(
        "many users behind one address",
        [
            login(15 * n, f"e{n}", account=f"user{n}", outcome="success" if n % 10 else "failure")
            for n in range(40)
        ],
    ),
    case(
        "just before the next quiet time",
        short(QUIET - 91),
        Seen("medium", QUIET - 1, QUIET - 1, 10, 1),
    ),
    case(
        "at the first instant of a quiet time",
        short(QUIET - 90),
        Seen("medium", QUIET, QUIET, 10, 1),
    ),
    case(
        "the last millisecond of a quiet time belongs to it",
        [*short(QUIET - 90.001), login(QUIET, "next", account="account0")],
        Seen("medium", QUIET - 0.001, QUIET - 0.001, 10, 1),
        Seen("medium", QUIET, QUIET, 11, 1),
    ),
    case(
        "ten in one millisecond",
        [login(0, f"e{n}") for n in range(10)],
        Seen("medium", 0, 0, 10, 1),
    ),
]


@pytest.mark.parametrize(("events", "expected"), TIMELINES)
def test_short_timeline(events: list[LoginEvent], expected: list[Seen]) -> None:
    """Ten in two minutes, each timeline as its name says."""
    assert SHORT.judged(events) == expected


@pytest.mark.parametrize(("events", "expected"), common(LONG))
def test_long_timeline(events: list[LoginEvent], expected: list[Seen]) -> None:
    """Twenty in ten minutes, each timeline as its name says."""
    assert LONG.judged(events) == expected


def test_medium_becomes_high_in_the_same_alert() -> None:
    """An alert that opened with ten is raised by twenty: one id, the higher limit."""
    (medium,) = found(short(0), active=rules(only=RULE))
    (high,) = found(series(20, every=10), active=rules(only=RULE))

    assert (medium.severity, medium.threshold, medium.window_s) == ("medium", 10, 120)
    assert (high.severity, high.threshold, high.window_s) == ("high", 20, 600)
    assert high.alert_id == medium.alert_id
    assert high.opened_at == medium.opened_at
    assert high.revision > medium.revision


def test_the_alert_convicts_on_its_own() -> None:
    """Subject, counts, limit, evidence and ids stand in the alert, and no account as typed."""
    (alert,) = found(short(0, accounts=3), active=rules(only=RULE))

    assert alert.event_ids == [f"e{n}" for n in range(10)]
    assert alert.ips == [IP]
    assert len(alert.accounts) == 3
    assert not any("account" in name for name in alert.accounts)
    assert alert.summary == (
        f"10 failed logins on 3 accounts from {IP}: at least 10 within 2 minutes"
    )
    assert (alert.checklist_item, alert.mode) == ("14", "live")
    assert seen(alert) == Seen("medium", 90, 90, 10, 3)


def test_each_hot_window_of_a_quiet_time_is_evidence() -> None:
    """A short burst just behind the boundary also shows the long window that it ends."""
    before = series(25, every=25, start=QUIET - 625)
    after = series(10, every=2, start=QUIET + 30, name="after")

    first, second = found([*before, *after], active=rules(only=RULE))

    in_window = [event.event_id for event in (*before, *after)][3:]
    assert seen(first)[1:4] == (QUIET - 150, QUIET - 25, 25)
    assert second.severity == "high"
    assert set(second.event_ids) == set(in_window)
