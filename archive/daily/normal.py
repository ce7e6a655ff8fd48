"""A figure against its own past: mean, median, robust deviation, score."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt
from statistics import fmean, median

from .record import Normal

BASELINE_DAYS = 30
"""Days before that are looked at (COMPLIANCE.md section 1, N14a)."""

LEAST_DAYS = 5
"""Fewer days say nothing: a working week (a proposal, to be tuned on the firm's data)."""

TOLD_FROM = 3.0
"""Scores of this size and more are named: the usual three deviations (Hampel's identifier)."""

_MAD = 1.4826
"""Makes the median absolute deviation of a normal distribution its standard deviation."""


@dataclass(frozen=True, slots=True)
class PastValue:
    """The figure on one earlier day, and whether there was trading."""

    value: int
    open: bool


def normal(value: int, past: Sequence[PastValue], *, open_day: bool) -> Normal:
    """`value` against its `past`: days of the same kind where there are enough, else all of them.

    With fewer than LEAST_DAYS of either: a cold start, no score.
    """
    alike = [one.value for one in past if one.open == open_day]
    like = len(alike) >= LEAST_DAYS
    compared = alike if like else [one.value for one in past]
    if len(compared) < LEAST_DAYS:
        return Normal(value=value, days=len(compared))
    middle = median(compared)
    spread = _MAD * median([abs(one - middle) for one in compared])
    # Counts scatter by about their root even when nothing happens; a calm month must not make
    # every handful of typing errors a deviation.
    deviation = max(spread, sqrt(max(middle, 1.0)))
    return Normal(
        value=value,
        days=len(compared),
        like=like,
        mean=round(fmean(compared), 3),
        median=round(middle, 3),
        deviation=round(deviation, 3),
        score=round((value - middle) / deviation, 3),
    )


def size(one: Normal) -> float:
    """How far it deviates, either way; 0 where nothing can be said."""
    return 0.0 if one.score is None else abs(one.score)
