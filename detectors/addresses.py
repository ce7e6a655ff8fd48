"""An address as rules count it: IPv4 /32, IPv6 /64, IPv4-mapped IPv6 unmapped first."""

from __future__ import annotations

import ipaddress
import re
from functools import lru_cache

# One regular expression instead of ipaddress for the common case: 0.6 against 2.5 microseconds.
_IPV4 = re.compile(r"(?:25[0-5]|2[0-4]\d|1?\d?\d)(?:\.(?:25[0-5]|2[0-4]\d|1?\d?\d)){3}", re.ASCII)
_LEADING_ZERO = re.compile(r"(?:^|\.)0\d")


@lru_cache(maxsize=65_536)
def canonical(ip: str) -> str:
    """The one spelling of an address: RFC 5952, `::ffff:192.0.2.1` as `192.0.2.1`, no zone.

    Raises ValueError where `ip` is no address (leading zeros are refused: octal to some, decimal
    to others).
    """
    if _IPV4.fullmatch(ip) and not _LEADING_ZERO.search(ip):
        return ip
    address = ipaddress.ip_address(ip.partition("%")[0] if ":" in ip else ip)
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    return str(address)


@lru_cache(maxsize=65_536)
def counted_as(address: str) -> str:
    """The subject of address rules for a canonical address: itself, or its /64 (one customer's
    usual share).
    """
    if ":" not in address:
        return address
    return str(ipaddress.IPv6Network((int(ipaddress.IPv6Address(address)) >> 64 << 64, 64)))


@lru_cache(maxsize=65_536)
def network_of(value: str) -> str:
    """The network of an address, or of the /64 it counts as: IPv4 /24, IPv6 /48 (a site's usual
    share, RFC 6177).
    """
    if ":" not in value:
        return value[: value.rindex(".")] + ".0/24"
    first = int(ipaddress.IPv6Address(value.partition("/")[0]))
    return str(ipaddress.IPv6Network((first >> 80 << 80, 48)))
