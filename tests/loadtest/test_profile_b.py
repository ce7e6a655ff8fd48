"""Profile B against the numbers of its source."""

from __future__ import annotations

from collections import Counter

import pytest

from loadtest.agents import AGENTS
from loadtest.profile import parse
from loadtest.rendering import OPTIONAL

from .conftest import MONDAY_MS, Made, Make, addresses, logins, shared

_SCALE = 0.01  # 118,000 attempts in the six days
_DAY = 86_400_000


@pytest.fixture(scope="module")
def attack() -> Made:
    """The whole campaign of six days at a hundredth."""
    return Make()("B", scale=_SCALE, customers=100_000, fields=OPTIONAL)


def test_the_campaign_has_the_size_of_its_source(attack: Made) -> None:
    """11,804,332 attempts from 2,217,488 addresses at the scale, that is 5.3 an address."""
    tries = logins(attack)

    assert len(tries) == pytest.approx(11_804_332 * _SCALE, rel=0.02)
    assert len(addresses(attack, "attack")) == pytest.approx(2_217_488 * _SCALE, rel=0.03)


def test_its_peak_is_that_of_its_source(attack: Made) -> None:
    """The busiest hours have about 208,000 attempts, often from more than 100,000 addresses."""
    hours = Counter(line.at_ms // 3_600_000 for line in logins(attack))
    used = Counter(hour for _, hour in {(x.ip, x.at_ms // 3_600_000) for x in logins(attack)})

    assert max(hours.values()) / _SCALE == pytest.approx(208_000, rel=0.3)
    assert sum(count > 100_000 * _SCALE for count in used.values()) > 24


def test_it_is_twenty_times_the_load_beside_its_customers() -> None:
    """With as many customers as in the source the peak is twenty times their mean hour."""
    (share,) = parse("B")
    made = Make()(f"B+G:{share.profile.beside}", scale=0.002, duration_ms=6 * _DAY)

    hours = Counter(line.at_ms // 3_600_000 for line in made.ledger if line.label == "attack")
    benign = sum(line.label == "benign" for line in made.ledger) / (6 * 24)
    busiest = sorted(hours.values())[-6]  # Monday's opening is busier still
    assert busiest / benign == pytest.approx(20, rel=0.25)


def test_shares_are_those_of_the_sources(attack: Made) -> None:
    """10 % of the names are nobody's, 0.2 % of the attempts get in."""
    nobodys = sum(b'"account_class":"unknown"' in raw for raw in attack.lines)
    hits = sum(line.kind == "takeover" for line in attack.ledger)

    assert nobodys / attack.tally.events == pytest.approx(0.10, abs=0.01)
    assert hits / attack.tally.events == pytest.approx(0.002, rel=0.25)


def test_programs_are_the_customers(attack: Made) -> None:
    """Every program of customers, each as often as with them."""
    agents = Counter(raw.split(b'"user_agent":"')[1].split(b'"')[0] for raw in attack.lines)

    for agent in AGENTS:
        share = agents[agent.user_agent.encode()] / len(attack.lines)
        assert share == pytest.approx(agent.share, abs=0.01)


def test_a_short_run_has_as_many_attempts_an_address() -> None:
    """Two hours at another scale: still 5.3 an address, in the networks of customers."""
    made = Make()("B:0.18+G", scale=0.3, duration_ms=2 * 3_600_000, start_ms=MONDAY_MS + _DAY // 3)

    tries = logins(made)
    assert len(tries) / len(addresses(made, "attack")) == pytest.approx(5.3, rel=0.08)


def test_a_hundredth_of_the_addresses_is_shared_with_customers() -> None:
    """In half a day, at our size, customers come from >= 1 % of the attack's addresses."""
    made = Make()("B:0.18+G", scale=0.2, duration_ms=_DAY // 2)

    assert shared(made) >= 0.01
