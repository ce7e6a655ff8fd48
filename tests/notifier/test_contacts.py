"""The contact book: every spelling finds the person, nothing of it can be read without the key."""

from __future__ import annotations

import stat
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from detectors.errors import LoginwardError
from notifier.contacts import Contact, ContactBook, Person, masked
from notifier.contacts_csv import read_contacts

from .harness import EMAIL, NAMES, PHONE, TOKEN, TYPED

TW = frozenset({886})
WHOLE_WIDTH = "Ａ１２３４５６７８９"


@pytest.fixture
def book(tmp_path: Path) -> Iterator[ContactBook]:
    """Give a book with one customer under two accounts."""
    made = ContactBook.open(tmp_path / "notifier" / "contacts.db", tmp_path / "keys" / "c.key")
    person = Person(
        customer="C1",
        accounts=[TYPED, "9876543"],
        phone=PHONE,
        email=EMAIL,
        push_tokens=[TOKEN],
    )
    made.replace([person], NAMES)
    yield made
    made.close()


@pytest.mark.parametrize("typed", [TYPED, TYPED.lower(), "9876543"])
def test_every_account_and_spelling_finds_the_person(book: ContactBook, typed: str) -> None:
    """National id in both cases and the branch account: one person, each with its own mask."""
    found = book.find(NAMES.account(typed))

    assert found is not None
    assert found.channels == ("app", "sms", "email")
    assert (found.phone, found.email, found.push_tokens) == (PHONE, EMAIL, (TOKEN,))
    assert found.masked == masked(TYPED if typed.upper() == TYPED else typed)


def test_who_is_not_in_the_book_is_not_found(book: ContactBook) -> None:
    """Neither another account nor what was in force before."""
    assert book.find(NAMES.account("B1")) is None
    book.replace([Person(customer="C2", accounts=["B1"], email=EMAIL)], NAMES)
    assert book.find(NAMES.account("B1")) is not None
    assert book.find(NAMES.account(TYPED)) is None


def test_a_mask_leaves_most_of_an_account_hidden() -> None:
    """Four characters of a long account, fewer of a short one."""
    assert masked(TYPED) == "***6789"
    assert masked(WHOLE_WIDTH) == "***6789"
    assert masked("123456") == "***56"
    assert masked("ab") == "***"


def test_nothing_in_the_file_or_a_repr_shows_a_contact(book: ContactBook) -> None:
    """Neither number, address, token nor account, in any file of the book."""
    found = book.find(NAMES.account(TYPED))
    raw = b"".join(path.read_bytes() for path in book.path.parent.iterdir())

    for value in (PHONE, EMAIL, TOKEN, TYPED, "9876543", "6789"):
        assert value.encode() not in raw
        assert value not in repr(found)
    assert all(stat.S_IMODE(path.stat().st_mode) == 0o600 for path in book.path.parent.iterdir())


def test_what_a_provider_calls_dead_is_not_given_out_until_a_new_one_comes(
    book: ContactBook,
) -> None:
    """The number is gone, the rest stays; a list with another number is used."""
    book.mark_dead(PHONE, "21614", 1)

    found = book.find(NAMES.account(TYPED))
    assert found is not None
    assert found.channels == ("app", "email")
    book.replace([Person(customer="C1", accounts=[TYPED], phone="+886900000999")], NAMES)
    again = book.find(NAMES.account(TYPED))
    assert again is not None
    assert again.phone == "+886900000999"


def test_a_wrong_or_missing_key_is_a_sentence(book: ContactBook, tmp_path: Path) -> None:
    """Another key does not decrypt, an open one is refused, a missing one is not made anew."""
    key = tmp_path / "keys" / "c.key"
    other = ContactBook(book.path, bytes(32))
    with pytest.raises(LoginwardError, match="does not decrypt"):
        other.find(NAMES.account(TYPED))
    other.close()
    key.chmod(0o640)
    with pytest.raises(LoginwardError, match=r"mode 0640 .* chmod 600"):
        ContactBook.open(book.path, key)
    key.unlink()
    with pytest.raises(LoginwardError, match="is missing, but"):
        ContactBook.open(book.path, key)


