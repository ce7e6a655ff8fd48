"""Canaries: an attack of our own, once a beat, that detection must find; else it does not work.

Each beat fails on names of nobody from one documentation address (2001:db8::/32, RFC 3849), in a
/48 of its own, as the system `_canary`. That goes through decoding, windows and outbox like any
other login, and is in no count, baseline, notice, incident or daily record.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta
from ipaddress import IPv6Address
from typing import Final

import msgspec

from detectors.daily import CANARY
from detectors.events import LoginEvent, instant

from .troubles import Trouble

MISSING: Final = "canary_missing"
SOURCE: Final = "_watchdog"
NETWORKS: Final = 65_536
"""/48s of 2001:db8::/32: a beat a minute comes round after 45 days, long after 7."""
KEPT: Final = timedelta(days=7)
_FIRST: Final = int(IPv6Address("2001:db8::1"))


class Beat(msgspec.Struct, kw_only=True):
    """One beat on its way; `found_ms`: when its alert stood in the topic."""

    number: int
    sent_ms: int
    found_ms: int | None = None
    alert_ids: list[str] = []

    @property
    def address(self) -> str:
        """Its own address, as alerts show its /64."""
        return str(IPv6Address(_FIRST + ((self.number % NETWORKS) << 80)))


def events(beat: Beat, tries: int) -> list[LoginEvent]:
    """What a beat sends: `tries` failures on as many names that are no customer's."""
    return [
        LoginEvent(
            schema=1,
            event_id=f"{beat.sent_ms}-{beat.number}-{name}",
            occurred_at=instant(beat.sent_ms + name),
            received_at=instant(beat.sent_ms + name),
            system=CANARY,
            source=SOURCE,
            account=f"{CANARY}-{beat.number}-{name}",
            ip=beat.address,
            outcome="failure",
            reason="unknown_account",
            account_class="unknown",
        )
        for name in range(tries)
    ]


def subject_number(subject: str) -> int | None:
    """Which network of 2001:db8::/32 an alert's subject (an address or network) is; None: none."""
    try:
        address = IPv6Address(subject.partition("/")[0])
    except ValueError:
        return None
    number = int(address)
    return (number >> 80) % NETWORKS if number >> 96 == _FIRST >> 96 else None


def missing(beats: Sequence[Beat], within: timedelta, now_ms: int) -> Iterator[Trouble]:
    """Beats whose alert has not come in time, and after which none was found."""
    found = max((beat.sent_ms for beat in beats if beat.found_ms is not None), default=0)
    late = [
        beat
        for beat in beats
        if beat.found_ms is None
        and beat.sent_ms > found
        and now_ms - beat.sent_ms > within.total_seconds() * 1000
    ]
    if late:
        waited = (now_ms - min(beat.sent_ms for beat in late)) // 1000
        yield Trouble(
            rule=MISSING,
            subject="detection",
            severity="critical",
            summary=f"{len(late)} canaries were sent and not found, the oldest {waited} s ago: "
            "an attack now might not be found either",
            size=len(late),
            counts={"missing": len(late), "waited_s": waited},
            window_s=int(within.total_seconds()),
        )
