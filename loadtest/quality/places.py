"""Addresses as alerts name them: one address, a household's /64, a subnet."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

Net = IPv4Network | IPv6Network

_HOUSEHOLD = 64


@lru_cache(maxsize=200_000)
def place(ip: str) -> str:
    """What one subscriber is known by: the IPv4 address, the /64 of an IPv6 one."""
    address = ip_address(ip)
    if isinstance(address, IPv6Address):
        mapped = address.ipv4_mapped
        return str(mapped) if mapped else str(IPv6Network((address, _HOUSEHOLD), strict=False))
    return ip


class Named:
    """A set of addresses and subnets that somebody named."""

    def __init__(self, names: Iterable[str]) -> None:
        self._places: set[str] = set()
        self._nets: dict[tuple[int, int], set[int]] = {}
        for name in names:
            self.add(name)

    def add(self, name: str) -> None:
        """Add an address or a subnet; what is neither (an AS number, a word) is passed over."""
        try:
            net = ip_network(name, strict=False)
        except ValueError:
            return
        if net.prefixlen == net.max_prefixlen:
            self._places.add(place(str(net.network_address)))
        elif net.version == 6 and net.prefixlen == _HOUSEHOLD:  # noqa: PLR2004 (IPv6)
            self._places.add(str(net))
        else:
            kind = (net.version, net.max_prefixlen - net.prefixlen)
            self._nets.setdefault(kind, set()).add(int(net.network_address) >> kind[1])

    def __contains__(self, ip: str) -> bool:
        """Whether that address, or a subnet around it, was named."""
        if place(ip) in self._places:
            return True
        if not self._nets:
            return False
        address = ip_address(ip)
        return any(
            version == address.version and int(address) >> shift in heads
            for (version, shift), heads in self._nets.items()
        )
