"""What is known of networks by themselves: who rents them out, and which addresses are proxies."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network, ip_address
from typing import Literal

NetworkKind = Literal["cloud", "hosting", "vpn", "tor", "relay", "listed"]
"""cloud, hosting: servers for rent. vpn: a service that hides its users. tor: run for exit nodes.
relay: a browser's or telephone's own relay (iCloud Private Relay, WARP), used by ordinary people.
listed: told to be bad by threat intelligence.
"""

RISKY_KINDS: frozenset[NetworkKind] = frozenset({"cloud", "hosting", "vpn", "tor", "listed"})
"""From where ordinary customers hardly ever log in. A relay is no such place."""

HIDING_KINDS: frozenset[NetworkKind] = frozenset({"cloud", "hosting", "vpn", "tor", "relay"})
"""Where the address stands somewhere else than its user."""

Network = IPv4Network | IPv6Network

ANY_SOURCE = "*"
"""Proxies that stand before every source."""

_CACHED = 65_536


class Networks:
    """Kinds by AS number, and trusted proxies by source; nothing in it ever changes."""

    def __init__(
        self,
        kinds: Mapping[int, frozenset[NetworkKind]] | None = None,
        proxies: Mapping[str, tuple[Network, ...]] | None = None,
        *,
        version: str = "",
    ) -> None:
        self.kinds = dict(kinds or {})
        self.version = version
        """What names this list in the record of what was in force; empty for no list."""
        everywhere = (proxies or {}).get(ANY_SOURCE, ())
        self.proxies = {name: (*of, *everywhere) for name, of in (proxies or {}).items()}
        self._everywhere = everywhere
        self._within = lru_cache(maxsize=_CACHED)(_within)

    def kinds_of(self, asn: int) -> frozenset[NetworkKind] | None:
        """The kinds of an AS; empty: it is on no list. None: there is no list to ask."""
        return self.kinds.get(asn, frozenset()) if self.kinds else None

    def is_proxy(self, source: str, address: str) -> bool:
        """Whether `address` (canonical) is a trusted proxy of `source`, and so no client's own."""
        ranges = self.proxies.get(source, self._everywhere)
        return bool(ranges) and self._within(ranges, address)


def _within(ranges: tuple[Network, ...], address: str) -> bool:
    parsed = ip_address(address)
    return any(parsed in network for network in ranges)


NO_NETWORKS = Networks()
"""No list and no proxy."""
