"""What the two peers have in common: they watch addresses, name one, and ban it for a while."""

from __future__ import annotations

from typing import NamedTuple, Protocol


class PeerAlert(NamedTuple):
    """One alert of a peer: which of its rules, on which address, from the first to the last event
    of its bucket (ms). A peer alerts at the moment of the last.
    """

    rule: str
    ip: str
    start_ms: int
    at_ms: int
    events: int


class Peer(Protocol):
    """A peer fed with attempts in the order of event time."""

    name: str
    ban_ms: int
    """How long an address stays banned after an alert, by the peer's own defaults."""

    def feed(self, at_ms: int, ip: str, account: str | None, *, failed: bool) -> list[PeerAlert]:
        """Take one attempt; what it makes the peer say."""
        ...
