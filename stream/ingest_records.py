"""What `ingest` sends: events keyed by account, unparsable lines with their reason and place."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

import msgspec

from detectors.events import PAST_TOLERANCE
from detectors.pseudonyms import Pseudonyms
from detectors.wire import bounded

from .sending import Headers, Outgoing
from .sources.base import Found
from .sources.reading import Refused

BACKFILL: Headers = (("backfill", b"1"),)
"""Header of records that fill memory and archive; nobody is paged or notified for them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Addressing:
    """Where records go, and under what names: topics on the broker, source, system."""

    logins: str
    rejected: str
    source: str
    system: str
    backfill: bool
    pseudonyms: Pseudonyms

    def event(self, found: Found) -> Outgoing:
        """A record of `logins`; its key keeps one account in one partition, hence in order."""
        event = found.event
        key = event.emitter if event.account is None else self.pseudonyms.account(event.account)
        return Outgoing(self.logins, key.encode(), found.record(), self._marks())

    def reject(self, refused: Refused, file: str, line: str) -> Outgoing:
        """A record of `logins.rejected`: the line as it was, why, and where it stands.

        Its key is a keyed hash of the system and the line, so that a repeat can be told.
        """
        kept, more = bounded(refused.raw)
        if refused.cut is not None:
            more = {"sha256": refused.cut.sha256, "length": str(refused.cut.length)}
        told = {
            "reason": refused.reason,
            "detail": refused.detail,
            "source": self.source,
            "system": self.system,
            "file": file,
            "line": line,
            **more,
        }
        headers = [
            (name, value.encode("utf-8", "backslashreplace")) for name, value in told.items()
        ]
        key = self.pseudonyms.line_hash()
        key.update(self.system.encode() + b"\0" + refused.raw)
        return Outgoing(self.rejected, key.hexdigest().encode(), kept, [*headers, *self._marks()])

    def _marks(self) -> Headers:
        return BACKFILL if self.backfill else ()


Freshness = Literal["import", "unsure", "live"]
"""What is known of a line's arrival: long ago; perhaps long ago (it was there before us); now."""


def received(found: Found, now: datetime, freshness: Freshness) -> Found:
    """`found` with `received_at`, which is set once, at the first ingress.

    Of a live line it is `now`, and the emitter's clock is judged against it. An import was received
    when it occurred; so was an unsure line that is older than any clock is wrong by.
    """
    event = found.event
    if event.received_at is not None:
        return found
    old = freshness == "import" or (
        freshness == "unsure" and event.occurred_at < now - PAST_TOLERANCE
    )
    event = msgspec.structs.replace(event, received_at=event.occurred_at if old else now)
    return msgspec.structs.replace(found, event=event)
