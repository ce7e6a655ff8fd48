"""Customers and addresses: distinct where they must be, shared where they are."""

from __future__ import annotations

from collections import Counter
from ipaddress import ip_address, ip_network
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.addresses import canonical, counted_as
from loadtest.mixing import mixed, scattered
from loadtest.networks import NETWORKS, V6_BITS, Network
from loadtest.population import ELSEWHERE, HOME, MOBILE, OFFICE, PLACES, Population

_WEEK = 7 * 86_400_000
_NEVER_ROUTED = [
    ip_network(block) for block in ("10.0.0.0/8", "100.64.0.0/10", "198.18.0.0/15", "2001:db8::/32")
]


@given(bits=st.integers(1, 24), salt=st.integers(0, 2**40))
def test_scattering_is_a_bijection(bits: int, salt: int) -> None:
    """No two numbers of a range land together, whatever the salt."""
    some = range(min(1 << bits, 500))

    assert len({scattered(number, bits, salt) for number in some}) == len(some)
    assert all(0 <= scattered(number, bits, salt) < 1 << bits for number in some)


@given(st.integers(0, 2**64 - 1), st.integers(0, 2**64 - 1))
def test_mixing_depends_on_each_part_and_on_their_order(a: int, b: int) -> None:
    """Another part, or another order, gives another number."""
    assert mixed(a, b) == mixed(a, b) < 1 << 64
    if a != b:
        assert mixed(a, b) != mixed(b, a)
        assert mixed(a) != mixed(b)


def test_networks_do_not_overlap() -> None:
    """Each address belongs to one provider, and none is ever routed on the real Internet."""
    spans = sorted((n.base, n.base + n.size) for n in NETWORKS)

    assert all(a[1] <= b[0] for a, b in pairwise(spans))
    assert len({n.asn for n in NETWORKS}) == len(NETWORKS)
    assert all(n.at == at for at, n in enumerate(NETWORKS))
    for network in NETWORKS:
        for number in (0, 1, network.size - 1, network.size * 3 + 7):
            assert any(ip_address(network.v4(number)) in block for block in _NEVER_ROUTED)


@given(
    at=st.sampled_from([n for n in NETWORKS if n.kind not in {"hosting", "vpn"}]),
    household=st.integers(0, (1 << V6_BITS) - 1),
    devices=st.tuples(st.integers(0, 2**64), st.integers(0, 2**64)),
)
def test_a_household_is_one_64(at: Network, household: int, devices: tuple[int, int]) -> None:
    """IPv6 addresses are written canonically; devices of a household count as one subject."""
    first, second = (at.v6(household, device) for device in devices)

    assert canonical(first) == first
    assert counted_as(first) == counted_as(second)
    assert counted_as(first) != counted_as(at.v6(household ^ 1, devices[0]))
    assert any(ip_address(first) in block for block in _NEVER_ROUTED)


def test_names_are_distinct_and_nobodys() -> None:
    """Customers' names differ, names of nobody differ from them, and no real id has this shape."""
    population = Population(1, 50_000)
    names = [population.account(n) for n in range(50_000)]
    nobody = [population.nobody(n) for n in range(50_000)]

    assert len({*names, *nobody}) == 100_000
    assert all(len(name) == 10 and name[1] == "0" and name[2:].isdigit() for name in names + nobody)


def _addresses(population: Population, place: int, at_ms: int = 0) -> list[str]:
    customers = (population.customer(n) for n in range(population.size))
    return [population.where(customer, place, at_ms)[0] for customer in customers]


def test_a_fifth_sit_behind_shared_addresses_of_a_thousand() -> None:
    """20 % of places are behind proxies or CGNAT, each with about 1,000 users."""
    population = Population(5, 40_000)

    for place in (HOME, OFFICE):
        users = Counter(map(counted_as, _addresses(population, place)))
        shared = [n for n in users.values() if n > 100]
        assert sum(shared) / population.size == pytest.approx(0.20, abs=0.02)
        assert sum(shared) / len(shared) == pytest.approx(1_000, rel=0.15)


def test_a_household_shares_its_address() -> None:
    """Two customers of a household come from one IPv4 address or one /64, others from others."""
    population = Population(5, 4_000)
    users = Counter(map(counted_as, _addresses(population, HOME)))

    assert {n for n in users.values() if n < 100} == {2}


def test_mobile_addresses_change_weekly_and_others_stay() -> None:
    """A week later (nearly) all unshared mobiles have another address; home and office do not."""
    population = Population(5, 2_000)
    today = {place: _addresses(population, place) for place in (HOME, MOBILE, OFFICE, ELSEWHERE)}
    later = {place: _addresses(population, place, _WEEK) for place in today}

    def changed(place: int) -> float:
        pairs = zip(today[place], later[place], strict=True)
        return sum(counted_as(a) != counted_as(b) for a, b in pairs) / population.size

    assert changed(MOBILE) == pytest.approx(0.8, abs=0.03)
    assert changed(HOME) == changed(OFFICE) == changed(ELSEWHERE) == 0


def test_a_customer_has_five_places_at_most() -> None:
    """At one moment no customer has more than five addresses."""
    population = Population(9, 500)

    for number in range(population.size):
        customer = population.customer(number)
        found = {population.where(customer, place, 0) for place in range(PLACES)}
        assert 1 <= len(found) <= 5
