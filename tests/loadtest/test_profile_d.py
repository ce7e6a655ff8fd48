"""Profile D against the numbers of its source."""

from __future__ import annotations

from collections import Counter

import pytest

from loadtest.rendering import OPTIONAL

from .conftest import Made, Make, addresses, logins, shared

_WEEK = 7 * 86_400_000
_SCALE = 0.1


@pytest.fixture(scope="module")
def attack() -> Made:
    """A week of the campaign at a tenth, with as many customers as names would be."""
    return Make()("D", scale=_SCALE, duration_ms=_WEEK, customers=500_000, fields=OPTIONAL)


def test_it_is_slow(attack: Made) -> None:
    """7,900 attempts an hour at the scale, 2.2 an address, 0.1 % with the right password."""
    tries = logins(attack)
    hits = sum(line.kind == "takeover" for line in tries)

    assert len(tries) / 168 == pytest.approx(8_000_000 / 42 / 24 * _SCALE, rel=0.02)
    assert len(tries) / len(addresses(attack, "attack")) == pytest.approx(2.2, rel=0.03)
    assert hits / len(tries) == pytest.approx(0.001, rel=0.3)


def test_each_name_is_a_customers_and_comes_once(attack: Made) -> None:
    """No unknown name, and no name twice before all customers have been tried."""
    tries = Counter(line.account for line in logins(attack))

    assert not any(b'"account_class":"unknown"' in raw for raw in attack.lines)
    assert max(tries.values()) == 1


def test_a_hundredth_of_the_addresses_is_shared_with_customers() -> None:
    """In half a day customers come from >= 1 % of the attack's addresses."""
    made = Make()("D+G", scale=0.2, duration_ms=_WEEK // 14)

    assert shared(made) >= 0.01
