"""The directory of customers: loaded whole or not at all, found by alias, guarded, never raw."""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.errors import LoginwardError
from detectors.events import AccountClass
from detectors.facts import Listed
from detectors.pseudonyms import Pseudonyms
from stream.directory import (
    CURRENT,
    KEPT,
    current_file,
    is_stale,
    load_directory,
    open_directory,
    read_customers,
)
from stream.directory_csv import Export, column_map, directory_of
from stream.directory_file import (
    CLASSES,
    CustomerDirectory,
    encode,
    folded,
    open_file,
    read_header,
    record,
)
from tests.builders import NAMES

NOW = datetime(2026, 11, 22, 3, tzinfo=UTC)
OTHER_NAMES = Pseudonyms(bytes(32))
HEAD = "account,customer,class"
Row = tuple[str, str, AccountClass]


def rows(count: int, *, start: int = 0) -> list[str]:
    """Lines of `count` customers with one alias each."""
    return [f"user{n},C{n},customer" for n in range(start, start + count)]


def csv(path: Path, *lines: str, head: str = HEAD, at: datetime = NOW) -> Path:
    """A list as the firm exports it, written at `at`."""
    path.write_text("\n".join((head, *lines)) + "\n", encoding="utf-8")
    os.utime(path, (at.timestamp(), at.timestamp()))
    return path


def load(
    path: Path, folder: Path, *, now: datetime = NOW, names: Pseudonyms = NAMES, reason: str = ""
) -> CustomerDirectory:
    """Put a list in force."""
    return load_directory(Export(file=path), folder, names, now=now, allow_shrink=reason)


def made(records: Sequence[Row]) -> CustomerDirectory:
    """A directory of these rows, without any file."""
    data = encode(
        [record(account, kind, customer, NAMES) for account, customer, kind in records],
        key_id=NAMES.key_id,
        as_of=NOW,
        loaded_at=NOW,
        source_sha256="",
    )
    return CustomerDirectory(data, NAMES, "test")


def test_every_alias_leads_to_its_customer(tmp_path: Path) -> None:
    """National id, branch account and user code of one customer are one; others are others."""
    path = csv(
        tmp_path / "c.csv",
        "A023456789,C1,customer",
        "9801-0012345,C1,customer",
        '"Chen, ""Al""",C2,Closed',
        " 小明 ,C3,PROSPECT",
        "root,S1,staff",
    )

    found = load(path, tmp_path / "directory")

    ours = found.look_up("A023456789")
    assert ours == Listed("customer", NAMES.customer("C1")) == found.look_up("9801-0012345")
    assert found.look_up('Chen, "Al"') == Listed("closed", NAMES.customer("C2"))
    assert found.look_up("小明") == Listed("prospect", NAMES.customer("C3"))
    assert found.look_up("root") == Listed("staff", NAMES.customer("S1"))
    assert found.look_up("A023456780") is None
    header = found.header
    assert (header.customers, header.aliases, header.shared) == (1, 5, 0)
    assert header.classes == {"customer": 2, "staff": 1, "prospect": 1, "closed": 1}


@pytest.mark.parametrize(
    "typed", ["a023456789", "Ａ０２３４５６７８９", " A023456789 ", "A023456789\t"]
)
def test_how_people_type_an_account_does_not_make_it_unknown(typed: str) -> None:
    """Whole-width, lower case and stray blanks are the same account."""
    assert made([("A023456789", "C1", "customer")]).look_up(typed) is not None


@given(
    listed=st.dictionaries(
        st.text(max_size=20), st.tuples(st.text(max_size=5), st.sampled_from(CLASSES)), max_size=30
    ),
    asked=st.text(max_size=20),
)
def test_look_ups_are_those_of_a_dictionary(
    listed: dict[str, tuple[str, AccountClass]], asked: str
) -> None:
    """For any accounts: the class by precedence, one customer or none, nothing for strangers."""
    found = made([(account, customer, kind) for account, (customer, kind) in listed.items()])

    for account in [*listed, asked]:
        holders = [held for alias, held in listed.items() if folded(alias) == folded(account)]
        if not holders:
            assert found.look_up(account) is None
            continue
        best = min((kind for _, kind in holders), key=CLASSES.index)
        of = {customer for customer, kind in holders if kind == best}
        customer = NAMES.customer(of.pop()) if len(of) == 1 else None
        assert found.look_up(account) == Listed(best, customer)


def test_a_shared_alias_has_a_class_and_no_owner() -> None:
    """A joint account is a customer's; whose it is, is not known. A former holder is no holder."""
    found = made(
        [
            ("joint", "C1", "customer"),
            ("joint", "C2", "customer"),
            ("again", "C3", "closed"),
            ("again", "C4", "customer"),
        ]
    )

    assert found.look_up("joint") == Listed("customer", None)
    assert found.look_up("again") == Listed("customer", NAMES.customer("C4"))
    assert (found.header.shared, found.header.customers) == (1, 3)


