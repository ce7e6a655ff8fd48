"""The secret in an answer link: random, kept only as a hash, bound to one notice and 24 hours.

Whoever reads the ledger can neither make a link nor guess what has to be typed: three digits are
guessed at once, but their hash holds the secret of the link, of which the ledger has a hash alone.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
import unicodedata
from datetime import datetime, timedelta
from typing import Final, Protocol

from .ledger_checks import Typed, TypedCheck
from .ledger_records import Notice, TokenScope

SECRET_BYTES: Final = 24
"""192 bits; at least 128 are wanted (COMPLIANCE.md 3.4)."""

LIFETIME: Final = timedelta(hours=24)
"""Of a link that can only answer (COMPLIANCE.md 3.4)."""

TYPED_DIGITS: Final = 3

_TOKEN = re.compile(r"[A-Za-z0-9_-]{32}")


class TokenLedger(Protocol):
    """Where hashes of tokens are kept."""

    def issue_checked_token(
        self,
        notice_id: str,
        token_hash: bytes,
        scope: TokenScope,
        check: TypedCheck,
        expires_at: datetime,
    ) -> None:
        """Keep a token's hash, and what has to be typed with it."""
        ...


def issue(
    ledger: TokenLedger,
    notice: Notice,
    *,
    phone: str | None,
    now: datetime,
    lifetime: timedelta = LIFETIME,
    scope: TokenScope = "answer",
) -> str:
    """A new token of a notice, for the path of a link: `/a/<token>`. It is kept nowhere.

    `phone`: the customer's number on record, of which the last three digits have to be typed; with
    None those of the notice's number. Raises ValueError for a `phone` that does not end in digits.
    """
    typed: Typed = "number" if phone is None else "phone"
    digits = digits_of((phone or notice.number)[-TYPED_DIGITS:])
    if digits is None:
        raise ValueError("a telephone number ends in three digits; pass None where there is none")
    token = secrets.token_urlsafe(SECRET_BYTES)
    check = TypedCheck(typed=typed, digest=_digest(token, digits))
    ledger.issue_checked_token(notice.notice_id, fingerprint(token), scope, check, now + lifetime)
    return token


def shaped(token: str) -> bool:
    """Whether a text could be a token at all; nothing else is looked up."""
    return _TOKEN.fullmatch(token) is not None


def fingerprint(token: str) -> bytes:
    """The hash under which the ledger knows a token."""
    return hashlib.sha256(b"loginward token\0" + token.encode("ascii")).digest()


def typed_right(token: str, check: TypedCheck, text: str) -> bool:
    """Whether the right digits were typed; in constant time."""
    said = digits_of(text)
    return said is not None and hmac.compare_digest(_digest(token, said), check.digest)


def digits_of(text: str) -> str | None:
    """Three digits as people type them (full width, spaces around); None for anything else."""
    said = unicodedata.normalize("NFKC", text[:64]).strip()
    good = len(said) == TYPED_DIGITS and said.isascii() and said.isdigit()
    return said if good else None


def _digest(token: str, digits: str) -> bytes:
    said = b"loginward typed\0" + token.encode("ascii") + b"\0" + digits.encode("ascii")
    return hashlib.sha256(said).digest()
