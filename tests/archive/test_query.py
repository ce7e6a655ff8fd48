"""`archive query` answers exactly what was asked, from sealed segments alone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from ipaddress import ip_address, ip_network
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archive.errors import ArchiveError
from archive.partition import Store
from archive.query import Question, ask
from archive.read import ArchivedLogin, read_logins
from detectors.events import rfc3339
from detectors.pseudonyms import Pseudonyms

from .builders import PART, PSEUDONYMS, login, logins, open_part, record, seal, store

START = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


@pytest.fixture(scope="module")
def where(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """Give an archive of logins in several segments, IPv4 and IPv6, with and without account."""
    where = store(tmp_path_factory.mktemp("query"))
    seal(where, logins(0, 120))
    values = [login(n, ip=f"2001:db8::{n:x}", system="app") for n in range(120, 160)]
    values += [login(160, ip=None, account=None), login(161, ip="::ffff:203.0.113.9", account="")]
    seal(where, [record(120 + n, value) for n, value in enumerate(values)])
    return where


@pytest.fixture(scope="module")
def everything(where: Store) -> list[ArchivedLogin]:
    """Give all archived logins, as reading them in full shows them."""
    return list(read_logins(where.root, where.keys))


def offsets(where: Store, question: Question) -> list[int]:
    """Which logins an answer names."""
    return sorted(row["offset"] for row in ask(where.root, question, PSEUDONYMS))


_networks = st.sampled_from(
    ["203.0.113.0/24", "203.0.113.64/26", "203.0.113.9/32", "2001:db8::/120", "2001:db8::80/128"]
).map(ip_network)
_instants = st.integers(-5, 170).map(lambda s: START + timedelta(seconds=s))


@settings(deadline=None, max_examples=60)
@given(
    question=st.builds(
        Question,
        account=st.none() | st.integers(0, 40).map(lambda n: f"A{n:09d}") | st.just(""),
        network=st.none() | _networks,
        since=st.none() | _instants,
        until=st.none() | _instants,
        system=st.none() | st.sampled_from(["web", "app", "dma"]),
        outcome=st.none() | st.sampled_from(["success", "failure"]),
    )
)
def test_the_answer_is_what_reading_everything_finds(
    where: Store, everything: list[ArchivedLogin], question: Question
) -> None:
    """For any combination of conditions the same logins come as from a scan in Python."""

    def fits(one: ArchivedLogin) -> bool:
        event, q = one.event, question
        return (
            (q.account is None or event.account == q.account)
            and (q.network is None or (event.ip is not None and ip_address(event.ip) in q.network))
            and (q.since is None or event.occurred_at >= q.since)
            and (q.until is None or event.occurred_at < q.until)
            and (q.system is None or event.system == q.system)
            and (q.outcome is None or event.outcome == q.outcome)
        )

    assert offsets(where, question) == [one.offset for one in everything if fits(one)]


@pytest.mark.parametrize(("second", "wanted"), [(0, [0]), (119, [119]), (120, [120])])
def test_bounds_of_a_segment_are_inside(where: Store, second: int, wanted: list[int]) -> None:
    """A segment whose first or last login is exactly at a bound is not passed over."""
    at = START + timedelta(seconds=second)

    assert offsets(where, Question(since=at, until=at + timedelta(microseconds=1))) == wanted


def test_a_mapped_address_is_its_ipv4(where: Store) -> None:
    """`::ffff:203.0.113.9` was the same machine as `203.0.113.9`."""
    assert 161 in offsets(where, Question(network=ip_network("203.0.113.9")))


def test_rows_say_what_was_archived(where: Store, everything: list[ArchivedLogin]) -> None:
    """Every row has its place, its times in UTC and its fields, and no account as typed."""
    rows = ask(where.root, Question(), PSEUDONYMS)

    for row, one in zip(rows, everything, strict=True):
        assert row["offset"] == one.offset
        assert row["topic_id"] == PART.topic_id
        assert row["occurred_at"] == rfc3339(one.event.occurred_at)
        assert row["ip"] == one.event.ip
        assert row["outcome"] == one.event.outcome
        name = one.event.account
        assert row["account"] == (None if name is None else PSEUDONYMS.account(name))


def test_reveal_decrypts(where: Store, everything: list[ArchivedLogin]) -> None:
    """With the key and asked for, accounts come as typed."""
    rows = ask(where.root, Question(), PSEUDONYMS, keys=where.keys, reveal=True)

    assert [row["account"] for row in rows] == [one.event.account for one in everything]


def test_reveal_needs_the_key(where: Store) -> None:
    """Without the private key nobody learns an account."""
    with pytest.raises(ArchiveError, match="holds the key"):
        ask(where.root, Question(), PSEUDONYMS, reveal=True)


def test_the_limit_keeps_the_oldest(where: Store) -> None:
    """A limited answer is the beginning of the whole one."""
    whole = ask(where.root, Question(), PSEUDONYMS)

    assert ask(where.root, Question(limit=7), PSEUDONYMS) == whole[:7]


def test_an_account_is_found_under_a_former_pseudonym_key(tmp_path: Path) -> None:
    """After a rotation of the pseudonym key old segments are searched by decrypting."""
    where = store(tmp_path)
    seal(where, logins(0, 50))
    rotated = Pseudonyms(b"\x07" * 32)
    question = Question(account="A000000024")

    old = ask(where.root, question, PSEUDONYMS)
    new = ask(where.root, question, rotated, keys=where.keys)

    assert old
    assert new == old
    with pytest.raises(ArchiveError, match="holds the key"):
        ask(where.root, question, rotated)


def test_what_is_not_sealed_is_not_found(tmp_path: Path) -> None:
    """Files of a segment whose seal is missing do not exist for a query."""
    where = store(tmp_path)
    seal(where, logins(0, 10))
    seal(where, logins(10, 10))
    (PART.folder(where.root) / f"{10:020d}.seal").unlink()

    assert offsets(where, Question()) == list(range(10))


def test_an_empty_archive_answers_nothing(tmp_path: Path) -> None:
    """No segment, no rows, no error."""
    assert ask(store(tmp_path).root, Question(), PSEUDONYMS) == []


def test_the_zone_of_this_machine_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Bounds are instants, wherever the question is asked and in whatever zone it is written."""
    monkeypatch.setenv("TZ", "Asia/Taipei")
    where = store(tmp_path)
    seal(where, logins(0, 10))
    taipei = timezone(timedelta(hours=8))

    since = datetime(2026, 11, 22, 20, 0, 3, tzinfo=taipei)

    assert offsets(where, Question(since=since)) == [3, 4, 5, 6, 7, 8, 9]


def test_the_end_of_the_calendar_can_be_shown(tmp_path: Path) -> None:
    """A time beyond the year 9999 in UTC is shown with its own offset."""
    where = store(tmp_path)
    seal(where, [record(0, login(0, occurred_at="9999-12-31T23:59:59-14:00"))])

    [row] = ask(where.root, Question(), PSEUDONYMS)

    assert row["occurred_at"] == "9999-12-31T23:59:59-14:00"


def test_what_is_typed_is_no_sql(where: Store) -> None:
    """A quote in a value is a character."""
    hostile = "' OR 1=1; DROP TABLE x; --"

    assert offsets(where, Question(account=hostile, system=hostile, outcome=hostile)) == []


def test_reading_back_needs_the_right_place(tmp_path: Path) -> None:
    """A key file moved to another segment opens nothing."""
    where = store(tmp_path)
    seal(where, logins(0, 10))
    seal(where, logins(10, 10))
    one, two = sorted(PART.folder(where.root).glob("*.key"))
    two.write_bytes(one.read_bytes())

    with pytest.raises(ArchiveError, match="cannot be unwrapped"):
        list(read_logins(where.root, where.keys))
    assert open_part(where).pending.first == 20
