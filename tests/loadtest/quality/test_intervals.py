"""Intervals against published values."""

from __future__ import annotations

import pytest

from loadtest.quality.intervals import bootstrap, poisson, quantile, wilson


@pytest.mark.parametrize(
    ("hits", "n", "low", "high"),
    [
        # Newcombe 1998, Statistics in Medicine 17, table I, method 3
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_wilson_as_published(hits: int, n: int, low: float, high: float) -> None:
    """Four cases of the comparison that made the method known."""
    assert wilson(hits, n) == pytest.approx((low, high), abs=5e-5)


def test_wilson_of_nothing_says_nothing() -> None:
    """Without a case every share is possible; 20 of 20 is not certainty."""
    assert wilson(0, 0) == (0, 1)
    assert wilson(20, 20) == pytest.approx((0.8389, 1), abs=5e-5)


@pytest.mark.parametrize(
    ("count", "low", "high"),
    [
        # Garwood's exact limits, as tabulated (Biometrika Tables for Statisticians, table 40)
        (0, 0.0, 3.689),
        (1, 0.0253, 5.572),
        (10, 4.795, 18.39),
        (50, 37.11, 65.92),
    ],
)
def test_poisson_as_published(count: int, low: float, high: float) -> None:
    """Four rows of the table."""
    assert poisson(count) == pytest.approx((low, high), rel=1e-3)


def test_poisson_of_many_goes_on_without_a_step() -> None:
    """Where the approximation begins, the limits change by little."""
    below, above = poisson(2000), poisson(2001)

    assert above == pytest.approx(below, rel=2e-3)


def test_quantiles_are_values_that_occurred() -> None:
    """The median of four is the second, p95 of twenty the nineteenth; of nothing there is none."""
    assert quantile([4, 1, 3, 2], 0.5) == 2
    assert quantile(list(range(1, 21)), 0.95) == 19
    assert quantile([], 0.5) is None


def test_a_bootstrap_is_repeatable_and_holds_the_quantile() -> None:
    """The same values give the same interval, around their median."""
    values = [float(n * n % 101) for n in range(200)]

    low, high = bootstrap(values, 0.5)

    assert bootstrap(values, 0.5) == (low, high)
    assert low <= (quantile(values, 0.5) or 0) <= high
    assert 0 < high - low < 30