def _read(tmp_path: Path) -> Callable[..., object]:
    def read(text: str, *, skip_bad: bool = False) -> object:
        file = tmp_path / "c.csv"
        file.write_text("account,customer,phone,email,language,push_token\n" + text)
        return read_contacts(file, countries=TW, skip_bad=skip_bad)

    return read


@pytest.mark.parametrize(
    ("line", "wrong"),
    [
        pytest.param(",C,,,,", "account: is empty", id="no account"),
        pytest.param("A,C,02 2345 6789,,,", "phone: is a fixed line number", id="landline"),
        pytest.param("A,C,0203 123 456,,,", "phone: is a premium rate number", id="premium"),
        pytest.param("A,C,0800 000 123,,,", "phone: is a toll free number", id="toll free"),
        pytest.param("A,C,+819012345678,,,", r"phone: \+81 is not in", id="abroad"),
        pytest.param("A,C,12,,,", "phone: is no valid", id="too short"),
        pytest.param("A,C,call me,,,", "phone: is no telephone number", id="no number"),
        pytest.param("A,C,,a@b@c,,", "email: is no address", id="no address"),
        pytest.param('A,C,,"a@b.c\r\nBcc: x",,', "email: is no address", id="header injection"),
        pytest.param("A,C,,,fr,", "language: is neither", id="a language without texts"),
        pytest.param("A,C,,,," + "t" * 5000, "push_token: 5000 characters", id="a long token"),
        pytest.param("A,C,0900000001,,,\nB,C,0900000002,,,", "phone: differs", id="two numbers"),
    ],
)
def test_a_bad_line_is_named_without_its_value(tmp_path: Path, line: str, wrong: str) -> None:
    """File, line, column and what is wrong; never what stands there."""
    with pytest.raises(LoginwardError, match=rf"c\.csv:\d+ {wrong}") as caught:
        _read(tmp_path)(line)

    for value in ("2345", "call me", "a@b", "819012345678", "0900000002"):
        assert value not in str(caught.value)


def test_lines_of_one_customer_are_one_person(tmp_path: Path) -> None:
    """Two accounts, two phones with the APP, one number however it is written."""
    found = read_contacts(
        _file(
            tmp_path,
            "account,customer,phone,push_token\n"
            "A1,C1,0900-000-123,t1\nB1,C1,+886 900 000 123,t2\nZ1,C2,,\n",
        ),
        countries=TW,
    )

    one = found.people["C1"]
    assert (one.accounts, one.phone, one.push_tokens) == (["A1", "B1"], PHONE, ["t1", "t2"])
    assert list(found.people) == ["C1", "C2"]


@pytest.mark.parametrize(
    ("content", "wrong"),
    [
        pytest.param(b"phone\n1\n", "must name one column account", id="no account column"),
        pytest.param(b"account,birthday\nA,1\n", "'birthday' is none of", id="data not needed"),
        pytest.param(b"account\n", "holds nobody", id="empty"),
        pytest.param(b"account\n\xff\n", "is not UTF-8", id="another encoding"),
        pytest.param(b"", "must name one column account", id="nothing"),
    ],
)
def test_a_file_that_is_no_list_is_refused(tmp_path: Path, content: bytes, wrong: str) -> None:
    """The whole of it, in a sentence."""
    file = tmp_path / "c.csv"
    file.write_bytes(content)

    with pytest.raises(LoginwardError, match=wrong):
        read_contacts(file, countries=TW)


def test_bad_lines_can_be_left_out_and_are_named(tmp_path: Path) -> None:
    """The good ones are there, the bad one is told."""
    file = _file(tmp_path, "account,phone\nA,0900000123\nB,0223456789\n")

    found = read_contacts(file, countries=TW, skip_bad=True)

    assert list(found.people) == ["A"]
    assert len(found.problems) == 1


def _file(tmp_path: Path, text: str) -> Path:
    file = tmp_path / "contacts.csv"
    file.write_text(text)
    return file


def test_a_contact_has_no_more_channels_than_parts() -> None:
    """In the order in which they are asked."""
    assert Contact(person="p", masked="***").channels == ()
    assert Contact(person="p", masked="***", email="e", push_tokens=("t",)).channels == (
        "app",
        "email",
    )
