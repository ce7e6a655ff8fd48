"""Whether customers can be told: channels, their secrets, contacts, and messages that are late."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import datetime, timedelta

from config.notifier_section import NotifierSettings
from detectors.errors import LoginwardError

from .check import Check, Visit, finding, note, ok

_LATE = timedelta(minutes=10)
"""Longer than any pause between two tries; what is later than this has nobody who sends it."""


def telling(visit: Visit) -> Iterator[Check]:
    """Everything that `run notify` needs to tell customers."""
    notifier = visit.settings.notifier
    if not notifier.channels:
        yield note(
            "notifier", "no channel is set up: customers are told nothing; see [notifier] settings"
        )
        return
    try:
        asyncio.run(_secrets(notifier))
    except LoginwardError as failure:
        yield finding("notifier.channels", str(failure), "mend it: `run notify` does not start so")
    else:
        yield ok("notifier.channels", ", ".join(notifier.channels))
    if notifier.sms and notifier.twilio_callback_url is None:
        yield note(
            "notifier.reports", "no twilio_callback_url: an SMS is never known to be delivered"
        )
    if notifier.app and notifier.app_receipts_secret_file is None and notifier.unseen_after:
        yield note(
            "notifier.receipts", "no APP tells what it showed: every `ask` also goes by SMS later"
        )
    yield from _contacts(notifier)
    yield from _late(notifier, visit.now)


async def _secrets(notifier: NotifierSettings) -> None:
    """Read every secret as the notifier would; raises LoginwardError."""
    from notifier.service import channels_of

    for channel in channels_of(notifier).values():
        await channel.close()


def _contacts(notifier: NotifierSettings) -> Iterator[Check]:
    from notifier.contacts import ContactBook

    missing = "loginward customers contacts load FILE.csv"
    # Opening would make the file, and a look must change nothing.
    if not notifier.contacts.exists():
        yield finding("notifier.contacts", f"{notifier.contacts}: is not there", missing)
        return
    try:
        book = ContactBook.open(notifier.contacts, notifier.contacts_key_file)
    except LoginwardError as failure:
        yield finding("notifier.contacts", str(failure), missing)
        return
    people, _ = book.count()
    book.close()
    if people:
        yield ok("notifier.contacts", f"{people:,} customers")
    else:
        yield finding("notifier.contacts", "the contact book holds nobody", missing)


def _late(notifier: NotifierSettings, now: datetime) -> Iterator[Check]:
    from notifier.ledger import Ledger

    if not notifier.ledger.exists():
        return
    try:
        ledger = Ledger.open(notifier.ledger)
    except LoginwardError as failure:
        yield finding("notifier.ledger", str(failure), "mend it: `run notify` does not start so")
        return
    waiting = ledger.waiting_sends()
    ledger.close()
    late = [(name, many) for name, many, oldest in waiting if oldest < now - _LATE]
    if late:
        said = ", ".join(f"{many} by {name}" for name, many in late)
        yield finding(
            "notifier.late",
            f"messages are overdue: {said}",
            "is `loginward run notify` running? its log names the provider that fails",
        )
    else:
        yield ok("notifier.ledger", f"{sum(many for _, many, _ in waiting)} messages wait")
