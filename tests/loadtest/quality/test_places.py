"""Addresses are compared as subscribers: /32, /64, or a subnet around them."""

from __future__ import annotations

import pytest

from loadtest.quality.places import Named, place


@pytest.mark.parametrize(
    ("ip", "who"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
    ],
)
def test_who_an_address_stands_for(ip: str, who: str) -> None:
    """An IPv4 address alone, an IPv6 address as its household."""
    assert place(ip) == who


@pytest.mark.parametrize(
    ("named", "ip", "found"),
    [
        ("192.0.2.7", "192.0.2.7", True),
        ("192.0.2.7", "192.0.2.8", False),
        ("2001:db8::/64", "2001:db8::1", True),
        ("2001:db8::9", "2001:db8::1", True),
        ("2001:db8:0:1::/64", "2001:db8::1", False),
        ("192.0.2.0/24", "192.0.2.9", True),
        ("192.0.2.0/24", "192.0.3.9", False),
        ("2001:db8::/48", "2001:db8:0:5::1", True),
        ("192.0.2.0/24", "2001:db8::1", False),
        ("64496", "192.0.2.7", False),
        ("global", "192.0.2.7", False),
    ],
)
def test_what_a_name_covers(named: str, ip: str, found: bool) -> None:
    """An address, its /64, a subnet; an AS number or a word covers no address."""
    assert (ip in Named([named])) is found
