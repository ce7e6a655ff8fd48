"""Lag in records, in time, and against retention."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from stream.watch.lag import LAG, RETENTION, STOPPED, Bounds, Standing, lags, stopped

NOW = 1_800_000_000_000
DAY = timedelta(days=1)
BOUNDS = Bounds(lag_after=timedelta(minutes=2), retention=7 * DAY, retention_percent=50)


def standing(**more: Any) -> Standing:
    """Detect on one partition; 10 unread, the oldest just now."""
    fields: dict[str, Any] = {
        "part": "detect",
        "topic": "logins",
        "partition": 0,
        "committed": 90,
        "begin": 0,
        "end": 100,
        "oldest_ms": NOW,
    }
    return Standing(**(fields | more))


def aged(span: timedelta) -> int:
    """The time `span` ago."""
    return NOW - int(span.total_seconds() * 1000)


@pytest.mark.parametrize(
    ("given", "rules"),
    [
        pytest.param({}, [], id="just arrived"),
        pytest.param({"oldest_ms": aged(timedelta(seconds=119))}, [], id="one second below"),
        pytest.param({"oldest_ms": aged(timedelta(seconds=120))}, [LAG], id="at the limit"),
        pytest.param({"oldest_ms": aged(3.5 * DAY)}, [LAG, RETENTION], id="half of retention"),
        pytest.param({"committed": 100, "oldest_ms": None}, [], id="all is read"),
        pytest.param({"committed": None, "oldest_ms": aged(DAY)}, [LAG], id="nothing ever read"),
        pytest.param({"begin": 95, "oldest_ms": NOW}, [RETENTION], id="deleted before it was read"),
    ],
)
def test_a_part_is_late_by_time_and_in_danger_by_retention(
    given: dict[str, Any], rules: list[str]
) -> None:
    """Lag alarms by age; what retention will delete unread, or has, alarms more gravely."""
    found = list(lags([standing(**given)], BOUNDS, NOW))

    assert [one.rule for one in found] == rules
    assert all(one.severity == "critical" for one in found if one.rule == RETENTION)


def test_partitions_of_a_part_are_one_alarm() -> None:
    """Sixty-four partitions behind wake somebody once."""
    old = aged(timedelta(minutes=5))

    (found,) = lags([standing(partition=n, oldest_ms=old) for n in range(64)], BOUNDS, NOW)

    assert found.counts == {"behind": 640, "oldest_s": 300}


def test_a_compacted_topic_deletes_nothing_by_age() -> None:
    """Without retention only lag alarms."""
    bounds = Bounds(lag_after=timedelta(minutes=2), retention=None, retention_percent=50)

    assert [one.rule for one in lags([standing(oldest_ms=aged(DAY))], bounds, NOW)] == [LAG]


@pytest.mark.parametrize(
    ("judged", "oldest", "rules"),
    [
        pytest.param(timedelta(seconds=130), timedelta(seconds=130), [STOPPED], id="stands still"),
        pytest.param(timedelta(seconds=1), timedelta(seconds=130), [], id="behind, but judging"),
        pytest.param(timedelta(seconds=130), timedelta(seconds=1), [], id="nothing came until now"),
    ],
)
def test_detection_stands_still_where_logins_wait_and_nothing_is_judged(
    judged: timedelta, oldest: timedelta, rules: list[str]
) -> None:
    """Neither a quiet night nor a large backlog is a standstill."""
    standings = [standing(oldest_ms=aged(oldest))]

    found = stopped(standings, aged(judged), aged(DAY), timedelta(minutes=2), NOW)

    assert [one.rule for one in found] == rules


def test_a_watchdog_just_started_gives_detection_its_time() -> None:
    """Nothing judged ever is no standstill before it has been looked for that long."""
    standings = [standing(oldest_ms=aged(DAY))]

    assert not list(stopped(standings, None, NOW - 1000, timedelta(minutes=2), NOW))
    assert list(stopped(standings, None, NOW - 120_000, timedelta(minutes=2), NOW))
