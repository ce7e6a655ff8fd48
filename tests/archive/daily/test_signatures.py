"""Signatures: by two persons, over the same files, in a chain that shows what was taken out."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from archive import keys as key_files
from archive.daily.due import DueDay, days_due
from archive.daily.judgement import judged
from archive.daily.record import DayRecord
from archive.daily.shelf import files_of
from archive.daily.signatures import (
    FILE,
    Role,
    Signature,
    Word,
    read_chain,
    same_person,
    sign,
)
from archive.errors import ArchiveError
from archive.keys import ArchiveKeys
from config.trading_days import load_trading_days
from tests.archive.builders import store

from .archives import MONDAY, TAIPEI, Shelf, counted

FRIDAY = date(2026, 11, 20)
NOW = datetime(2026, 11, 24, 1, 0, tzinfo=UTC)


class Office:
    """A folder of produced days, and two who sign them."""

    def __init__(self, home: Path) -> None:
        self.keys: ArchiveKeys = store(home).keys
        self.folder = home / "reports"
        self.folder.mkdir()

    def produce(self, day: date, text: bytes = b"{}") -> None:
        """Put files of a day there."""
        (self.folder / f"{day}.json").write_bytes(text)
        (self.folder / f"{day}.zh-TW.html").write_bytes(b"<p>" + text)

    def sign(self, role: Role, by: str, day: date = MONDAY, at: datetime = NOW) -> Signature:
        """Sign a day as it lies there."""
        word = Word(day=day, role=role, by=by, notes={"": "looked at"})
        return sign(self.folder, self.keys, {}, word, files=files_of(self.folder, day), at=at)

    def chain(self) -> Any:
        """The chain, verified."""
        return read_chain(self.folder, {self.keys.key_id: self.keys.public})

    def due(self, day: date = MONDAY, now: datetime = NOW) -> DueDay:
        """How one day stands."""
        [found] = days_due(
            self.folder, self.chain(), load_trading_days(), first=day, last=day, zone=TAIPEI,
            now=now,
        )  # fmt: skip
        return found


@pytest.fixture
def office(tmp_path: Path) -> Office:
    """Give an office in which Monday has been produced."""
    made = Office(tmp_path)
    made.produce(MONDAY)
    return made


def test_two_persons_sign_the_same_files(office: Office) -> None:
    """Author and reviewer each name both files by SHA-256, and each line the one before."""
    author = office.sign("author", "Lin")
    reviewer = office.sign("reviewer", "Chen")

    chain = office.chain()
    assert chain.problems == []
    assert [one.by for one in chain.of(MONDAY)] == ["Lin", "Chen"]
    assert author.files == reviewer.files == files_of(office.folder, MONDAY)
    assert author.previous == "0" * 64
    assert (office.folder / FILE).stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("name", ["Lin", " LIN ", "Ｌｉｎ", "L\u200bin"])
def test_nobody_reviews_their_own_work(office: Office, name: str) -> None:
    """However the name is typed."""
    office.sign("author", "Lin")

    with pytest.raises(ArchiveError, match="another person"):
        office.sign("reviewer", name)
    assert same_person("Lin", name)
    assert not same_person("Lin", "Ling")


def test_a_review_needs_an_author(office: Office) -> None:
    """There is nothing to review before somebody has judged the day."""
    with pytest.raises(ArchiveError, match="nobody has signed 2026-11-23 as author"):
        office.sign("reviewer", "Chen")


def test_a_page_that_changed_is_not_reviewed(office: Office) -> None:
    """The reviewer signs what the author signed, or nothing."""
    office.sign("author", "Lin")
    office.produce(MONDAY, b"{} ")

    with pytest.raises(ArchiveError, match=r"2026-11-23\.json.* is not what 'Lin' signed"):
        office.sign("reviewer", "Chen")


def test_a_page_in_another_language_changes_nothing(office: Office) -> None:
    """Produced later from the same record, it is not signed, and harms no signature."""
    office.sign("author", "Lin")
    (office.folder / f"{MONDAY}.en.html").write_bytes(b"<p>")

    office.sign("reviewer", "Chen")

    assert office.due().status == "signed"


def _altered(text: bytes) -> bytes:
    return text.replace(b"Lin", b"Lee", 1)


def _dropped(text: bytes) -> bytes:
    return b"\n".join(text.split(b"\n")[1:])


def _swapped(text: bytes) -> bytes:
    one, two, *rest = text.split(b"\n")
    return b"\n".join([two, one, *rest])


def _torn(text: bytes) -> bytes:
    return text[:-20] + b"\n"


@pytest.mark.parametrize("harm", [_altered, _dropped, _swapped, _torn])
def test_a_harmed_chain_is_named_and_not_continued(
    office: Office, harm: Callable[[bytes], bytes]
) -> None:
    """Altered, dropped, moved or torn lines are found by number, and nothing is added to them."""
    office.sign("author", "Lin")
    office.sign("reviewer", "Chen")
    path = office.folder / FILE
    path.write_bytes(harm(path.read_bytes()))

    chain = office.chain()

    assert chain.problems
    assert chain.problems[0][0] in {1, 2}
    with pytest.raises(ArchiveError, match=r"signatures\.jsonl:\d .*nothing can be added"):
        office.sign("author", "Lin")


def test_a_stranger_cannot_sign(office: Office, tmp_path: Path) -> None:
    """A line signed with another key counts for nothing."""
    other = tmp_path / "other"
    other.mkdir()
    stranger = key_files.ensure_keys(other / "archive.pem", other)
    word = Word(day=MONDAY, role="author", by="Eve", notes={})
    sign(office.folder, stranger, {}, word, files=files_of(office.folder, MONDAY), at=NOW)

    chain = office.chain()

    assert chain.signatures == []
    assert "is not at hand" in chain.problems[0][1]


def test_a_replaced_key_still_proves_its_signatures(office: Office, tmp_path: Path) -> None:
    """After the archive's key was replaced, the former public key goes on to verify."""
    office.sign("author", "Lin")
    former = office.keys
    other = tmp_path / "other"
    other.mkdir()
    new = key_files.ensure_keys(other / "archive.pem", other)
    word = Word(day=MONDAY, role="reviewer", by="Chen", notes={})

    sign(
        office.folder, new, {former.key_id: former.public}, word,
        files=files_of(office.folder, MONDAY), at=NOW,
    )  # fmt: skip

    both = {former.key_id: former.public, new.key_id: new.public}
    assert read_chain(office.folder, both).problems == []


