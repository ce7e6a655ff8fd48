"""Addresses have one spelling, and count as a house, not as a device."""

from __future__ import annotations

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.addresses import canonical, counted_as, network_of


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("::FFFF:c000:201", "192.0.2.1"),
        ("0:0:0:0:0:ffff:192.0.2.1", "192.0.2.1"),
        ("2001:DB8:0:0:0:0:0:1", "2001:db8::1"),
        ("fe80::1%eth0", "fe80::1"),
        ("::ffff:192.0.2.1%3", "192.0.2.1"),
        ("0.0.0.0", "0.0.0.0"),
        ("::", "::"),
    ],
)
def test_every_spelling_of_an_address_is_one(written: str, meant: str) -> None:
    """An attacker cannot count as two by writing himself differently."""
    assert canonical(written) == meant


@pytest.mark.parametrize(
    "text",
    ["", "host", "192.0.2", "192.0.2.256", "192.0.2.01", "010.0.0.1", "192.0.2.1%eth0",
     " 192.0.2.1", "192.0.2.1\n", "1::2::3", "%eth0", "192.0.2.1/32", "١٩٢.0.2.1", "0x7f.0.0.1",
     "2130706433"],
)  # fmt: skip
def test_what_is_no_address_is_refused(text: str) -> None:
    """Octal, decimal and other guesses are not made."""
    with pytest.raises(ValueError, match=r".*"):
        canonical(text)


@given(number=st.integers(0, 2**32 - 1))
def test_ipv4_counts_alone_however_it_is_written(number: int) -> None:
    """/32, and the same address inside IPv6 is the same subject."""
    address = str(ipaddress.IPv4Address(number))

    assert canonical(address) == canonical(f"::ffff:{address}") == address
    assert counted_as(address) == address


@given(number=st.integers(0, 2**128 - 1), host=st.integers(0, 2**64 - 1))
def test_ipv6_counts_by_its_64(number: int, host: int) -> None:
    """The lower 64 bits are the customer's to choose: all of them are one subject."""
    one = ipaddress.IPv6Address(number)
    other = ipaddress.IPv6Address(number >> 64 << 64 | host)
    if one.ipv4_mapped or other.ipv4_mapped:
        return

    assert canonical(one.exploded) == str(one)
    assert counted_as(canonical(str(one))) == counted_as(canonical(str(other)))
    assert one in ipaddress.IPv6Network(counted_as(canonical(str(one))))


@given(first=st.integers(0, 2**64 - 1), second=st.integers(0, 2**64 - 1))
def test_different_64s_are_different_subjects(first: int, second: int) -> None:
    """Two houses are never one."""
    one, other = (canonical(str(ipaddress.IPv6Address(n << 64 | 1))) for n in (first, second))

    assert (counted_as(one) == counted_as(other)) == (first == second)


@given(number=st.integers(0, 2**32 - 1))
def test_the_network_of_ipv4_is_its_24(number: int) -> None:
    """256 neighbours, by the definition of the standard library."""
    address = ipaddress.IPv4Address(number)

    assert network_of(str(address)) == str(ipaddress.ip_network((number >> 8 << 8, 24)))
    assert address in ipaddress.ip_network(network_of(str(address)))


@given(number=st.integers(2**112, 2**128 - 1))
def test_the_network_of_ipv6_is_its_48_also_from_its_64(number: int) -> None:
    """A site, whether asked by an address or by the /64 that counts."""
    address = str(ipaddress.IPv6Address(number))

    assert network_of(address) == network_of(counted_as(address))
    assert network_of(address) == str(ipaddress.IPv6Network((number >> 80 << 80, 48)))
