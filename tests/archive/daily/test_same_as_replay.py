"""The record's rows are those of `replay --daily`: one rule of counting, two ways to it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest

from archive.daily.known import Known
from archive.daily.span import DaySpan
from archive.errors import ArchiveError
from archive.query import Question, ask
from detectors import wire
from detectors.daily import Daily, Day
from detectors.engine import Engine
from detectors.events import AccountClass, LoginEvent
from detectors.facts import NOWHERE, Joiner, Listed, Place, facts_of
from detectors.networks import Networks
from stream.replay import replay
from tests.archive.builders import PSEUDONYMS
from tests.builders import NAMES, changed, rules

from .archives import MONDAY, TAIPEI, Shelf, at, attempt, counted, nobody

TUESDAY = MONDAY + timedelta(days=1)


class Listing:
    """A directory: those named and their class; nobody else exists."""

    def __init__(self, **classes: AccountClass) -> None:
        self._classes = classes

    def look_up(self, account: str) -> Listed | None:
        """See Directory."""
        told = self._classes.get(account)
        return None if told is None else Listed(told, None)


class Atlas:
    """Places of addresses; counts how often it is asked."""

    asked = 0

    def look_up(self, address: str) -> Place:
        """See Origins."""
        self.asked += 1
        return (
            Place(country="NL", asn=64501, as_name="Example") if address[:3] == "203" else NOWHERE
        )


def by_replay(
    folder: Path, events: Sequence[LoginEvent | bytes], facts: Joiner | None = None
) -> list[Day]:
    """What `loginward replay --daily` writes for these events."""
    file = folder / "events.jsonl"
    lines = [e if isinstance(e, bytes) else wire.encode(e) for e in events]
    file.write_bytes(b"".join(line + b"\n" for line in lines))
    daily = Daily(TAIPEI, "Asia/Taipei", facts or facts_of)
    judge = Engine(rules(), NAMES, facts)
    found = asyncio.run(replay([file], judge, watch=daily.add))
    for alert in found.alerts:
        daily.add_alert(alert)
    return daily.rows()


def many(seed: int, count: int = 400) -> list[LoginEvent]:
    """Logins of two days with everything that makes counting hard."""
    dice = Random(seed)
    found: list[LoginEvent] = []
    for number in range(count):
        when = at(MONDAY, "00:00:00") + timedelta(seconds=dice.randrange(2 * 86_400))
        fields: dict[str, Any] = {
            "system": dice.choice(["trading-web", "trading-app", "old-desk", "_canary"]),
            "source": dice.choice([None, "waf", "proxy"]),
            "account": dice.choice([None, "", "小明", *(f"A{n:03d}" for n in range(30))]),
            "ip": dice.choice([None, "2001:db8::1", *(f"203.0.113.{n}" for n in range(9))]),
            "outcome": dice.choice(["success", "failure", "failure"]),
            "reason": dice.choice([None, "bad_password", "unknown_account"]),
            "account_class": dice.choice([None, None, "customer", "closed", "unknown", "staff"]),
            "action": dice.choice(["login", "login", "login", "logout", "order"]),
        }
        if dice.random() < 0.2:
            # A clock an hour ahead or a month behind: the receipt decides the day.
            wrong = dice.choice([timedelta(hours=1), timedelta(days=-30)])
            fields |= {"received_at": when}
            when += wrong
        found.append(attempt(when, f"e{number}", **fields))
    burst = at(TUESDAY, "10:00:00")
    found += [
        attempt(
            burst + timedelta(seconds=9 * n), f"b{n}", ip="203.0.113.99", account=f"A{n % 20:03d}"
        )
        for n in range(60)
    ]
    return sorted(found, key=lambda event: event.judged_at)


def shelved(home: Path, events: Sequence[LoginEvent | bytes], judge: Engine | None = None) -> Shelf:
    """An archive of these events in batches of 97, alerts told."""
    shelf = Shelf(home, judge)
    for start in range(0, len(events), 97):
        shelf.logins(events[start : start + 97])
    shelf.alerts(at(TUESDAY, "23:59:59"))
    return shelf


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_rows_equal_those_of_replay(tmp_path: Path, seed: int) -> None:
    """Duplicates, canaries, wrong clocks, other actions, nameless accounts: the same rows."""
    events: list[LoginEvent | bytes] = list(many(seed))
    dice = Random(seed)
    for _ in range(60):
        events.insert(dice.randrange(len(events)), dice.choice(events))
    events.insert(5, b'{"schema": 1}')

    shelf = shelved(tmp_path, events)

    wanted = by_replay(tmp_path, events)
    rows = [
        row
        for day in (MONDAY, TUESDAY)
        for row in counted(shelf.store, day, register=nobody()).days
    ]
    assert rows == wanted
    assert sum(row.alerts for row in rows) > 0


def test_rows_equal_with_directory_and_proxies(tmp_path: Path) -> None:
    """Where the event does not say who it is, the directory does; a proxy is no client."""
    classes: dict[str, AccountClass] = {f"A{n:03d}": "customer" for n in range(15)}
    classes |= {"A020": "closed", "A021": "staff", "小明": "prospect"}
    directory, proxies = (
        Listing(**classes),
        Networks(proxies={"waf": (_network("203.0.113.4/30"),)}),
    )
    events = many(4)

    def facts(event: LoginEvent) -> Any:
        return facts_of(event, directory, Atlas(), proxies)

    shelf = shelved(tmp_path, events, Engine(rules(), NAMES, facts))
    known = Known(directory=directory, origins=Atlas(), networks=proxies)

    wanted = by_replay(tmp_path, events, facts)
    found = [counted(shelf.store, day, register=nobody(), known=known) for day in (MONDAY, TUESDAY)]
    assert [row for one in found for row in one.days] == wanted
    bare = counted(shelf.store, register=nobody()).days
    assert sum(r.unknown_account_attempts for r in bare) < sum(
        r.unknown_account_attempts for r in found[0].days
    )


def _network(text: str) -> Any:
    from ipaddress import ip_network

    return ip_network(text)


def test_a_directory_without_the_key_is_refused(tmp_path: Path) -> None:
    """The directory knows accounts as typed alone; without the key nobody can ask it."""
    shelf = shelved(tmp_path, many(5, 50))

    with pytest.raises(ArchiveError, match=r"archive\.key_file is not here"):
        counted(shelf.store, known=Known(directory=Listing()), keys=None)


def test_a_conflict_counts_as_detect_decided(tmp_path: Path) -> None:
    """Of two contents under one identity the first to arrive counts, by its record of rejects."""
    late = attempt(at(MONDAY, "10:00:00"), "same", outcome="success")
    early = changed([late], 0, occurred_at=at(MONDAY, "09:00:00"), outcome="failure")[0]
    shelf = Shelf(tmp_path)
    shelf.logins([late])
    shelf.logins([early])

    [row] = counted(shelf.store, register=nobody()).days

    assert (row.attempts, row.failures) == (1, 0)


def test_totals_equal_archive_query(tmp_path: Path) -> None:
    """What `archive query` lists of a day and a system is what the record counts."""
    events = [e for e in many(6) if e.action == "login" and not e.skewed]
    shelf = shelved(tmp_path, events)
    span = DaySpan(MONDAY, TAIPEI)

    rows = counted(shelf.store, register=nobody()).days

    for row in rows:
        for outcome, number in (("failure", row.failures), (None, row.attempts)):
            question = Question(
                since=span.start, until=span.end, system=row.system, outcome=outcome, limit=10_000
            )
            assert len(ask(shelf.store.root, question, PSEUDONYMS)) == number


def test_a_day_ends_where_its_zone_says(tmp_path: Path) -> None:
    """The last microsecond belongs to the day, the next one to the next."""
    shelf = Shelf(tmp_path)
    midnight = at(TUESDAY, "00:00:00")
    shelf.logins(
        [
            attempt(midnight - timedelta(microseconds=1), "last"),
            attempt(midnight, "first"),
        ]
    )

    found = [counted(shelf.store, day, register=nobody()).days[0] for day in (MONDAY, TUESDAY)]

    assert [row.attempts for row in found] == [1, 1]
    assert datetime.fromisoformat("2026-11-23T16:00:00+00:00") == DaySpan(MONDAY, TAIPEI).end


def test_places_are_looked_up_once(tmp_path: Path) -> None:
    """An address that fails every day is asked for once, not once a day."""
    shelf = Shelf(tmp_path)
    for back in (3, 2, 1, 0):
        day = MONDAY - timedelta(days=back)
        shelf.logins([attempt(at(day, "10:00:00"), f"{back}", ip="203.0.113.9")])
    atlas = Atlas()

    record = counted(shelf.store, register=nobody(), known=Known(origins=atlas))

    assert atlas.asked == 1
    tops = {top.kind: (top.value, top.name) for top in record.systems[0].tops}
    assert (tops["asn"], tops["country"]) == (("64501", "Example"), ("NL", ""))
