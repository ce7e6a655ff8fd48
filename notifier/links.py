"""The link of an answer page in an e-mail: one new token a message, of which a hash is kept."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from . import tokens
from .contacts import Contact
from .ledger import Ledger, Notice


def answer_links(
    ledger: Ledger, base: str | None, now: Callable[[], datetime]
) -> Callable[[Notice, Contact], str]:
    """Who makes the links under `base`, the public URL of the answer page; None: none are made."""

    def link(notice: Notice, contact: Contact) -> str:
        if base is None:
            return ""
        token = tokens.issue(ledger, notice, phone=contact.phone, now=now())
        return f"{base.rstrip('/')}/{'en' if notice.language == 'en' else 'zh'}/{token}"

    return link
