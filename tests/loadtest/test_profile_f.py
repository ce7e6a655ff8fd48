"""Profile F against the numbers it names."""

from __future__ import annotations

from collections import Counter

import pytest

from loadtest.rendering import OPTIONAL

from .conftest import MONDAY_MS, Made, Make, logins, shared

_DAY = 86_400_000


@pytest.fixture(scope="module")
def attack() -> Made:
    """The whole campaign."""
    return Make()("F", scale=1.0, fields=OPTIONAL)


def test_two_weeks_of_probing_then_a_hundred_takeovers(attack: Made) -> None:
    """In 14 days nobody is entered, on the 15th a hundred accounts are."""
    kinds = Counter(line.kind for line in logins(attack))
    days = Counter((line.at_ms - MONDAY_MS) // _DAY for line in logins(attack))
    entered = [line for line in attack.ledger if line.kind == "takeover"]

    assert kinds["takeover"] == 100 == len({line.account for line in entered})
    assert kinds["probing"] == pytest.approx(9_700, rel=0.04)
    assert {(line.at_ms - MONDAY_MS) // _DAY for line in entered} == {14}
    assert len(days) == 15
    assert sum(kinds.values()) / len({line.ip for line in logins(attack)}) == pytest.approx(
        2.2, rel=0.05
    )


def test_half_of_those_entered_were_probed(attack: Made) -> None:
    """About half of the accounts were tried in the two weeks before."""
    probed = {line.account for line in attack.ledger if line.kind == "probing"}
    entered = {line.account for line in attack.ledger if line.kind == "takeover"}

    assert 35 <= len(probed & entered) <= 65


def test_accounts_entered_buy_the_same_paper_together(attack: Made) -> None:
    """As on 25 November 2021: several accounts order one paper within 30 minutes."""
    orders: dict[tuple[bytes, int], list[tuple[int, str | None]]] = {}
    for line, raw in zip(attack.ledger, attack.lines, strict=True):
        if line.kind == "thief_order":
            paper = raw.split(b'"instrument":"')[1].split(b'"')[0]
            wave = line.at_ms // 7_200_000
            orders.setdefault((paper, wave), []).append((line.at_ms, line.account))
    largest = max(orders.values(), key=len)

    assert len({account for _, account in largest}) >= 3
    assert max(largest)[0] - min(largest)[0] <= 1_800_000


def test_a_shorter_run_has_all_takeovers(make: Make) -> None:
    """In two days it probes for less long at the same rate, and enters as many accounts."""
    made = make("F+G", scale=0.2, duration_ms=2 * _DAY)

    kinds = Counter(line.kind for line in logins(made))
    assert kinds["takeover"] == 20
    assert kinds["probing"] == pytest.approx(9_700 * 0.2 * 2 / 15, rel=0.25)
    assert shared(made) >= 0.01


def test_with_a_second_factor_the_pairs_are_stopped(make: Make) -> None:
    """With `second_factor` a hundred right passwords fail, and no account does anything."""
    made = make("F", scale=1.0, second_factor=True, fields=OPTIONAL)

    kinds = Counter(line.kind for line in made.ledger)
    assert set(kinds) == {"probing", "hit"}
    assert kinds["hit"] == 100
    assert {line.outcome for line in made.ledger} == {"failure"}
