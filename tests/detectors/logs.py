"""Entries and logs as a store keeps them, made from events."""

from __future__ import annotations

from collections.abc import Iterable

from detectors.attempts import pack
from detectors.events import LoginEvent, milliseconds
from detectors.windows import SubjectLog
from tests.builders import NAMES


def entry(event: LoginEvent) -> bytes:
    """A failure as it stands in the log of its address."""
    assert event.ip is not None
    identity = NAMES.event(event.emitter, event.event_id)
    return pack(event, event.ip, identity, milliseconds(event.judged_at), NAMES)


def log_of(entries: Iterable[bytes]) -> SubjectLog:
    """The log that holds these entries, appended in this order."""
    return SubjectLog.of(b"".join(entries))
