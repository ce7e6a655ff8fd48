"""Times as the archive stores them: whole microseconds since 1970 UTC."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

from detectors.events import EPOCH, rfc3339

# The wire takes 9999-12-31T23:59:59-14:00, which in UTC lies beyond Python's last year.
_WEST = timezone(timedelta(hours=-14))


def microseconds(at: datetime) -> int:
    """An aware time as microseconds since 1970 UTC."""
    delta = at - EPOCH
    return (delta.days * 86_400 + delta.seconds) * 1_000_000 + delta.microseconds


def instant(us: int) -> datetime:
    """The inverse of `microseconds`; in UTC, except in the last hours of Python's calendar."""
    try:
        return EPOCH + timedelta(microseconds=us)
    except OverflowError:
        return EPOCH.astimezone(_WEST) + timedelta(microseconds=us)


def text(us: int) -> str:
    """RFC 3339 in UTC with Z; beyond Python's calendar with its own offset."""
    at = instant(us)
    return at.isoformat() if at.tzinfo is _WEST else rfc3339(at)


def parsed(written: str) -> datetime:
    """An aware time out of RFC 3339. Raises ValueError, also where it has no offset."""
    at = datetime.fromisoformat(written)
    if at.tzinfo is None:
        raise ValueError(f"{written!r} has no offset")
    return at
