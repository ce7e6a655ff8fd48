"""The link in an e-mail opens the page of its notice, in the customer's language."""

from __future__ import annotations

import pytest

from notifier.contacts import Contact
from notifier.ledger import Ledger
from notifier.links import answer_links
from tests.notifier.answering import DIGITS, PHONE, Asked


@pytest.mark.parametrize(
    ("language", "way"), [pytest.param("zh-TW", "zh", id="zh"), pytest.param("en", "en", id="en")]
)
def test_a_link_asks_for_the_telephone_on_record(ledger: Ledger, language: str, way: str) -> None:
    """Under the public address, in the language, and answered by the telephone's last digits."""
    asked = Asked(ledger)
    told = asked.notice(language=language)
    link = answer_links(ledger, "https://answers.example/", asked.clock)

    made = link(told, Contact(person="p", masked="***1234", language="en", phone=PHONE))

    base, token = made.rsplit("/", 1)
    assert base == f"https://answers.example/{way}"
    opened = asked.answers.open(token)
    assert opened is not None
    assert opened.typed == "phone"
    assert asked.answers.by_page(token, "no", DIGITS) == "recorded"


def test_without_a_telephone_it_asks_for_the_number_in_the_message(ledger: Ledger) -> None:
    """A customer with e-mail alone can answer too."""
    asked = Asked(ledger)
    link = answer_links(ledger, "https://answers.example", asked.clock)

    made = link(asked.notice(), Contact(person="p", masked="***1234", language="en"))

    opened = asked.answers.open(made.rsplit("/", 1)[1])
    assert opened is not None
    assert opened.typed == "number"


def test_without_a_public_address_there_is_no_link(ledger: Ledger) -> None:
    """Nothing is issued that nobody could reach."""
    asked = Asked(ledger)
    contact = Contact(person="p", masked="***1234", language="en", phone=PHONE)

    assert answer_links(ledger, None, asked.clock)(asked.notice(), contact) == ""
