"""ip_fail_daily: 30 failures of one address in 24 hours, or a slow series without any success."""

from __future__ import annotations

from typing import Any

import pytest

from detectors.events import LoginEvent
from tests.builders import DAY, HOUR, MINUTE, QUIET, found, login, rules, series

from .timelines import Seen, Shape, case, common, seen

RULE = "ip_fail_daily"
SLOW_EVERY = 11 * MINUTE


def daily(start: float, **fields: Any) -> list[LoginEvent]:
    """Thirty failures, a minute apart."""
    return series(30, start=start, every=60, **fields)


def daily_stretched(seconds: float) -> list[LoginEvent]:
    """Thirty failures over `seconds`, most of them in the last half hour."""
    return [
        login(0, "first", account="account0"),
        *(login(seconds - 60 * n, f"e{n}", account="account0") for n in reversed(range(29))),
    ]


def slow(start: float, **fields: Any) -> list[LoginEvent]:
    """Four failures, eleven minutes apart."""
    return series(4, start=start, every=SLOW_EVERY, **fields)


def slow_stretched(seconds: float) -> list[LoginEvent]:
    """Four failures over `seconds`, the last three eleven minutes apart."""
    return [
        login(0, "first", account="account0"),
        *(login(seconds - SLOW_EVERY * n, f"e{n}", account="account0") for n in reversed(range(3))),
    ]


DAILY = Shape(
    rule=RULE,
    threshold=30,
    severity="medium",
    window=DAY,
    accounts=1,
    crossing=daily,
    stretched=daily_stretched,
    others_off={"slow_failures": 1000},
)
SLOW = Shape(
    rule=RULE,
    threshold=4,
    severity="medium",
    window=6 * HOUR,
    accounts=1,
    crossing=slow,
    stretched=slow_stretched,
    others_off={"failures": 1000},
)
DAILY_END = 29 * MINUTE
TIMELINES = [
    *common(DAILY),
    case(
        "a second quiet time is a second alert",
        daily(0) + daily(QUIET, name="again"),
        Seen("medium", DAILY_END, DAILY_END, 30, 1),
        # Thirty of the last 24 hours are still there: the first one more opens it.
        Seen("medium", QUIET, QUIET + DAILY_END, 60, 1),
    ),
    case(
        "one alert grows within a quiet time",
        daily(0) + daily(HOUR, name="again"),
        Seen("medium", DAILY_END, HOUR + DAILY_END, 60, 1),
    ),
    case(
        "a login without an account",
        series(30, every=60, account=None),
        Seen("medium", DAILY_END, DAILY_END, 30, 0),
    ),
    # A carrier's NAT: 290 customers in a day, one in ten mistypes once.
    case(
        "many users behind one address",
        [
            login(290 * n, f"e{n}", account=f"user{n}", outcome="success" if n % 10 else "failure")
            for n in range(290)
        ],
    ),
    case(
        "six hours late",
        [*daily(HOUR)[:-1], login(7 * HOUR + 28 * MINUTE, "newest"), login(HOUR, "late")],
        Seen("medium", HOUR + 28 * MINUTE, HOUR + 28 * MINUTE, 30, 2),
        Seen("medium", 7 * HOUR + 28 * MINUTE, 7 * HOUR + 28 * MINUTE, 31, 2),
    ),
]
SLOW_END = 3 * SLOW_EVERY
SLOW_TIMELINES = [
    *common(SLOW),
    case("a gap of ten minutes sharp is not slow", series(12, every=10 * MINUTE)),
    case(
        "a gap of ten minutes and a millisecond is",
        series(4, every=10 * MINUTE + 0.001),
        Seen("medium", 1800.003, 1800.003, 4, 1),
    ),
    case("half of the gaps are short", [login(at, f"e{at}") for at in (0, 60, 720, 780, 1440)]),
    case(
        "most of the gaps are long",
        [login(at, f"e{at}") for at in (0, 660, 720, 1380)],
        Seen("medium", 1380, 1380, 4, 1),
    ),
    case(
        "a success within six hours ends the series",
        [login(300, "own", outcome="success"), *slow(0)],
    ),
    case(
        "a success more than six hours before does not",
        [login(-QUIET - 600, "own", outcome="success"), *slow(0)],
        Seen("medium", SLOW_END, SLOW_END, 4, 1),
    ),
    case(
        "a success in the slot that has not ended 60 s before comes too late",
        [*slow(0), login(SLOW_END - 30, "own", outcome="success")],
        Seen("medium", SLOW_END, SLOW_END, 4, 1),
    ),
    case(
        "a success of another address is another's",
        [login(300, "own", outcome="success", ip="192.0.2.99"), *slow(0)],
        Seen("medium", SLOW_END, SLOW_END, 4, 1),
    ),
    case("four at once are fast", series(4, every=0.5)),
]


@pytest.mark.parametrize(("events", "expected"), TIMELINES)
def test_daily_timeline(events: list[LoginEvent], expected: list[Seen]) -> None:
    """Thirty in a day, each timeline as its name says."""
    assert DAILY.judged(events) == expected


@pytest.mark.parametrize(("events", "expected"), SLOW_TIMELINES)
def test_slow_timeline(events: list[LoginEvent], expected: list[Seen]) -> None:
    """Four slow ones without a success, each timeline as its name says."""
    assert SLOW.judged(events) == expected


@pytest.mark.parametrize("cut", [1, 100])
def test_a_success_too_late_for_one_attempt_is_in_time_for_the_next(cut: int) -> None:
    """Its slot ends at 2400, 30 s before the fourth attempt: that one is hot, the fifth is not."""
    attempts = series(5, start=450, every=SLOW_EVERY)
    success = login(2399, "own", outcome="success", account="account0")

    assert SLOW.judged([*attempts[:3], success, *attempts[3:]], cut) == [
        Seen("medium", 2430, 2430, 4, 1)
    ]


def test_the_slow_series_and_the_full_day_are_two_alerts() -> None:
    """An address may cross both; each has its own id and its own sentence."""
    alerts = found(series(30, every=SLOW_EVERY), active=rules(only=RULE))

    parts = {(alert.threshold, alert.window_s) for alert in alerts}
    assert parts == {(4, 6 * HOUR), (30, DAY)}
    assert len({alert.alert_id for alert in alerts}) == len(alerts)
    assert [seen(alert) for alert in alerts if alert.threshold == 30] == [
        Seen("medium", 29 * SLOW_EVERY, 29 * SLOW_EVERY, 30, 1)
    ]
    slowly = [alert.summary for alert in alerts if alert.threshold == 4]
    assert all("slowly and without a success" in summary for summary in slowly)
