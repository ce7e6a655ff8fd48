"""The record of a day: who was heard, and what deviates."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from archive.daily.record import DayRecord, decode, written
from config.systems import Register, load_systems
from tests.builders import login as plain

from .archives import (
    MONDAY,
    Shelf,
    at,
    attempt,
    counted,
    in_order,
    month,
    nobody,
    steady,
)

HOLIDAY = date(2026, 12, 25)
SUNDAY = MONDAY - timedelta(days=1)


def system(record: DayRecord, name: str) -> Any:
    """What the record says of one system."""
    return next(one for one in record.systems if one.system == name)


def test_the_same_archive_gives_the_same_bytes(tmp_path: Path) -> None:
    """No clock, no order of a folder, no random number stands in it; and it reads back."""
    shelf = Shelf(tmp_path)
    month(shelf)
    shelf.logins(steady(MONDAY))
    first = written(counted(shelf.store))

    shelf.logins(steady(MONDAY + timedelta(days=2)))

    whole = counted(shelf.store)
    assert written(counted(shelf.store)) == written(whole)
    assert decode(written(whole)) == whole
    # Once the day is over and sealed, later days change nothing in it.
    shelf.logins(steady(MONDAY + timedelta(days=3)))
    assert written(counted(shelf.store)) == written(whole)
    assert first != written(whole)


def test_a_zero_day_is_not_a_dead_day(tmp_path: Path) -> None:
    """No login at all: a row of zeros for every registered system, and which one fell silent."""
    shelf = Shelf(tmp_path)
    month(shelf, days=20)
    shelf.logins(steady(MONDAY + timedelta(days=1)))

    record = counted(shelf.store)

    assert [day.system for day in record.days] == [s.name for s in load_systems().systems]
    assert all(day.nil and not day.attempts for day in record.days)
    assert {one.system: one.presence for one in record.systems} == {
        "trading-web": "silent",
        "trading-app": "not_connected",
        "dma-gateway": "not_connected",
        "phone-desk": "not_connected",
    }
    [source] = system(record, "trading-web").sources
    assert [(s.since, s.until, s.trading) for s in source.silent] == [
        ("00:00:00", "24:00:00", True)
    ]
    assert next((d.kind, d.normal.value - (d.normal.median or 0)) for d in record.deviations) == (
        "attempts",
        -20,
    )
    assert record.completeness.whole_day


def test_an_empty_archive_has_a_record(tmp_path: Path) -> None:
    """Before anything was archived a day is a page too, and says that nothing is known."""
    record = counted(Shelf(tmp_path).store)

    assert record.as_of is None
    assert record.completeness.sealed_through is None
    assert not record.completeness.whole_day
    assert {one.presence for one in record.systems} == {"not_connected"}
    assert system(record, "trading-web").sources[0].silent == []


@pytest.mark.parametrize(
    ("day", "kind", "holiday"),
    [
        (MONDAY, "trading", ""),
        (SUNDAY, "weekend", ""),
        (HOLIDAY, "holiday", "Constitution Day"),
        (date(2027, 1, 1), "weekday", ""),
    ],
)
def test_every_kind_of_day_has_a_record(tmp_path: Path, day: date, kind: str, holiday: str) -> None:
    """Holidays are marked; a year without a calendar is said to have none."""
    record = counted(Shelf(tmp_path).store, day)

    assert (record.kind, record.holiday_en) == (kind, holiday)
    assert bool(record.calendar_source) == (day.year == 2026)


def test_silence_on_a_holiday_is_not_one_in_trading_hours(tmp_path: Path) -> None:
    """A source may rest when there is no trading; the silence is shown all the same."""
    shelf = Shelf(tmp_path)
    shelf.logins([attempt(at(SUNDAY, "01:00:00"), "a"), attempt(at(SUNDAY, "20:00:00"), "b")])
    shelf.logins([attempt(at(MONDAY, "01:00:00"), "c"), attempt(at(MONDAY, "20:00:00"), "d")])

    told = [system(counted(shelf.store, day), "trading-web") for day in (SUNDAY, MONDAY)]

    source = [one.sources[0] for one in told]
    assert [[s.trading for s in one.silent] for one in source] == [
        [False, False, False],
        [False, True],
    ]
    assert source[0].silent[1].seconds == 19 * 3600


def test_who_is_not_registered_is_named(tmp_path: Path) -> None:
    """An unregistered system that was heard stands in the record like any other, marked."""
    shelf = Shelf(tmp_path)
    shelf.logins([attempt(at(MONDAY, "10:00:00"), "a", system="shadow-it", source="box")])

    record = counted(shelf.store)

    assert record.unregistered == ["shadow-it"]
    found = system(record, "shadow-it")
    assert (found.registered, found.presence) == (False, "heard")
    assert record.days[-1].system == "shadow-it"


def test_a_retired_system_is_not_missed(tmp_path: Path) -> None:
    """After its last day in the register nobody waits for it."""
    register = Register(tuple(s for s in load_systems().systems if s.name == "phone-desk"))

    assert [d.system for d in counted(Shelf(tmp_path).store, register=register).days] == [
        "phone-desk"
    ]
    long_ago = date(2025, 6, 2)
    assert counted(Shelf(tmp_path).store, long_ago, register=register).days == []


def test_an_attack_is_the_largest_deviation(tmp_path: Path) -> None:
    """The address that failed most, its accounts and the day's figures, largest first, capped."""
    shelf = Shelf(tmp_path)
    month(shelf)
    begin = at(MONDAY, "10:00:00")
    attack = [
        attempt(
            begin + timedelta(seconds=n),
            f"x{n}",
            ip="203.0.113.9",
            account=f"S{n}",
            reason="unknown_account",
        )
        for n in range(400)
    ]
    shelf.logins(in_order(steady(MONDAY), attack))
    shelf.alerts(at(MONDAY, "23:00:00"))

    record = counted(shelf.store)

    assert [d.id for d in record.deviations] == [
        f"D{n}" for n in range(1, len(record.deviations) + 1)
    ]
    scores = [abs(d.normal.score or 0) for d in record.deviations]
    assert scores == sorted(scores, reverse=True)
    assert {d.kind for d in record.deviations[:3]} >= {"address", "unknown_account_attempts"}
    assert ("address", "203.0.113.9") in {(d.kind, d.subject) for d in record.deviations}
    top = system(record, "trading-web").tops[0]
    assert (top.value, top.failures, top.accounts, top.strangers) == ("203.0.113.9", 400, 400, 400)
    assert [a.severity for a in record.alerts][:1] == ["high"]
    assert {a.state for a in record.alerts} == {"at_rest"}


