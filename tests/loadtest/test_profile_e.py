"""Profile E against the numbers it names."""

from __future__ import annotations

from collections import defaultdict

import pytest

from loadtest.ledger import LedgerLine
from loadtest.rendering import OPTIONAL

from .conftest import Made, Make, logins, shared


@pytest.fixture(scope="module")
def bouts() -> dict[str | None, list[LedgerLine]]:
    """The tries of a day, by account."""
    made: Made = Make()("E", scale=1.0, fields=OPTIONAL)
    found: dict[str | None, list[LedgerLine]] = defaultdict(list)
    for line in logins(made):
        found[line.account].append(line)
    return found


def test_each_account_is_tried_from_many_addresses(
    bouts: dict[str | None, list[LedgerLine]],
) -> None:
    """50 accounts, two hours each, about 2.2 tries an address."""
    tries = sum(map(len, bouts.values()))
    used = {line.ip for lines in bouts.values() for line in lines}

    assert len(bouts) == 50
    assert tries / len(used) == pytest.approx(2.2, rel=0.06)
    for lines in bouts.values():
        times = [line.at_ms for line in lines]
        assert max(times) - min(times) <= 7_200_000
        assert len(lines) <= 240
        assert len({line.ip for line in lines}) >= len(lines) / 4


def test_a_fifth_is_entered_and_left_alone_then(
    bouts: dict[str | None, list[LedgerLine]],
) -> None:
    """About 20 % of the accounts are taken, once each, by the last try on them."""
    taken = 0
    for lines in bouts.values():
        kinds = [line.kind for line in sorted(lines, key=lambda line: line.at_ms)]
        assert "takeover" not in kinds[:-1]
        taken += kinds[-1] == "takeover"

    assert 4 <= taken <= 18


def test_a_small_run_still_has_one(make: Make) -> None:
    """At a thousandth, or in an hour, one account is tried."""
    tiny = make("E", scale=0.001)
    short = make("E+G", scale=0.05, duration_ms=3_600_000)

    assert len({line.account for line in logins(tiny)}) == 1
    assert len({line.account for line in logins(short)}) == 1


def test_addresses_are_shared_with_customers(make: Make) -> None:
    """Customers come from >= 1 % of the attack's addresses."""
    assert shared(make("E+G", scale=0.3)) >= 0.01
