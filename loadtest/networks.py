"""A small made-up Internet: who owns which addresses, in which country.

Only ranges that are never routed: 10.0.0.0/8 (RFC 1918), 100.64.0.0/10 (RFC 6598), 198.18.0.0/15
(RFC 2544) and 2001:db8::/32 (RFC 3849); the three documentation /24 stay free for tests and
canaries. The documentation ranges alone hold 768 addresses, one real campaign used 4.4 million.
AS numbers are those for documentation (RFC 5398).
"""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Network
from typing import Literal

from .mixing import mixed, scattered

Kind = Literal["fixed", "mobile", "business", "hosting", "vpn"]

V6_BITS = 28
"""Each network has a /36 of 2001:db8::/32, that is 2^28 households of one /64."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """One provider: `size` IPv4 addresses from `base`, and (hosting apart) a /36 of IPv6."""

    at: int
    asn: int
    name: str
    country: str
    kind: Kind
    base: int
    bits: int

    @property
    def size(self) -> int:
        """How many distinct IPv4 addresses there are."""
        return 1 << self.bits

    def v4(self, number: int) -> str:
        """The IPv4 address of subscriber `number` (distinct below `size`).

        Subscribers are scattered over the block; machines of a hosting company stand side by side.
        """
        if self.kind not in {"hosting", "vpn"}:
            number = scattered(number, self.bits, self.asn)
        n = self.base + (number & (1 << self.bits) - 1)
        return f"{n >> 24}.{n >> 16 & 255}.{n >> 8 & 255}.{n & 255}"

    def v6(self, household: int, device: int) -> str:
        """An address in the household's /64, RFC 5952 spelling; `device` chooses the lower half."""
        number = scattered(household, V6_BITS, self.asn)
        low = mixed(device) | 0x0001000100010001  # no zero group: nothing to shorten to ::
        return (
            f"2001:db8:{(self.at + 1) << 12 | number >> 16:x}:{number & 65535:x}:{low >> 48:x}:"
            f"{low >> 32 & 65535:x}:{low >> 16 & 65535:x}:{low & 65535:x}"
        )


def _table() -> tuple[Network, ...]:
    rows: tuple[tuple[int, str, str, Kind, str], ...] = (
        (64496, "Formosa Broadband", "TW", "fixed", "10.0.0.0/10"),
        (64497, "Jade Cable", "TW", "fixed", "10.64.0.0/10"),
        (64498, "Island Mobile", "TW", "mobile", "100.64.0.0/11"),
        (64499, "Strait Mobile", "TW", "mobile", "100.96.0.0/12"),
        (64500, "Taipei Business Line", "TW", "business", "100.112.0.0/12"),
        (64501, "Sakura Home", "JP", "fixed", "10.128.0.0/12"),
        (64502, "Prairie Cable", "US", "fixed", "10.144.0.0/12"),
        (64503, "Amazonas Net", "BR", "fixed", "10.160.0.0/12"),
        (64504, "Mekong Telecom", "VN", "fixed", "10.176.0.0/12"),
        (64505, "Deccan Fibre", "IN", "fixed", "10.192.0.0/12"),
        (64506, "Thames Broadband", "GB", "fixed", "10.208.0.0/12"),
        (64507, "Azteca Cable", "MX", "fixed", "10.224.0.0/12"),
        (64508, "Nusantara Mobile", "ID", "mobile", "10.240.0.0/12"),
        (64509, "Mesa Hosting", "US", "hosting", "198.18.0.0/17"),
        (64510, "Polder Servers", "NL", "hosting", "198.18.128.0/17"),
        (64511, "Rhein Rechenzentrum", "DE", "hosting", "198.19.0.0/17"),
        (65536, "Merlion VPN", "SG", "vpn", "198.19.128.0/17"),
    )
    return tuple(
        Network(
            at=at,
            asn=asn,
            name=name,
            country=country,
            kind=kind,
            base=int(IPv4Network(block).network_address),
            bits=32 - IPv4Network(block).prefixlen,
        )
        for at, (asn, name, country, kind, block) in enumerate(rows)
    )


NETWORKS = _table()
FIXED_TW = NETWORKS[0:2]
MOBILE_TW = NETWORKS[2:4]
BUSINESS_TW = NETWORKS[4]
ABROAD = NETWORKS[5:13]
HOSTING = NETWORKS[13:16]
VPN = NETWORKS[16]

UNKNOWN = -1
"""In place of a network's position in NETWORKS: no address, so no origin."""


def largest_population() -> int:
    """How many households get distinct IPv4 addresses at home (beyond, numbers come round)."""
    return sum(network.size for network in FIXED_TW)