def test_the_first_week_is_a_cold_start(tmp_path: Path) -> None:
    """With three days of history nothing deviates, and the record says why."""
    shelf = Shelf(tmp_path)
    month(shelf, days=3)
    shelf.logins(steady(MONDAY, count=400))

    record = counted(shelf.store)

    assert record.deviations == []
    found = system(record, "trading-web")
    assert found.normal["failures"].score is None
    assert found.normal["failures"].days == 3
    assert [day.known for day in found.past] == [False] * 27 + [True] * 3


def test_one_system_alone(tmp_path: Path) -> None:
    """With a system asked for, nothing of another one stands in the record."""
    shelf = Shelf(tmp_path)
    shelf.logins([attempt(at(MONDAY, "01:00:00"), "a"), plain(0, "b", system="other")])

    record = counted(shelf.store, register=nobody(), system="other")

    assert [one.system for one in record.systems] == ["other"]
    assert [day.system for day in record.days] == ["other"]


def test_a_short_day_has_its_hours(tmp_path: Path) -> None:
    """Where clocks are changed a day has 23 hours, and every login its own."""
    from zoneinfo import ZoneInfo

    from archive.daily.span import DaySpan

    spring = DaySpan(date(2026, 3, 29), ZoneInfo("Europe/Berlin"))
    shelf = Shelf(tmp_path)
    shelf.logins([attempt(spring.end - timedelta(seconds=1), "late")])

    record = counted(shelf.store, spring.day, span=spring, tz="Europe/Berlin", register=nobody())

    assert spring.hours == 23
    assert [h.failures for h in record.systems[0].hours] == [0] * 22 + [1]
