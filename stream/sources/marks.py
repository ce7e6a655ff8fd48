"""Lines on their way to events: where they stand, and what was decided by them."""

from __future__ import annotations

from datetime import datetime

import msgspec

from detectors.events import Outcome, Reason


class Mark(msgspec.Struct, frozen=True):
    """Where and when a line stands, and the id of the event it may become."""

    at: int
    occurred_at: datetime
    event_id: str


class Told(msgspec.Struct, frozen=True):
    """A decision on a login, by one line (`mark`); `address` as written."""

    mark: Mark
    outcome: Outcome
    account: str | None
    address: str | None
    reason: Reason | None