def test_the_way_of_a_day(office: Office) -> None:
    """Not produced, unsigned, unreviewed, signed; changed as soon as a file is another one."""
    tuesday = MONDAY + timedelta(days=1)
    assert office.due(tuesday).status == "not_produced"
    assert office.due().status == "unsigned"
    office.sign("author", "Lin")
    assert office.due().status == "unreviewed"
    office.sign("reviewer", "Chen")
    assert office.due().status == "signed"

    office.produce(MONDAY, b"[]")

    found = office.due()
    assert (found.status, found.open) == ("changed", True)
    assert found.changed == [f"{MONDAY}.json", f"{MONDAY}.zh-TW.html"]
    office.sign("author", "Lin")
    assert office.due().status == "unreviewed"


def test_a_day_is_due_at_the_end_of_the_next_trading_day(office: Office) -> None:
    """Friday's record on Monday night, Taipei; a minute later it is late, then overdue."""
    office.produce(FRIDAY)
    due = datetime(2026, 11, 24, 0, 0, tzinfo=ZoneInfo("Asia/Taipei"))

    before, after = (office.due(FRIDAY, due + timedelta(seconds=s)) for s in (-1, 0))

    assert (before.due, before.late, before.open) == ("2026-11-23T16:00:00Z", False, False)
    assert (after.late, after.open) == (True, True)
    office.sign("author", "Lin", FRIDAY, due)
    office.sign("reviewer", "Chen", FRIDAY, due)
    done = office.due(FRIDAY, due + timedelta(days=1))
    assert (done.status, done.late, done.open) == ("signed", True, False)


def test_a_holiday_is_due_too(office: Office) -> None:
    """Christmas 2026 is a Friday without trading: due on the Monday after, like any day."""
    found = office.due(date(2026, 12, 25))

    assert (found.kind, found.status, found.due) == (
        "holiday", "not_produced", "2026-12-28T16:00:00Z",
    )  # fmt: skip


@pytest.fixture(scope="module")
def two_deviations(tmp_path_factory: pytest.TempPathFactory) -> DayRecord:
    """Give a record with deviations D1 and more, of a whole day."""
    from .archives import steady

    shelf = Shelf(tmp_path_factory.mktemp("two"))
    for back in range(9, 0, -1):
        shelf.logins(steady(MONDAY - timedelta(days=back)))
    shelf.logins(steady(MONDAY, count=400))
    shelf.logins(steady(MONDAY + timedelta(days=1)))
    return counted(shelf.store)


def test_the_author_judges_every_deviation(two_deviations: DayRecord) -> None:
    """Each one, or one word for all; the reviewer need not say anything."""
    ids = [one.id for one in two_deviations.deviations]
    assert len(ids) > 1

    with pytest.raises(ArchiveError, match=r"D2.* not judged"):
        judged(two_deviations, "author", {"D1": "office NAT"})
    with pytest.raises(ArchiveError, match="D99: no such deviation"):
        judged(two_deviations, "author", {"D99": "?"})
    each = dict.fromkeys(ids, "campaign, blocked")
    assert judged(two_deviations, "author", each) == each
    assert judged(two_deviations, "author", {"": "campaign"}) == {"": "campaign"}
    assert judged(two_deviations, "reviewer", {}) == {}


def test_a_day_that_is_not_whole_is_signed_with_a_word(tmp_path: Path) -> None:
    """A preliminary page, or one that does not add up, needs a reason to stand as it is."""
    record = counted(Shelf(tmp_path).store)

    with pytest.raises(ArchiveError, match="preliminary"):
        judged(record, "author", {})
    assert judged(record, "author", {"": "pipeline was down, see case 7"})
