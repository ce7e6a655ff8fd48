"""A hunt finds what reading the whole archive finds, each login once, and says what was judged."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from archive import hunt
from archive.errors import ArchiveError
from archive.hunt import hunted
from archive.partition import Store
from archive.read import read_logins
from config.intel.bulletins import Came, Hand, content_of, receive
from config.intel.hunting import Hunt
from config.intel.reading import read_feed
from config.intel.store import folder_of, told
from config.settings import load
from detectors.errors import LoginwardError
from detectors.events import milliseconds

from .builders import PART, login, logins, record, seal, store

START = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.fixture(scope="module")
def where(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """Give logins in two segments, some delivered twice, with a canary and a wrong clock."""
    where = store(tmp_path_factory.mktemp("hunt"))
    seal(where, logins(0, 120))
    again = [login(n) for n in range(100, 120)]
    odd = [
        login(200, ip=None),
        login(201, ip="203.0.113.7", system="_canary"),
        login(
            202,
            ip="198.51.100.7",
            occurred_at="2020-01-01T00:00:00Z",
            received_at="2026-11-22T12:30:00Z",
        ),
    ]
    seal(where, [record(120 + n, value) for n, value in enumerate(again + odd)])
    return where


def test_it_finds_what_reading_everything_finds(where: Store) -> None:
    """Only wanted addresses, only the span, redelivered logins once, canaries never."""
    since, until = START + timedelta(seconds=10), START + timedelta(seconds=110)
    wanted = {f"203.0.113.{n}" for n in range(128)}

    found = sorted(
        (hit.at_ms, hit.address, hit.success)
        for hit in hunted(where.root, wanted.__contains__, since=since, until=until)
    )

    assert found == sorted(
        {
            (milliseconds(e.occurred_at), e.ip, e.outcome == "success")
            for e in (one.event for one in read_logins(where.root, where.keys))
            if e.ip in wanted and since <= e.occurred_at < until and e.system != "_canary"
        }
    )
    assert len(found) > 10


def test_a_wrong_clock_is_put_right_as_detection_does(where: Store) -> None:
    """The login counts when it was received."""
    asked = {"198.51.100.7"}

    (hit,) = hunted(where.root, asked.__contains__, since=START, until=START + HOUR)

    assert hit.at_ms == milliseconds(START + timedelta(minutes=30))


def test_beyond_what_is_remembered_it_says_at_least(
    where: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Memory is bounded; what may count twice says so."""
    monkeypatch.setattr(hunt, "MOST_REMEMBERED", 5)

    found = list(hunted(where.root, lambda _: True, since=START, until=START + HOUR))

    assert [hit.sure for hit in found[:6]] == [True] * 5 + [False]
    assert len(found) > 120


def test_a_damaged_segment_is_told(tmp_path: Path) -> None:
    """Its file is named, with the command that says more."""
    where = store(tmp_path)
    seal(where, logins(0, 20))
    (file,) = PART.folder(where.root).glob("*.parquet")
    file.chmod(0o600)
    file.write_bytes(file.read_bytes()[:100])

    with pytest.raises(ArchiveError, match="archive verify"):
        list(hunted(where.root, lambda _: True, since=START, until=START + HOUR))


def test_hits_of_before_and_after_the_bulletin_are_told_apart(tmp_path: Path) -> None:
    """What was judged as listed, and what only the hunt shows; two bulletins on one address."""
    settings = load(environ={"LOGINWARD_HOME": str(tmp_path)})
    for data in (b"192.0.2.7", b"192.0.2.0/24"):
        came = Came(source="f", content=content_of(data), feed=read_feed(data, "f"))
        receive(settings, came, Hand(by="amy", login="root", reason="", now=START))
    asked = Hunt(told(folder_of(settings)), ["B1", "B2"])

    for minutes, address in ((-5, "192.0.2.7"), (5, "192.0.2.7"), (6, "192.0.2.8")):
        assert asked.wants(address)
        at_ms = milliseconds(START + timedelta(minutes=minutes))
        asked.add(address, at_ms, success=minutes > 0, sure=True)

    first, second = (asked.tallies[name].record(name, START, START) for name in ("B1", "B2"))
    assert (first.logins, first.judged, first.successes, first.addresses) == (2, 1, 1, 1)
    assert (second.logins, second.judged, second.addresses) == (3, 2, 2)
    assert first.first == START - timedelta(minutes=5)
    assert second.last == START + timedelta(minutes=6)
    assert not asked.wants("198.51.100.1")


def test_a_hunt_for_nothing_is_told(tmp_path: Path) -> None:
    """A slip of the pen finds no hits, and would be on record as such."""
    settings = load(environ={"LOGINWARD_HOME": str(tmp_path)})

    with pytest.raises(LoginwardError, match="B7: no such bulletin"):
        Hunt(told(folder_of(settings)), ["B7"])
