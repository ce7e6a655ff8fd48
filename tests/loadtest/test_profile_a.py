"""Profile A against the numbers of its sources."""

from __future__ import annotations

from collections import Counter

import pytest

from loadtest.networks import HOSTING
from loadtest.rendering import OPTIONAL

from .conftest import Made, Make

_SCALE = 0.05  # 110,000 attempts, 830 addresses: chance stays below the tolerances


@pytest.fixture(scope="module")
def attack() -> Made:
    """The whole campaign of 15 hours at a twentieth."""
    return Make()("A", scale=_SCALE, fields=OPTIONAL)


def _kinds(made: Made) -> set[str]:
    return {line.kind for line in made.ledger}


def test_the_campaign_has_the_size_of_its_source(attack: Made) -> None:
    """2.2 million attempts from 16,600 addresses, at the scale, that is 133 an address."""
    addresses = {line.ip for line in attack.ledger}

    assert attack.tally.events == pytest.approx(2_200_000 * _SCALE, rel=0.02)
    assert len(addresses) == pytest.approx(16_600 * _SCALE, rel=0.03)


def test_the_plateau_is_as_flat_as_its_source(attack: Made) -> None:
    """Each half hour has 65,000 to 75,000 attempts, at the scale, with 5 % for chance."""
    start = attack.ledger[0].at_ms // 1_800_000
    halves = Counter(line.at_ms // 1_800_000 - start for line in attack.ledger)

    assert len(halves) == 30
    assert min(halves.values()) > 65_000 * _SCALE * 0.95
    assert max(halves.values()) < 75_000 * _SCALE * 1.15


def test_shares_are_those_of_the_sources(attack: Made) -> None:
    """90 % unknown names, 0.1 % of attempts get in, everything is an attack of one campaign."""
    unknown = sum(b'"account_class":"unknown"' in raw for raw in attack.lines)
    hits = sum(line.kind == "takeover" for line in attack.ledger)

    assert unknown / attack.tally.events == pytest.approx(0.90, abs=0.005)
    assert hits / attack.tally.events == pytest.approx(0.001, rel=0.35)
    assert {line.label for line in attack.ledger} == {"attack"}
    assert {line.campaign for line in attack.ledger} == {"A-1"}
    got_in = {"takeover"} | {kind for kind in _kinds(attack) if kind.startswith("thief_")}
    assert all((line.outcome == "success") == (line.kind in got_in) for line in attack.ledger)


def test_one_program_and_no_name_of_nobody_twice(attack: Made) -> None:
    """One user agent and one fingerprint; a list's pair is tried once."""
    agents = {raw.split(b'"user_agent":"')[1].split(b'"')[0] for raw in attack.lines}
    prints = {raw.split(b'"fingerprint":"')[1].split(b'"')[0] for raw in attack.lines}
    nobody = [
        line.account
        for line, raw in zip(attack.ledger, attack.lines, strict=True)
        if b'"account_class":"unknown"' in raw
    ]

    assert len(agents) == len(prints) == 1
    assert len(set(nobody)) == len(nobody)


def test_some_addresses_last_and_some_are_leased(attack: Made) -> None:
    """Half of the attempts come from addresses used for 20 minutes, half from lasting ones."""
    seen: dict[str | None, list[int]] = {}
    for line in attack.ledger:
        seen.setdefault(line.ip, []).append(line.at_ms)
    lasting = [times for times in seen.values() if max(times) - min(times) > 2 * 1_200_000]
    tries = [len(times) for times in seen.values()]

    assert len(lasting) / len(seen) == pytest.approx(0.5, abs=0.05)
    assert sum(tries) / len(tries) == pytest.approx(133, rel=0.05)


def test_networks_are_shared_with_customers(attack: Made) -> None:
    """A hundredth of the addresses are customers' homes, the rest stand in rented ranges."""
    rented = {f'"asn":{network.asn}'.encode() for network in HOSTING}
    at_home = {
        line.ip
        for line, raw in zip(attack.ledger, attack.lines, strict=True)
        if not any(asn in raw for asn in rented)
    }

    assert 0.003 < len(at_home) / len({line.ip for line in attack.ledger}) < 0.025
