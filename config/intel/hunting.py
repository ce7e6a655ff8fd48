"""What a hunt finds, by bulletin: hits that detection knew as listed, and those of before."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from ipaddress import ip_network

from detectors.errors import LoginwardError
from detectors.events import instant
from detectors.indicators import FOR_EVER, SINCE_EVER, Indicators, Span

from .records import Hunted
from .store import Told


@dataclass(slots=True)
class Tally:
    """The hits of one bulletin; times in ms, `addresses` with their number of logins."""

    logins: int = 0
    successes: int = 0
    judged: int = 0
    first_ms: int | None = None
    last_ms: int | None = None
    at_least: bool = False
    addresses: Counter[str] = field(default_factory=Counter)

    def add(self, address: str, at_ms: int, *, success: bool, judged: bool, sure: bool) -> None:
        """One more login."""
        self.logins += 1
        self.successes += success
        self.judged += judged
        self.first_ms = at_ms if self.first_ms is None else min(self.first_ms, at_ms)
        self.last_ms = at_ms if self.last_ms is None else max(self.last_ms, at_ms)
        self.at_least |= not sure
        self.addresses[address] += 1

    def record(self, bulletin: str, since: datetime, until: datetime) -> Hunted:
        """For the ledger."""
        return Hunted(
            bulletin=bulletin,
            since=since,
            until=until,
            logins=self.logins,
            successes=self.successes,
            addresses=len(self.addresses),
            judged=self.judged,
            first=None if self.first_ms is None else instant(self.first_ms),
            last=None if self.last_ms is None else instant(self.last_ms),
            at_least=self.at_least,
        )


class Hunt:
    """Asks for the addresses of `bulletins`, and sorts what comes. Raises LoginwardError where
    there is no such bulletin.
    """

    def __init__(self, told: Told, bulletins: Iterable[str]) -> None:
        known = told.bulletins()
        self.tallies = {name: Tally() for name in bulletins}
        unknown = [name for name in self.tallies if name not in known]
        if unknown:
            raise LoginwardError(
                f"{', '.join(unknown[:5])}: no such bulletin; see `loginward intel ledger`"
            )
        self._in_force = told.indicators
        # Also what has expired or was taken back by us: it may have been right in its day.
        self._asked = Indicators(
            (ip_network(one.indicator.network), Span(SINCE_EVER, FOR_EVER, one.bulletin))
            for one in told.entries
            if one.bulletin in self.tallies and not one.indicator.revoked
        )

    def wants(self, address: str) -> bool:
        """Whether a login from `address` (canonical) is a hit."""
        return bool(self._asked.spans(address))

    def add(self, address: str, at_ms: int, *, success: bool, sure: bool) -> None:
        """A login from an address that is wanted, for every bulletin that names it."""
        held = {span.bulletin for span in self._in_force.spans(address) if span.holds(at_ms)}
        for name in {span.bulletin for span in self._asked.spans(address)}:
            self.tallies[name].add(address, at_ms, success=success, judged=name in held, sure=sure)
