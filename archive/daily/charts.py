"""Where bars and lines of a chart stand; the template draws them as SVG."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from .record import Hour, PastDay

WIDTH = 720
LEFT, RIGHT, TOP, BOTTOM = 44, 6, 8, 18
_STEPS = (1, 2, 2.5, 5, 10)


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """A rectangle or a point, in the chart's units, with what a pointer over it is told."""

    x: float
    y: float
    width: float = 0.0
    height: float = 0.0
    title: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Axis:
    """The height of a chart and its ticks: (y, the number there)."""

    height: int
    ticks: list[tuple[float, int]]
    top: int

    def y(self, value: float) -> float:
        """Where `value` stands."""
        room = self.height - TOP - BOTTOM
        return round(self.height - BOTTOM - value / self.top * room, 1)


def axis(largest: int, height: int) -> Axis:
    """Ticks at round numbers from 0 to at least `largest`."""
    top = _round_up(max(largest, 4))
    bare = Axis(height=height, ticks=[], top=top)
    return Axis(
        height=height,
        top=top,
        ticks=[(bare.y(value), value) for value in (0, top // 2, top)],
    )


def _round_up(value: int) -> int:
    """The next round number; even, so that its half is a whole one too."""
    power = 1
    while True:
        for step in _STEPS:
            top = int(step * power)
            if top >= value and top % 2 == 0:
                return top
        power *= 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Bars:
    """Two bars an hour."""

    axis: Axis
    failures: list[Mark]
    strangers: list[Mark]
    labels: list[tuple[float, str]]
    band: Mark | None
    """Trading hours, behind the bars."""


def bars(hours: Sequence[Hour], band: tuple[float, float] | None, height: int = 130) -> Bars:
    """The hours of a day; `band` is the stretch of trading hours, in hours of the day."""
    scale = axis(max((max(h.failures, h.strangers) for h in hours), default=0), height)
    step = (WIDTH - LEFT - RIGHT) / max(len(hours), 1)
    width = round(step * 0.38, 1)

    def bar(at: int, value: int, shift: float) -> Mark:
        y = scale.y(value)
        return Mark(
            x=round(LEFT + step * at + step * 0.1 + shift, 1),
            y=y,
            width=width,
            height=round(scale.y(0) - y, 1),
            title=f"{at:02d}:00  {value:,}",
        )

    return Bars(
        axis=scale,
        failures=[bar(at, hour.failures, 0) for at, hour in enumerate(hours)],
        strangers=[bar(at, hour.strangers, width) for at, hour in enumerate(hours)],
        labels=[(round(LEFT + step * at, 1), f"{at:02d}") for at in range(0, len(hours), 3)],
        band=None
        if band is None
        else Mark(
            x=round(LEFT + step * band[0], 1),
            y=TOP,
            width=round(step * (band[1] - band[0]), 1),
            height=height - TOP - BOTTOM,
        ),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """The days before and the day itself, which comes last."""

    axis: Axis
    failures: str
    strangers: str
    """Points of a polyline, as SVG writes them."""
    dots: list[Mark]
    today: list[Mark]
    closed: list[Mark]
    labels: list[tuple[float, str]]


def line(past: Sequence[PastDay], failures: int, strangers: int, height: int = 120) -> Line:
    """The 30-day line; days on which the system was not known yet are left out."""
    known = [(at, day) for at, day in enumerate(past) if day.known]
    values = [value for _, day in known for value in (day.failures, day.strangers)]
    scale = axis(max([failures, strangers, *values]), height)
    step = (WIDTH - LEFT - RIGHT) / (len(past) + 1)

    def x(at: int) -> float:
        return round(LEFT + step * (at + 0.5), 1)

    end = x(len(past))
    now = ((end, scale.y(failures)), (end, scale.y(strangers)))
    return Line(
        axis=scale,
        failures=_points([*((x(at), scale.y(d.failures)) for at, d in known), now[0]]),
        strangers=_points([*((x(at), scale.y(d.strangers)) for at, d in known), now[1]]),
        dots=[
            Mark(x=x(at), y=scale.y(day.failures), title=f"{day.date}  {day.failures:,}")
            for at, day in known
        ],
        today=[Mark(x=at, y=y) for at, y in now],
        closed=[
            Mark(
                x=round(x(at) - step / 2, 1),
                y=TOP,
                width=round(step, 1),
                height=height - TOP - BOTTOM,
            )
            for at, day in enumerate(past)
            if day.kind in {"weekend", "holiday"}
        ],
        labels=[(x(at), day.date[5:]) for at, day in enumerate(past) if at % 5 == 0],
    )


def _points(points: Sequence[tuple[float, float]]) -> str:
    return " ".join(f"{x},{y}" for x, y in points)