def test_the_same_list_has_the_same_version() -> None:
    """Order and repetition of lines do not matter, a change of one class does."""
    one: list[Row] = [("a", "C1", "customer"), ("b", "C2", "customer")]

    version = made(one).header.version

    assert made([*reversed(one), *one]).header.version == version
    assert made([one[0], ("b", "C2", "closed")]).header.version != version


def test_no_account_and_no_customer_number_is_in_the_file(tmp_path: Path) -> None:
    """What is kept are keyed hashes: another key finds nothing in it, and says so."""
    folder = tmp_path / "directory"
    load(csv(tmp_path / "c.csv", "A023456789,K77777,customer"), folder)
    path = current_file(folder)
    assert path is not None

    for word in (b"A023456789", b"a023456789", b"K77777"):
        assert word not in path.read_bytes()
    assert path.stat().st_mode & 0o777 == 0o600
    with pytest.raises(LoginwardError, match="made with the pseudonym key"):
        open_directory(folder, OTHER_NAMES)


@pytest.mark.parametrize(
    ("lines", "says"),
    [
        pytest.param([",C1,customer"], ":2 account: is empty", id="no account"),
        pytest.param(["a,  ,customer"], ":2 customer: is empty", id="no customer"),
        pytest.param(["a,C1,vip"], ":2 class: is none of customer, staff", id="class"),
        pytest.param(["a,C1,customer", "b,C2"], ":3 has 2 columns", id="short line"),
        pytest.param(["x" * 257 + ",C1,customer"], ":2 account: 257 characters", id="long"),
        pytest.param(['a,C1,"cust'], "is not CSV", id="open quote"),
        pytest.param([], "holds no account", id="empty"),
    ],
)
def test_a_bad_line_refuses_the_list(tmp_path: Path, lines: list[str], says: str) -> None:
    """File and line are named, no account is shown, and what was in force stays."""
    folder = tmp_path / "directory"
    before = load(csv(tmp_path / "good.csv", "A023456789,C1,customer"), folder)

    with pytest.raises(LoginwardError) as caught:
        load(csv(tmp_path / "bad.csv", *lines), folder, reason="anyway")

    assert f"{tmp_path}/bad.csv" in str(caught.value)
    assert says in str(caught.value)
    found = open_directory(folder, NAMES)
    assert found is not None
    assert found.header == before.header


def test_bad_lines_are_named_together_up_to_twenty(tmp_path: Path) -> None:
    """Who mends an export wants to see more than its first fault, and no value of it."""
    path = csv(tmp_path / "c.csv", *(f"secret{n},C1,vip" for n in range(50)))

    with pytest.raises(LoginwardError) as caught:
        directory_of(Export(file=path), NAMES, now=NOW)

    told = str(caught.value).splitlines()
    assert len(told) == 21
    assert "secret" not in str(caught.value)


def test_a_list_in_another_encoding_is_refused(tmp_path: Path) -> None:
    """Big5 read as UTF-8 would turn names into others."""
    path = tmp_path / "c.csv"
    path.write_bytes(f"{HEAD}\n王小明,C1,customer\n".encode("big5"))

    with pytest.raises(LoginwardError, match="is not UTF-8"):
        directory_of(Export(file=path), NAMES, now=NOW)


def test_columns_go_by_name(tmp_path: Path) -> None:
    """Any order, further columns, Excel's byte order mark, and names of the firm's own."""
    path = tmp_path / "c.csv"
    path.write_bytes("﻿STATUS,phone,CUST,account\ncustomer,+886900000001,C1,a\n".encode())

    export = Export(file=path, columns=column_map("customer=CUST, class=STATUS"))
    found = CustomerDirectory(directory_of(export, NAMES, now=NOW), NAMES, "test")

    assert found.look_up("a") == Listed("customer", NAMES.customer("C1"))
    for head in ("account,customer", "account,account,customer,class"):
        with pytest.raises(LoginwardError, match="must name one column"):
            directory_of(Export(file=csv(path, "a,b,c,d", head=head)), NAMES, now=NOW)
    for wrong in ("account", "account=", "acount=X", ""):
        with pytest.raises(LoginwardError, match="--column-map"):
            column_map(wrong)


@pytest.mark.parametrize(("left", "refused"), [(95, False), (94, True)])
def test_a_list_more_than_five_percent_smaller_is_refused(
    tmp_path: Path, left: int, refused: bool
) -> None:
    """Exactly 5 % fewer customers still pass; beyond, only a reason lets it, and it is kept."""
    folder = tmp_path / "directory"
    load(csv(tmp_path / "all.csv", *rows(100)), folder)
    smaller = csv(tmp_path / "few.csv", *rows(left))

    if refused:
        with pytest.raises(LoginwardError, match="94 customers where the list in force has 100"):
            load(smaller, folder)
        found = load(smaller, folder, reason="branch sold")
        assert found.header.shrink_reason == "branch sold"
    else:
        load(smaller, folder)
    after = open_directory(folder, NAMES)
    assert after is not None
    assert after.header.customers == left


