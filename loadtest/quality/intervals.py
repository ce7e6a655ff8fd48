"""How sure a figure is: 95 % intervals of shares, of counts in time, and of quantiles."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import ceil, exp, lgamma, log, sqrt
from random import Random
from typing import Final

Z: Final = 1.959964
"""The standard normal's 97.5 % quantile."""

_RESAMPLES: Final = 2_000
_EXACT_UP_TO: Final = 2_000
_TAIL: Final = 0.025
_STEPS: Final = 60


def wilson(hits: int, n: int) -> tuple[float, float]:
    """Of a share (Wilson 1927): it never leaves [0, 1] and says something at 0 and at n of n."""
    if n == 0:
        return 0.0, 1.0
    share, square = hits / n, Z * Z
    middle = (share + square / (2 * n)) / (1 + square / n)
    half = Z * sqrt(share * (1 - share) / n + square / (4 * n * n)) / (1 + square / n)
    # The ends are exact where nothing or everything was hit; rounding must not say otherwise.
    return (max(0.0, middle - half) if hits else 0.0), (
        min(1.0, middle + half) if hits < n else 1.0
    )


def poisson(count: int) -> tuple[float, float]:
    """Of the mean of a count (Garwood 1936), exact; above 2,000 by the normal approximation."""
    if count > _EXACT_UP_TO:
        return count - Z * sqrt(count), count + Z * sqrt(count)
    # The lower bound is the mean with P(X >= count) = 2.5 %, the upper with P(X <= count) = 2.5 %.
    low = 0.0 if count == 0 else _solve(lambda mean: 1 - _at_most(count - 1, mean) - _TAIL, count)
    high = _solve(lambda mean: _TAIL - _at_most(count, mean), count)
    return low, high


def quantile(values: Sequence[float], share: float) -> float | None:
    """The smallest value that at least `share` of the values do not exceed; None of nothing."""
    if not values:
        return None
    return sorted(values)[max(0, ceil(share * len(values)) - 1)]


def bootstrap(values: Sequence[float], share: float, *, seed: int = 1) -> tuple[float, float]:
    """Of a quantile: 2,000 seeded resamples, so that the same values give the same interval."""
    random = Random(seed)
    found = sorted(
        quantile(random.choices(values, k=len(values)), share) or 0.0 for _ in range(_RESAMPLES)
    )
    return found[int(_TAIL * _RESAMPLES)], found[int((1 - _TAIL) * _RESAMPLES) - 1]


def _at_most(count: int, mean: float) -> float:
    """P(X <= count) of a Poisson variable."""
    if mean <= 0:
        return 1.0
    return sum(exp(k * log(mean) - mean - lgamma(k + 1)) for k in range(count + 1))


def _solve(rising: Callable[[float], float], near: int) -> float:
    """Where a rising function crosses zero, between 0 and well above `near`."""
    low, high = 0.0, near + 10 * sqrt(near + 1) + 10
    for _ in range(_STEPS):
        middle = (low + high) / 2
        if rising(middle) < 0:
            low = middle
        else:
            high = middle
    return (low + high) / 2
