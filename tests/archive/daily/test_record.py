"""The record of a day: who was heard, what deviates, what is complete, what was told."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from archive.daily.record import DayRecord, decode, written
from archive.errors import ArchiveError
from archive.layout import data_stem
from config.systems import Register, load_systems
from detectors import notices
from detectors.alerts import Alert, AlertSubject, encode
from detectors.notices import Confirmation, NoticeStep
from tests.archive.builders import PART
from tests.builders import login as plain

from .archives import (
    ALERTS,
    ANSWERS,
    JUDGED,
    MONDAY,
    NOTICES,
    VERSIONS,
    Shelf,
    appended,
    at,
    attempt,
    counted,
    in_order,
    nobody,
    steady,
)

HOLIDAY = date(2026, 12, 25)
SUNDAY = MONDAY - timedelta(days=1)


def month(shelf: Shelf, day: date = MONDAY, *, days: int = 12, **more: Any) -> None:
    """Quiet days before `day`."""
    for back in range(days, 0, -1):
        shelf.logins(steady(day - timedelta(days=back), **more))


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


def test_completeness_adds_up(tmp_path: Path) -> None:
    """Read = judged + duplicates + rejected, archived = judged + duplicates + conflicts."""
    events = steady(MONDAY, count=40)
    shelf = Shelf(tmp_path)
    shelf.logins([*events, events[3], b"nonsense", b""])
    other = attempt(events[5].occurred_at, events[5].event_id, account="A999")
    shelf.logins([other])
    shelf.logins(steady(MONDAY + timedelta(days=1)))

    found = counted(shelf.store).completeness

    assert (found.read, found.judged, found.duplicates, found.rejected, found.conflicts) == (
        44, 40, 1, 3, 1,
    )  # fmt: skip
    assert found.archived == 42
    assert found.reasons == {"id_conflict": 1, "not_json": 2}
    assert found.cells_compared > 20
    assert (found.gaps, found.cells) == ([], [])
    assert found.adds_up
    assert found.whole_day


def test_a_lost_batch_is_a_gap_with_its_place(tmp_path: Path) -> None:
    """Records nobody judged are named by offset, and by hour and source."""
    shelf = Shelf(tmp_path)
    morning = [attempt(at(MONDAY, f"{h:02d}:30:00"), f"e{h}") for h in range(12)]
    shelf.logins(morning[:4])
    unseen = JUDGED
    before = shelf._next[unseen]
    shelf.logins(morning[4:8])
    (unseen.folder(shelf.store.root) / f"{before:020d}.seal").unlink()
    shelf.logins(morning[8:])

    found = counted(shelf.store).completeness

    assert [(g.first, g.until, g.why) for g in found.gaps] == [(4, 8, "unjudged")]
    assert [(c.hour, c.archived, c.judged) for c in found.cells] == [
        (f"2026-11-22T{h + 16:02d}:00:00Z", 1, 0) for h in range(4, 8)
    ]
    assert not found.adds_up


def test_what_is_judged_and_not_sealed_is_said(tmp_path: Path) -> None:
    """A segment that is missing from the archive is a gap of the other kind."""
    shelf = Shelf(tmp_path)
    morning = [attempt(at(MONDAY, f"{h:02d}:30:00"), f"e{h}") for h in range(8)]
    shelf.logins(morning[:4])
    shelf.logins(morning[4:])
    (PART.folder(shelf.store.root) / f"{4:020d}.seal").unlink()

    found = counted(shelf.store).completeness

    assert [(g.first, g.until, g.why) for g in found.gaps] == [(4, 8, "unsealed")]
    assert (found.archived, found.judged) == (4, 8)
    assert not found.adds_up


def step(notice: str, seq: int, state: Any, **more: Any) -> tuple[int, None, bytes]:
    """A record of `notices`."""
    said: dict[str, Any] = {
        "schema": 1,
        "notice_id": notice,
        "seq": seq,
        "at": f"2026-11-23T02:00:{seq:02d}Z",
        "state": state,
        "verdict_id": "00",
        "event_id": "e",
        "account": "88f8-00",
        "system": "trading-web",
        "notice_risk": "ask",
    }
    return 1_795_400_000_000, None, notices.encode(NoticeStep(**said | more))


def test_notices_stand_where_they_have_got_to(tmp_path: Path) -> None:
    """A notice counts once, on its last channel and in its last state, on the day it was planned;
    a step that was told twice is one step.
    """
    shelf = Shelf(tmp_path)
    shelf.put(
        NOTICES,
        [
            step("n1", 1, "planned"),
            step("n1", 2, "failed", channel="app"),
            step("n1", 3, "carrier", channel="sms"),
            step("n1", 3, "carrier", channel="sms"),
            step("n2", 1, "suppressed", notice_risk="inbox"),
            step("n3", 1, "planned", at="2026-11-22T02:00:00Z"),
            (1_795_400_000_000, None, b"{"),
            (1_795_400_000_000, None, None),
        ],
    )
    answer = Confirmation(
        schema=1, confirmation_id="c1", notice_id="n1", verdict_id="00", event_id="e",
        account="88f8-00", system="trading-web", answer="no", via="page",
        at="2026-11-23T02:05:00Z",
    )  # fmt: skip
    shelf.put(ANSWERS, [(1_795_400_000_000, None, notices.encode(answer))] * 2)

    record = counted(shelf.store)

    assert [(n.risk, n.channel, n.state, n.notices) for n in record.notices] == [
        ("ask", "sms", "carrier", 1),
        ("inbox", "", "suppressed", 1),
    ]
    assert [(a.answer, a.via, a.strength, a.answers) for a in record.answers] == [
        ("no", "page", "", 1)
    ]
    assert record.unreadable == 1
    assert [n.notices for n in counted(shelf.store, SUNDAY).notices] == [1]


def test_an_alert_counts_once_by_its_last_revision(tmp_path: Path) -> None:
    """Revisions come in any order and twice; the highest tells severity and evidence."""
    shelf = Shelf(tmp_path)
    begin = at(MONDAY, "10:00:00")
    shelf.logins([attempt(begin + timedelta(seconds=9 * n), f"x{n}") for n in range(60)])
    [alert, *_] = shelf.alerts(at(MONDAY, "23:00:00"))
    later = replace(
        alert, revision=alert.revision + 9, severity="critical", counts={"failures": 99}
    )
    earlier = replace(alert, revision=1, severity="low")
    shelf.put(ALERTS, [(appended(attempt(begin, "e")), None, encode(a)) for a in (later, earlier)])

    record = counted(shelf.store)

    [found] = [one for one in record.alerts if one.alert_id == alert.alert_id]
    assert (found.severity, found.counts) == ("critical", {"failures": 99})
    assert record.alerts[0] == found
    assert record.days[0].alerts == len(record.alerts)


def test_an_alert_on_the_pipeline_makes_no_core_system(tmp_path: Path) -> None:
    """It stands among the alerts; it is no row, and nobody has forgotten to register it."""
    shelf = Shelf(tmp_path)
    own = Alert(
        alert_id="1", revision=1, system="_loginward", rule="undelivered", rule_version="1",
        severity="high", opened_at="2026-11-23T02:00:00Z", updated_at="2026-11-24T02:00:00Z",
        subject=AlertSubject("global", "siem"), counts={}, window_s=300, threshold=1, accounts=[],
        ips=[], event_ids=[], attack_ids=[], checklist_item="15", summary="",
    )  # fmt: skip
    shelf.put(ALERTS, [(1_795_430_000_000, None, encode(own))])

    record = counted(shelf.store)

    assert [(a.rule, a.state) for a in record.alerts] == [("undelivered", "went_on")]
    assert "_loginward" not in {day.system for day in record.days}
    assert record.unregistered == []


def test_what_was_in_force_is_named(tmp_path: Path) -> None:
    """Every version under which a batch of the day was judged."""
    shelf = Shelf(tmp_path)
    shelf.logins([attempt(at(MONDAY, "01:00:00"), "a")])
    shelf.logins([attempt(at(MONDAY, "02:00:00"), "b")], versions={**VERSIONS, "code": "0.2.0"})

    assert counted(shelf.store).versions == {
        "code": ["0.1.0", "0.2.0"],
        "ip_fail_burst": ["1-abcd"],
    }


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


@pytest.mark.parametrize("topic", ["logins", "alerts"])
@pytest.mark.parametrize("harm", ["gone", "damaged"])
def test_a_file_that_is_gone_is_named(tmp_path: Path, topic: str, harm: str) -> None:
    """No record is made of half an archive: the file is named, and what to run."""
    shelf = Shelf(tmp_path)
    month(shelf, days=2)
    begin = at(MONDAY, "10:00:00")
    shelf.logins([attempt(begin + timedelta(seconds=9 * n), f"x{n}") for n in range(60)])
    shelf.alerts(at(MONDAY, "23:00:00"))
    [*_, file] = sorted(shelf.store.root.glob(f"{topic}/*/*/*.parquet"))
    if harm == "gone":
        file.unlink()
    else:
        file.write_bytes(file.read_bytes()[:-9] + b"nonsense!")

    with pytest.raises(ArchiveError, match=rf"{file.name}.*run `loginward archive verify`"):
        counted(shelf.store)


def test_damage_inside_a_file_is_told(tmp_path: Path) -> None:
    """A footer that reads well above pages that do not is no traceback either."""
    shelf = Shelf(tmp_path)
    shelf.logins(steady(MONDAY))
    [file] = shelf.store.root.glob("logins/*/*/*.parquet")
    raw = file.read_bytes()
    file.write_bytes(raw[:4] + bytes(2000) + raw[2004:])

    with pytest.raises(ArchiveError, match="run `loginward archive verify`"):
        counted(shelf.store)


def test_later_damage_changes_no_earlier_day(tmp_path: Path) -> None:
    """A record that cannot be read belongs to the day on which it came."""
    shelf = Shelf(tmp_path)
    shelf.logins(steady(MONDAY))
    shelf.logins(steady(MONDAY + timedelta(days=1)))
    before = written(counted(shelf.store))
    late = appended(steady(MONDAY + timedelta(days=1))[5])
    shelf.put(JUDGED, [(late, None, b"{")])
    shelf.put(ALERTS, [(late, None, b"{")])

    assert written(counted(shelf.store)) == before
    assert counted(shelf.store, MONDAY + timedelta(days=1)).unreadable == 2


def test_files_no_seal_names_are_not_read(tmp_path: Path) -> None:
    """A Parquet file without its seal is no part of the archive."""
    shelf = Shelf(tmp_path)
    shelf.logins([attempt(at(MONDAY, "01:00:00"), "a")])
    stray = PART.folder(shelf.store.root) / f"{data_stem(5, 6, 'ab' * 32)}.parquet"
    stray.write_bytes(b"no parquet")

    assert counted(shelf.store, register=nobody()).days[0].attempts == 1
