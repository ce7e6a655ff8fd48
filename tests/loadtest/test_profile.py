"""How combinations of profiles are written."""

from __future__ import annotations

from datetime import timedelta

import pytest

from detectors.errors import LoginwardError
from loadtest.profile import known, parse
from loadtest.run import deliveries

from .conftest import Make


def test_every_known_profile_is_its_own_file() -> None:
    """A letter is known if its file is there, and the file says the same letter."""
    assert {"A", "G"} <= set(known())
    assert all(parse(letter)[0].profile.letter == letter for letter in known())


def test_a_combination_names_factor_and_beginning() -> None:
    """`A:0.02@6h+g` is A at a fiftieth from the 6th hour on, and G whole."""
    attack, customers = parse("A:0.02@6h + g")

    assert (attack.profile.letter, attack.factor, attack.begins) == ("A", 0.02, timedelta(hours=6))
    assert (customers.profile.letter, customers.factor) == ("G", 1.0)


@pytest.mark.parametrize("text", ["", "Q", "7", "AG", "A+", "A:0", "A:-1", "A:x", "A@6", "A:１"])
def test_anything_else_is_refused_with_the_way_out(text: str) -> None:
    """A profile that is none is told with what there is or how it is written."""
    with pytest.raises(LoginwardError, match=r"there are A|write A"):
        parse(text)


def test_a_campaign_begins_and_ends_where_it_should(make: Make) -> None:
    """A@2h tries nobody in the first two hours and is over after 15 more."""
    made = make("A@2h+G", duration_ms=86_400_000, scale=0.02)

    hours = [
        (line.at_ms - make.request().start_ms) / 3_600_000
        for line in made.ledger
        if line.label == "attack"
    ]
    assert min(hours) == pytest.approx(2, abs=0.01)
    assert max(hours) == pytest.approx(17, abs=0.01)


def test_a_campaign_after_the_end_is_refused(make: Make) -> None:
    """An attack that would begin after the run is told, not left out."""
    with pytest.raises(LoginwardError, match="begins after"):
        deliveries(make.request("A@2h+G", duration_ms=3_600_000))
