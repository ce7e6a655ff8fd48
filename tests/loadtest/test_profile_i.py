"""Profile I: G and a fiftieth of A, without end."""

from __future__ import annotations

import pytest

from loadtest.profiles import a, i

from .conftest import MONDAY_MS, Made, Make

_DAY = 86_400_000


@pytest.fixture(scope="module")
def days() -> Made:
    """Two days at a tenth."""
    return Make()("I", scale=0.1, duration_ms=2 * _DAY, start_ms=MONDAY_MS + _DAY)


def test_customers_are_those_of_g(days: Made) -> None:
    """The benign half is G's, line by line."""
    alone = Make()("G", scale=0.1, duration_ms=2 * _DAY, start_ms=MONDAY_MS + _DAY)

    def told(made: Made) -> list[tuple[int, str | None, str]]:
        return [(x.at_ms, x.account, x.kind) for x in made.ledger if x.label == "benign"]

    assert told(days) == told(alone)


def test_background_is_a_fiftieth_of_a(days: Made) -> None:
    """2,933 attempts an hour at the scale, 133 an address, named a campaign of I."""
    attack = [line for line in days.ledger if line.label == "attack"]

    assert len(attack) / 48 == pytest.approx(2_200_000 / 15 / 50 * 0.1, rel=0.02)
    assert len(attack) / len({line.ip for line in attack}) == pytest.approx(133, rel=0.1)
    assert {line.campaign for line in attack} == {"I-1"}


def test_the_weather_never_ends(make: Make) -> None:
    """After 70 days it still rains, from other lasting addresses than at first."""
    made = make("I", scale=0.002, duration_ms=70 * _DAY)

    attack = [line for line in made.ledger if line.label == "attack"]
    assert max(line.at_ms for line in attack) > MONDAY_MS + 69 * _DAY
    early = {line.ip for line in attack if line.at_ms < MONDAY_MS + 20 * _DAY}
    late = {line.ip for line in attack if line.at_ms > MONDAY_MS + 50 * _DAY}
    assert len(early & late) <= 0.05 * len(early)
    assert i.NUMBERS.duration == a.NUMBERS.duration * 50
