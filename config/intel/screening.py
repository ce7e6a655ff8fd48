"""What never becomes an indicator: private and reserved addresses, our own, and what many share."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from ipaddress import ip_network
from typing import Final

from detectors.networks import Network

from .feed import Feed, Noted
from .indicator import Indicator

RESERVED: Final = tuple(
    ip_network(text)
    for text in (
        "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16",
        "172.16.0.0/12", "192.0.0.0/24", "192.88.99.0/24", "192.168.0.0/16", "224.0.0.0/4",
        "240.0.0.0/4", "::/127", "64:ff9b::/96", "64:ff9b:1::/48", "100::/64", "2001::/32",
        "2002::/16", "fc00::/7", "fe80::/10", "ff00::/8",
    )
)  # fmt: skip
"""IANA's special-purpose registries (2026-11), behind which no single stranger stands. Addresses
for documentation and for benchmarks are let in: nobody has them, and examples need some."""

WIDEST: Final = {4: 16, 6: 32}
"""A provider's share is a /16 or a /32 at most; who lists more lists the world."""


class Ranges:
    """Networks, to be asked whether one shares an address with them."""

    def __init__(self, networks: Iterable[Network]) -> None:
        self._first: dict[int, list[int]] = {4: [], 6: []}
        self._last: dict[int, list[int]] = {4: [], 6: []}
        for network in sorted(networks, key=lambda one: (one.version, int(one[0]))):
            first, last = self._first[network.version], self._last[network.version]
            if last and int(network[0]) <= last[-1]:
                last[-1] = max(last[-1], int(network[-1]))
            else:
                first.append(int(network[0]))
                last.append(int(network[-1]))

    def touch(self, network: Network) -> bool:
        """Whether `network` lies in one of them, holds one, or is one."""
        at = bisect_right(self._first[network.version], int(network[-1]))
        return at > 0 and self._last[network.version][at - 1] >= int(network[0])


_RESERVED: Final = Ranges(RESERVED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Screen:
    """What is kept out here. `lists`: warning lists by name; `revoked`: networks taken back by us;
    `least_confidence` 0 to 100, asked where the source says how sure it is.
    """

    own: Ranges = field(default_factory=lambda: Ranges(()))
    lists: Sequence[tuple[str, Ranges]] = ()
    revoked: frozenset[str] = frozenset()
    least_confidence: int = 0

    def reason(self, indicator: Indicator) -> str | None:
        """Why it is kept out; None: it is not."""
        network = ip_network(indicator.network)
        widest, sure = WIDEST[network.version], indicator.confidence
        warned = (f"on the warning list {name}" for name, of in self.lists if of.touch(network))
        reasons = (
            (_RESERVED.touch(network), "private or reserved"),
            (network.prefixlen < widest, f"wider than a /{widest}"),
            (self.own.touch(network), "our own (proxies, allow-list)"),
            (indicator.network in self.revoked, "revoked here before"),
            (
                sure is not None and sure < self.least_confidence,
                f"confidence below {self.least_confidence}",
            ),
        )
        return next((text for so, text in reasons if so), None) or next(warned, None)


@dataclass(slots=True)
class Screened:
    """The indicators of a feed that are fit, and those that are kept out by reason."""

    fit: list[Indicator] = field(default_factory=list)
    skipped: Counter[str] = field(default_factory=Counter)
    noted: Noted = field(default_factory=Noted)


def screened(feed: Feed, screen: Screen) -> Screened:
    """Sort out the indicators of `feed`; one that comes twice is there once."""
    found = Screened()
    seen: set[Indicator] = set()
    newest = _newest(feed.indicators)
    for indicator, place in zip(feed.indicators, feed.places, strict=True):
        # A revocation is let through whatever it is about: it only ever takes something away.
        reason = None if indicator.revoked else screen.reason(indicator)
        if indicator.id and indicator.modified != newest[indicator.id]:
            reason = "an older version of the same indicator"
        if reason is None:
            if indicator not in seen:
                seen.add(indicator)
                found.fit.append(indicator)
        else:
            found.skipped[reason] += 1
            found.noted.add(place, f"{indicator.network} is {reason}")
    return found


def _newest(indicators: Iterable[Indicator]) -> dict[str, datetime | None]:
    """When the newest version of each id was made."""
    newest: dict[str, datetime | None] = {}
    for one in indicators:
        held = newest.get(one.id)
        if held is None or (one.modified is not None and one.modified > held):
            newest[one.id] = one.modified
    return newest
