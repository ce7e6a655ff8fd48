"""An address is judged by what was told of it at the time of its login, never before or after."""

from __future__ import annotations

from ipaddress import ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.events import Origin, milliseconds
from detectors.facts import facts_of
from detectors.indicators import FOR_EVER, SINCE_EVER, Indicators, Span
from detectors.networks import Networks
from tests.builders import IP, login, time

ALWAYS = Span(SINCE_EVER, FOR_EVER, "B1")


def listing(*networks: str, span: Span = ALWAYS) -> Indicators:
    """Networks that are listed for `span`."""
    return Indicators(((ip_network(one), span) for one in networks), version="v")


@pytest.mark.parametrize(
    ("at", "listed"),
    [
        pytest.param(9.999, False, id="before it was applied"),
        pytest.param(10, True, id="from its first instant on"),
        pytest.param(19.999, True, id="until its last"),
        pytest.param(20, False, id="and no longer"),
    ],
)
def test_an_indicator_judges_its_span_alone(at: float, listed: bool) -> None:
    """The login's own time decides, whenever it arrives."""
    span = Span(milliseconds(time(10)), milliseconds(time(20)), "B1")

    known = facts_of(login(at, "e"), indicators=listing(IP, span=span))

    assert (known.kinds == frozenset({"listed"})) is listed
    assert known.kinds_from == ("intel" if listed else "not known")


def test_a_listed_address_stays_what_it_was_beside() -> None:
    """A rented server that is listed is both."""
    event = login(0, "e", origin=Origin(asn=64500))
    networks = Networks({64500: frozenset({"cloud"})})

    known = facts_of(event, networks=networks, indicators=listing(IP))

    assert known.kinds == frozenset({"cloud", "listed"})


def test_a_span_that_ends_before_it_begins_judges_nobody() -> None:
    """An indicator that had expired when it came, or was revoked at once."""
    assert not Indicators([(ip_network(IP), Span(5, 5, "B1"))])


def test_the_address_of_a_proxy_is_never_listed() -> None:
    """Nobody is judged where no client's address is known."""
    assert facts_of(login(0, "e", ip=None), indicators=listing("0.0.0.0/0")).kinds is None


@given(st.integers(0, 2**128 - 1), st.integers(0, 128), st.booleans(), st.integers(0, 2**128 - 1))
def test_a_look_up_is_membership(address: int, length: int, near: bool, other: int) -> None:
    """The index by prefix says the same as the standard library, for any network and address."""
    network = ip_network((address, length), strict=False) if length else ip_network("::/0")
    asked = ip_address(address ^ (other >> 96)) if near else ip_address(other)
    if asked.version != network.version:
        return

    assert listing(str(network)).listed(str(asked), 0) is (asked in network)


def test_all_networks_of_an_address_count() -> None:
    """A /24 that holds and a /32 that has expired: it is listed."""
    indicators = Indicators(
        [
            (ip_network("192.0.2.0/24"), ALWAYS),
            (ip_network("192.0.2.7"), Span(0, 1, "B2")),
            (ip_network("2001:db8::/32"), ALWAYS),
        ]
    )

    assert {span.bulletin for span in indicators.spans("192.0.2.7")} == {"B1", "B2"}
    assert indicators.listed("192.0.2.7", 5)
    assert not indicators.listed("192.0.3.7", 5)
    assert [str(network) for network, _ in indicators.entries()] == [
        "192.0.2.0/24",
        "192.0.2.7/32",
        "2001:db8::/32",
    ]