def test_customers_that_all_close_are_a_shrunk_list(tmp_path: Path) -> None:
    """As many lines, but no customer among them: a fault of the export."""
    folder = tmp_path / "directory"
    load(csv(tmp_path / "a.csv", *rows(20)), folder)
    closed = [row.replace("customer", "closed") for row in rows(20)]

    with pytest.raises(LoginwardError, match="0 customers"):
        load(csv(tmp_path / "b.csv", *closed), folder)


def test_the_guard_holds_across_a_change_of_the_key(tmp_path: Path) -> None:
    """A new key makes every hash another one, not the list smaller."""
    folder = tmp_path / "directory"
    load(csv(tmp_path / "a.csv", *rows(20)), folder)

    with pytest.raises(LoginwardError, match="more than 5 % fewer"):
        load(csv(tmp_path / "b.csv", *rows(10)), folder, names=OTHER_NAMES)
    load(csv(tmp_path / "c.csv", *rows(20)), folder, names=OTHER_NAMES)
    assert open_directory(folder, OTHER_NAMES) is not None


def test_any_changed_byte_is_noticed(tmp_path: Path) -> None:
    """A damaged or cut file is refused with the way out, wherever the damage is."""
    folder = tmp_path / "directory"
    load(csv(tmp_path / "a.csv", *rows(3)), folder)
    path = current_file(folder)
    assert path is not None
    whole = path.read_bytes()

    damaged = [
        *(whole[:n] + bytes((whole[n] ^ 1,)) + whole[n + 1 :] for n in range(0, len(whole), 7)),
        *(whole[:n] for n in (0, 5, 41, len(whole) - 1)),
        whole + b"x",
    ]
    for data in damaged:
        path.write_bytes(data)
        with pytest.raises(LoginwardError, match=str(path)):
            open_file(path, NAMES)


def test_a_damaged_directory_is_replaced_by_the_next_load(tmp_path: Path) -> None:
    """Loading is the way out that every message names, so it must work."""
    folder = tmp_path / "directory"
    load(csv(tmp_path / "a.csv", *rows(3)), folder)
    path = current_file(folder)
    assert path is not None
    path.write_bytes(b"")
    with pytest.raises(LoginwardError, match="it is empty"):
        open_directory(folder, NAMES)

    load(csv(tmp_path / "b.csv", *rows(1)), folder, now=NOW + timedelta(hours=1))

    assert open_directory(folder, NAMES) is not None


def test_a_pointer_to_elsewhere_is_refused(tmp_path: Path) -> None:
    """Whatever stands in `current`, nothing outside the folder is opened."""
    folder = tmp_path / "directory"
    folder.mkdir()
    for text in ("../../etc/passwd", "", "directory-x", "x" * 1000, "\x1b[31m"):
        (folder / CURRENT).write_text(text)
        with pytest.raises(LoginwardError, match="names no directory file") as caught:
            current_file(folder)
        assert "\x1b" not in str(caught.value)
        assert len(str(caught.value)) < 600 + len(str(folder))


def test_old_files_go_and_an_open_one_still_answers(tmp_path: Path) -> None:
    """A worker that has not yet changed over is not pulled the file away from."""
    folder = tmp_path / "directory"
    path = csv(tmp_path / "a.csv", *rows(3))
    first = load(path, folder)

    for hour in range(1, 6):
        load(csv(path, *rows(3 + hour)), folder, now=NOW + timedelta(hours=hour))

    names = sorted(entry.name for entry in folder.iterdir())
    assert len(names) == KEPT + 1
    current = current_file(folder)
    assert current is not None
    assert current.name == names[-1]
    assert first.look_up("user1") is not None
    assert first.look_up("user4") is None


def test_a_lists_age_is_that_of_its_export(tmp_path: Path) -> None:
    """Loading yesterday's file again every night makes no list fresh."""
    folder = tmp_path / "directory"
    old = NOW - timedelta(days=3)

    header = load(csv(tmp_path / "a.csv", *rows(3), at=old), folder).header

    assert (header.as_of, header.loaded_at) == (old, NOW)
    assert is_stale(header, timedelta(hours=48), NOW)
    assert not is_stale(header, timedelta(days=3), NOW)
    future = csv(tmp_path / "b.csv", *rows(3), at=NOW + timedelta(days=9))
    assert load(future, folder).header.as_of == NOW


def test_replay_takes_folder_file_and_list(tmp_path: Path) -> None:
    """The same customers, whichever of the three is named; a stranger's file is told."""
    folder = tmp_path / "directory"
    path = csv(tmp_path / "a.csv", *rows(3))
    load(path, folder)
    file = current_file(folder)
    assert file is not None

    versions = {
        read_customers(named, NAMES, now=NOW).header.version for named in (folder, file, path)
    }

    assert versions == {read_header(file).version}
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(LoginwardError, match="no directory was loaded here"):
        read_customers(empty, NAMES, now=NOW)
