"""Plots as SVG by hand: a dot for each figure, a line for its interval, a tick for its goal."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import floor, log10
from typing import Final

from jinja2 import Environment

from .figures import Figures, as_text
from .goals import goal

COLOURS: Final = {"loginward": "#0b6e4f", "crowdsec": "#c2571a", "fail2ban": "#5b5ea6"}

_LEFT, _RIGHT, _WIDTH = 44, 110, 760
_TOP, _ROW, _GAP = 58, 13, 12
_LOWEST: Final = 0.1
"""Where a logarithmic axis begins; what is lower lies on its edge."""

Series = dict[str, dict[str, Figures]]
"""Figures by contender and profile."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plot:
    """One figure of all profiles and contenders."""

    key: str
    title: str
    log: bool = False


PLOTS: Final = (
    Plot(key="campaign_recall", title="Campaigns caught (share, 95 % interval)"),
    Plot(key="takeover_recall", title="Takeovers flagged within 60 s (share, 95 % interval)"),
    Plot(key="pages_per_12h", title="Pages per shift of 12 h (logarithmic)", log=True),
    Plot(
        key="false_campaigns_per_5_days", title="False campaigns per 5 days (logarithmic)", log=True
    ),
    Plot(
        key="detect_p95_s",
        title="Seconds from the 100th attempt to the first page, p95 (logarithmic)",
        log=True,
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Dot:
    y: float
    x: float
    low: float
    high: float
    colour: str
    text: str
    goal: float | None


def svg(environment: Environment, plot: Plot, series: Series) -> str | None:
    """The plot as a file's text; None where nothing of it was measured."""
    letters = sorted({letter for table in series.values() for letter in table})
    measured = [
        (letter, [(who, table[letter]) for who, table in series.items() if letter in table])
        for letter in letters
    ]
    groups = [
        (letter, found)
        for letter, rows in measured
        if (found := [(who, f) for who, f in rows if getattr(f, plot.key) is not None])
    ]
    if not groups:
        return None
    values = [getattr(f, plot.key) for _, rows in groups for _, f in rows]
    highest = max([1.0, *values, *(f.intervals[plot.key].high for _, r in groups for _, f in r)])
    at, ticks = _logarithmic(highest) if plot.log else _linear()
    dots: list[_Dot] = []
    labels: list[tuple[float, str]] = []
    y = float(_TOP)
    for letter, rows in groups:
        labels.append((y + _ROW * len(rows) / 2, letter))
        dots += [_dot(plot, letter, who, f, at, y + n * _ROW) for n, (who, f) in enumerate(rows)]
        y += _ROW * len(rows) + _GAP
    template = environment.get_template("dots.svg")
    return template.render(
        plot=plot,
        width=_WIDTH,
        height=round(y + 12),
        top=_TOP - 8,
        bottom=round(y - 4),
        left=_LEFT,
        right=_WIDTH - _RIGHT,
        dots=dots,
        labels=labels,
        ticks=[(at(value), text) for value, text in ticks],
        legend=_legend(series),
    )


def _legend(series: Series) -> list[tuple[int, str, str]]:
    return [(_LEFT + n * 110, COLOURS.get(who, "#444"), who) for n, who in enumerate(series)]


def _dot(
    plot: Plot, letter: str, who: str, figures: Figures, at: Callable[[float], float], y: float
) -> _Dot:
    value: float = getattr(figures, plot.key)
    interval = figures.intervals[plot.key]
    wanted = goal(letter, plot.key)
    return _Dot(
        y=y + _ROW / 2,
        x=at(value),
        low=at(interval.low),
        high=at(interval.high),
        colour=COLOURS.get(who, "#444"),
        text=f"{as_text(plot.key, value)} (n {interval.n:,})",
        goal=None if wanted is None else at(wanted.value),
    )


def _linear() -> tuple[Callable[[float], float], Sequence[tuple[float, str]]]:
    """An axis of shares, 0 to 1."""
    span = _WIDTH - _LEFT - _RIGHT

    def at(value: float) -> float:
        return round(_LEFT + span * min(max(value, 0.0), 1.0), 1)

    return at, [(n / 4, f"{n * 25} %") for n in range(5)]


def _logarithmic(highest: float) -> tuple[Callable[[float], float], Sequence[tuple[float, str]]]:
    """An axis of powers of ten from 0.1 to at least `highest`; 0 lies on its left edge."""
    span = _WIDTH - _LEFT - _RIGHT
    first = floor(log10(_LOWEST))
    last = floor(log10(highest)) + 1

    def at(value: float) -> float:
        place = (log10(max(value, _LOWEST)) - first) / (last - first)
        return round(_LEFT + span * min(place, 1.0), 1)

    ticks = [(10.0**n, f"{10.0**n:,.0f}") for n in range(first, last + 1)]
    return at, [(_LOWEST, f"≤ {_LOWEST:g}"), *ticks[1:]]
