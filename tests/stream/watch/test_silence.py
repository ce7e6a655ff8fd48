"""Silent sources: by the register in trading hours, by rhythm at any hour."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest

from config.systems import CoreSystem, Register
from config.trading_days import TradingDays
from detectors.events import milliseconds
from stream.watch.silence import Rhythm, hour_of_week, silences

REGISTER = Register(
    (
        CoreSystem(
            name="trading-web",
            owner="Online trading",
            channels=("web",),
            sources=("trading-web",),
            silent_after=timedelta(minutes=5),
            since=date(2026, 1, 1),
        ),
    )
)
CALENDAR = TradingDays([])
HOUR, WEEK = 3_600_000, 168 * 3_600_000


def at(clock: str, day: str = "2026-11-25") -> int:
    """A time of a Wednesday in Taipei."""
    return milliseconds(datetime.fromisoformat(f"{day}T{clock}+08:00"))


@pytest.mark.parametrize(
    ("last", "now", "silent"),
    [
        pytest.param("10:00:00", "10:04:59", False, id="one second below"),
        pytest.param("10:00:00", "10:05:00", True, id="at its limit"),
        pytest.param("02:00:00", "08:34:59", False, id="trading has just begun"),
        pytest.param("02:00:00", "08:35:00", True, id="silent since trading began"),
        pytest.param("10:00:00", "14:30:00", False, id="trading is over"),
    ],
)
def test_a_registered_source_must_speak_in_trading_hours(last: str, now: str, silent: bool) -> None:
    """Silence counts within trading hours alone, and then alarms highly."""
    heard = {"trading-web": Rhythm(last_ms=at(last))}

    found = list(silences(heard, REGISTER, CALENDAR, at(now)))

    assert [one.severity for one in found] == ["high"] * silent


def test_nobody_is_woken_on_a_day_without_trading() -> None:
    """On a Saturday a registered source may be silent."""
    heard = {"trading-web": Rhythm(last_ms=at("09:00:00", "2026-11-28"))}

    assert not list(silences(heard, REGISTER, CALENDAR, at("11:00:00", "2026-11-28")))


def test_a_source_never_heard_and_our_own_are_no_alarm() -> None:
    """What is not connected stands in the daily record; the canary's source is ours."""
    heard = {"_watchdog": Rhythm(last_ms=at("01:00:00"))}

    assert not list(silences(heard, REGISTER, CALENDAR, at("11:00:00")))


def weekly(pause_ms: int, weeks: int, until: int) -> Rhythm:
    """A source that has spoken every `pause_ms` for `weeks`."""
    rhythm = Rhythm(last_ms=until - weeks * WEEK)
    for told in range(until - weeks * WEEK, until + 1, pause_ms):
        rhythm.hear(told)
    return rhythm


def test_a_rhythm_is_cold_until_the_hour_came_three_times() -> None:
    """Two weeks tell nothing: nobody is woken by them."""
    now = at("03:00:00")
    assert weekly(20 * 60_000, 2, now).usual_ms() is None

    assert weekly(20 * 60_000, 4, now).usual_ms() == 20 * 60_000


@pytest.mark.parametrize(("quiet_min", "silent"), [(59, False), (60, True)])
def test_a_source_silent_three_times_as_long_as_usual_alarms(quiet_min: int, silent: bool) -> None:
    """By rhythm an unregistered source is missed too, at night too."""
    now = at("03:00:00")
    heard = {"old-desk": weekly(20 * 60_000, 4, now)}

    found = list(silences(heard, Register(()), CALENDAR, now + quiet_min * 60_000))

    assert [one.severity for one in found] == ["medium"] * silent


def test_hours_of_the_week_begin_on_monday_in_taipei() -> None:
    """Monday 00:00 is 0, Sunday 23:00 is 167."""
    assert hour_of_week(at("00:00:00", "2026-11-23")) == 0
    assert hour_of_week(at("23:59:59", "2026-11-29")) == 167
