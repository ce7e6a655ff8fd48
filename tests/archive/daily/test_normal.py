"""A figure against its past: when it is far, and when nothing can be said."""

from __future__ import annotations

import pytest

from archive.daily.normal import LEAST_DAYS, PastValue, normal


def past(*values: int, open_day: bool = True) -> list[PastValue]:
    """Days with these figures."""
    return [PastValue(value, open_day) for value in values]


def test_too_little_past_says_nothing() -> None:
    """With fewer days than a working week there is no score: a cold start."""
    assert normal(1000, past(*[1] * (LEAST_DAYS - 1)), open_day=True).score is None
    assert normal(1000, past(*[1] * LEAST_DAYS), open_day=True).score is not None


def test_one_wild_day_before_hides_nothing() -> None:
    """Mean and standard deviation would swallow a second attack after a first one; these do not."""
    found = normal(5000, past(*[100, 110, 90, 105, 95, 100, 5000]), open_day=True)

    assert found.mean is not None
    assert found.mean > 700
    assert found.median == 100
    assert found.score is not None
    assert found.score > 100


def test_a_calm_month_does_not_make_a_handful_far() -> None:
    """Where every day was the same, figures may still scatter by the root of it."""
    found = normal(112, past(*[100] * 20), open_day=True)

    assert found.deviation == 10
    assert found.score == 1.2


def test_a_fall_is_a_deviation_too() -> None:
    """Nothing where there were thousands is as far as the other way round."""
    found = normal(0, past(*[2500] * 20), open_day=True)

    assert found.score == -50


@pytest.mark.parametrize(("weekends", "like", "median"), [(8, True, 5), (4, False, 100)])
def test_a_day_is_compared_with_its_like(weekends: int, like: bool, median: int) -> None:
    """A Sunday with Sundays, as long as there are enough of them."""
    days = past(*[100] * 20) + past(*[5] * weekends, open_day=False)

    found = normal(5, days, open_day=False)

    assert (found.like, found.median) == (like, median)
