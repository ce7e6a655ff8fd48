"""Replay judges files as live detection judges the topic, whatever order the lines have."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from detectors import wire
from detectors.events import LoginEvent, Origin
from loadtest.oracle import judge as by_brute_force
from stream.replay import Replayed, in_order, replay
from tests.builders import DAY, HOUR, START, engine, found, login, series, time
from tests.event_sets import Run, events_of, runs
from tests.interleaving import expected, monotone


def write(path: Path, events: Sequence[LoginEvent], *more: bytes) -> Path:
    """A file of events, then other lines."""
    path.write_bytes(b"".join(line + b"\n" for line in (*map(wire.encode, events), *more)))
    return path


def replayed(*files: Path, **options: object) -> Replayed:
    """What a replay of some files found."""
    return asyncio.run(replay(files, engine(), **options))  # type: ignore[arg-type]


@given(some=runs(first=0, last=9 * DAY), seed=st.integers(0, 1 << 32))
@settings(
    deadline=None,
    max_examples=40,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_neither_order_nor_files_change_an_alert(
    tmp_path: Path, some: list[Run], seed: int
) -> None:
    """Shuffled over two files a replay finds what live detection finds, every part of it."""
    events = events_of(some)
    shuffled = list(events)
    Random(seed).shuffle(shuffled)
    half = len(shuffled) // 2

    whole = replayed(write(tmp_path / "whole", events))
    parts = replayed(
        write(tmp_path / "one", shuffled[:half]), write(tmp_path / "two", shuffled[half:])
    )

    assert parts.alerts == whole.alerts == sorted(found(events), key=in_order)
    assert {expected(alert) for alert in monotone(whole.alerts)} == by_brute_force(events)


def test_nothing_in_nothing_out(tmp_path: Path) -> None:
    """An empty file, and one of empty lines, are read without a word."""
    empty = write(tmp_path / "empty", [])
    blank = write(tmp_path / "blank", [], b"", b"  ", b"\r")

    found = replayed(empty, blank)

    assert (found.alerts, found.read, found.judged, found.rejected) == ([], 0, 0, [])


def test_what_cannot_be_judged_is_named_by_file_and_line(tmp_path: Path) -> None:
    """Rejects are counted by reason, and the rest is judged."""
    broken = write(tmp_path / "broken", series(10, every=1), b"{", b'{"schema": 1}')
    more = write(tmp_path / "more", [], b"\xff\xfe")

    found = replayed(broken, more)

    assert [(path.name, line, why.reason) for path, line, why in found.rejected] == [
        ("broken", 11, "not_json"),
        ("broken", 12, "missing_field"),
        ("more", 1, "not_json"),
    ]
    assert found.reasons == {"not_json": 2, "missing_field": 1}
    assert (found.read, found.judged, len(found.alerts)) == (13, 10, 1)


def test_duplicates_and_conflicts_are_told_apart(tmp_path: Path) -> None:
    """The same event again counts once; the same identity with another story is a reject."""
    events = series(10, every=1)
    liar = login(4, "e4", account="somebody else")
    watched: list[LoginEvent] = []

    found = replayed(
        write(tmp_path / "one", events),
        write(tmp_path / "two", [*events, liar]),
        watch=watched.append,
    )

    assert (found.read, found.judged, found.duplicates) == (21, 10, 10)
    assert [(line, why.reason) for _, line, why in found.rejected] == [(11, "id_conflict")]
    assert watched == events
    assert found.read == found.judged + found.duplicates + len(found.rejected)


def test_the_earlier_story_holds_whatever_the_order_of_the_files(tmp_path: Path) -> None:
    """Of two contents under one identity the one that happened first is judged."""
    first = write(tmp_path / "first", [login(0, "same", account="first")])
    second = write(tmp_path / "second", [login(1, "same", account="second")])

    for files in ((first, second), (second, first)):
        watched: list[LoginEvent] = []
        replayed(*files, watch=watched.append)

        assert [event.account for event in watched] == ["first"]


def test_since_and_until_choose_by_the_judged_time(tmp_path: Path) -> None:
    """From `since` on, before `until`; an emitter with a wrong clock is placed by its receiver."""
    events = series(10, every=10)
    wrong_clock = login(-30 * DAY, "skewed", received_at=time(50))
    path = write(tmp_path / "events", [*events, wrong_clock])

    def judged(since: float | None, until: float | None) -> int:
        return replayed(
            path,
            since=None if since is None else time(since),
            until=None if until is None else time(until),
        ).judged

    assert judged(None, None) == 11
    assert judged(50, None) == 6
    assert judged(50.001, None) == 4
    assert judged(None, 50) == 5
    assert judged(50, 50.001) == 2
    assert judged(None, 0) == 0


def test_progress_adds_up(tmp_path: Path) -> None:
    """A bar over a replay ends where the judged lines end."""
    done: list[int] = []

    replayed(write(tmp_path / "events", series(40, every=1)), progress=done.append)

    assert sum(done) == 40


def test_alerts_stand_in_the_order_in_which_they_opened(tmp_path: Path) -> None:
    """Ties are ordered by id, so that equal input is equal bytes."""
    events = [
        *series(10, every=1, name="a", ip="192.0.2.1"),
        *series(10, every=1, name="b", ip="192.0.2.2"),
        *series(10, every=1, name="c", start=-HOUR),
    ]

    alerts = replayed(write(tmp_path / "events", events)).alerts

    assert len(alerts) == 3
    assert alerts == sorted(alerts, key=lambda alert: (alert.opened_at, alert.alert_id))
    assert alerts[0].subject.value == "192.0.2.7"


def test_a_missing_file_is_an_error_of_the_system(tmp_path: Path) -> None:
    """A file that vanished is not an empty one."""
    with pytest.raises(FileNotFoundError):
        replayed(tmp_path / "gone")


def test_a_year_of_one_slow_address_is_judged_whole(tmp_path: Path) -> None:
    """Thirty failures a day for many days give each quiet time its alert, however large a batch."""
    days = 30
    events = [
        event
        for day in range(days)
        for event in series(30, every=60, start=day * DAY, name=f"d{day}-")
    ]

    alerts = [a for a in replayed(write(tmp_path / "events", events)).alerts if a.threshold == 30]

    last = (START + timedelta(days=days - 1)).date().isoformat()
    assert len(alerts) == days
    assert alerts[-1].opened_at.startswith(last)


def test_counts_are_whole_whatever_the_place_of_a_line(tmp_path: Path) -> None:
    """What rules read from rates is counted once, over two files and in files out of order."""
    customers = series(5_100, every=1, name="c", accounts=5_100, outcome="success")
    attack = [
        login(
            6_000 + 5 * n,
            f"f{n}",
            account=f"f{n}",
            ip=f"198.51.100.{n}",
            origin=Origin(country="NL", asn=64510),
        )
        for n in range(100)
    ]
    shuffled = [*customers, *attack]
    Random(7).shuffle(shuffled)

    whole = replayed(write(tmp_path / "whole", [*customers, *attack]))
    days = replayed(write(tmp_path / "one", customers), write(tmp_path / "two", attack))
    mixed = replayed(write(tmp_path / "mixed", shuffled))

    assert "asn_attack" in {alert.rule for alert in whole.alerts}
    assert whole.alerts == days.alerts == mixed.alerts
