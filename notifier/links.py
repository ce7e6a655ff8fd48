"""The link of an answer page in an e-mail: one new token a message, of which a hash is kept."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

from .contacts import Contact
from .ledger import Ledger, Notice

_LIFETIME: Final = timedelta(hours=24)
"""A link that can only answer (COMPLIANCE.md 3.4)."""


def answer_links(
    ledger: Ledger, base: str | None, now: Callable[[], datetime]
) -> Callable[[Notice, Contact], str]:
    """Who makes the links under `base`, the public URL of the answer page; None: none are made."""

    def link(notice: Notice, contact: Contact) -> str:  # noqa: ARG001 (what is asked there)
        if base is None:
            return ""
        token = secrets.token_urlsafe(24)
        digest = hashlib.sha256(token.encode()).digest()
        ledger.issue_token(notice.notice_id, digest, "answer", now() + _LIFETIME)
        return f"{base.rstrip('/')}/a/{token}"

    return link
