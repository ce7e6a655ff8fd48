"""Profile C against the numbers of its sources."""

from __future__ import annotations

from collections import Counter

import pytest

from loadtest.agents import AGENTS, OLD_EDGE
from loadtest.rendering import OPTIONAL

from .conftest import Made, Make, addresses, logins

_SCALE = 0.01


@pytest.fixture(scope="module")
def attack() -> Made:
    """The whole campaign of four days at a hundredth."""
    return Make()("C", scale=_SCALE, customers=100_000, fields=OPTIONAL)


def test_addresses_are_used_once_or_twice(attack: Made) -> None:
    """7.4 million attempts at the scale, 1.18 an address, hardly one more than five times."""
    tries = Counter(line.ip for line in logins(attack))

    assert sum(tries.values()) == pytest.approx(7_400_000 * _SCALE, rel=0.03)
    assert sum(tries.values()) / len(tries) == pytest.approx(108 / 91.34, rel=0.03)
    assert sum(count > 5 for count in tries.values()) / len(tries) < 0.003


def test_five_spikes_after_low_probing(attack: Made) -> None:
    """Five times five hours hold nine tenths; a spike's hour has 4/108 of all attempts."""
    start = attack.ledger[0].at_ms // 3_600_000
    hours = Counter(line.at_ms // 3_600_000 - start for line in logins(attack))
    spikes = [count for count in hours.values() if count > sum(hours.values()) / 50]

    assert len(spikes) == 25
    assert sum(spikes) / sum(hours.values()) == pytest.approx(0.9, abs=0.02)
    assert max(spikes) / sum(hours.values()) == pytest.approx(4 / 108, rel=0.1)
    assert hours[0] < max(spikes) / 10


def test_one_fingerprint_which_customers_have_too(attack: Made) -> None:
    """One outdated program; a hundredth of the customers uses it as well."""
    agents = {raw.split(b'"user_agent":"')[1].split(b'"')[0] for raw in attack.lines}

    assert agents == {AGENTS[OLD_EDGE].user_agent.encode()}
    assert AGENTS[OLD_EDGE].share == 0.01


def test_most_names_are_nobodys_and_homes_abroad(attack: Made) -> None:
    """9 names of 10 are nobody's; nearly all addresses are homes of eight other countries."""
    nobodys = sum(b'"account_class":"unknown"' in raw for raw in attack.lines)
    countries = Counter(raw.split(b'"country":"')[1][:2] for raw in attack.lines)

    assert nobodys / attack.tally.events == pytest.approx(0.90, abs=0.01)
    assert countries[b"TW"] / attack.tally.events < 0.1
    assert len(countries) >= 9


def test_a_run_cut_short_keeps_the_rates() -> None:
    """The first three hours are two of probing and one of a spike, with the campaign's rates."""
    made = Make()("C", scale=_SCALE * 3, duration_ms=3 * 3_600_000, customers=100_000)

    tries = logins(made)
    assert len(tries) == pytest.approx(7_400_000 * 0.0359 * 1.08 * _SCALE * 3, rel=0.05)
    assert len(tries) / len(addresses(made, "attack")) == pytest.approx(1.18, rel=0.03)
