"""When customers log in: the hours of a Taiwanese broker's week, and arrivals that follow them."""

from __future__ import annotations

import math
from collections.abc import Callable
from random import Random

MINUTE_MS = 60_000
WEEK_MINUTES = 7 * 1440

_TAIPEI_MINUTES = 480  # UTC+8 all year
_EPOCH_WEEKDAY = 3  # 1970-01-01 was a Thursday; Monday is 0

# Attempts a minute by hour, 16 at night to 80 at the peak as in the RBA data set (its figure, read
# by eye), the peak moved to the opening of the Taiwan Stock Exchange (09:00 to 13:30).
_WEEKDAY = (
    *(16, 16, 16, 16, 16, 18, 24, 40, 70, 80, 72, 64),
    *(60, 66, 48, 40, 40, 40, 44, 48, 50, 44, 32, 22),
)

_WEEKEND = 0.35  # assumption: the exchange is closed
_MONDAY = 1.3  # assumption; that Mondays are heavier is from thread SP1
_OPENING = 2.0  # assumption: everybody logs in around the bell
_OPENING_FROM, _OPENING_TO = 8 * 60 + 45, 9 * 60 + 10
_MORNING = range(8 * 60, 10 * 60)
_SATURDAY = 5


def minute_of_week(at_ms: int) -> int:
    """Minutes since Monday 00:00 in Taipei."""
    return (at_ms // MINUTE_MS + _TAIPEI_MINUTES + _EPOCH_WEEKDAY * 1440) % WEEK_MINUTES


def _curve() -> tuple[float, ...]:
    weights = []
    for minute in range(WEEK_MINUTES):
        day, of_day = divmod(minute, 1440)
        weight = float(_WEEKDAY[of_day // 60])
        if day >= _SATURDAY:
            weight *= _WEEKEND
        elif _OPENING_FROM <= of_day < _OPENING_TO:
            weight *= _OPENING
        weights.append(weight * _MONDAY if day == 0 else weight)
    mean = sum(weights) / WEEK_MINUTES
    return tuple(weight / mean for weight in weights)


CURVE = _curve()
"""How busy each minute of the week is; 1 is the week's mean."""


def monday_morning(at_ms: int) -> bool:
    """Monday 08:00 to 10:00 in Taipei, when passwords have been forgotten over the weekend."""
    return minute_of_week(at_ms) in _MORNING


def mean_between(start_ms: int, end_ms: int) -> float:
    """The mean of CURVE over a span of time."""
    minutes = max(1, round((end_ms - start_ms) / MINUTE_MS))
    whole, rest = divmod(minutes, WEEK_MINUTES)
    first = minute_of_week(start_ms)
    partial = sum(CURVE[(first + k) % WEEK_MINUTES] for k in range(rest))
    return (whole * WEEK_MINUTES + partial) / minutes


def busy(at_ms: int) -> float:
    """How busy a moment is; 1 is the week's mean."""
    return CURVE[minute_of_week(at_ms)]


class Arrivals:
    """A Poisson process of `per_day` arrivals a day where `level` is 1 (by default as busy as
    CURVE says; it is asked once a minute).
    """

    def __init__(
        self,
        random: Random,
        start_ms: int,
        per_day: float,
        level: Callable[[int], float] = busy,
    ) -> None:
        self._random = random
        self._level = level
        self._at = float(start_ms)
        self._base = per_day / 86_400_000
        self._need = self._gap()

    def _gap(self) -> float:
        return -math.log(1.0 - self._random.random())

    def until(self, end_ms: int) -> list[int]:
        """The arrival times (ms, growing) before `end_ms` that were not given yet."""
        found: list[int] = []
        at, need = self._at, self._need
        while at < end_ms:
            edge = min(float(end_ms), (at // MINUTE_MS + 1) * MINUTE_MS)
            rate = self._base * self._level(int(at))
            while need <= rate * (edge - at):
                at += need / rate
                found.append(int(at))
                need = self._gap()
            need -= rate * (edge - at)
            at = edge
        self._at, self._need = at, need
        return found


def spread(random: Random, start_ms: int, end_ms: int, count: int) -> list[int]:
    """Exactly `count` moments (growing) between two, as dense as customers' logins are."""
    minutes = max(1, (end_ms - start_ms) // MINUTE_MS)
    total = mean_between(start_ms, start_ms + minutes * MINUTE_MS) * minutes
    step = min(MINUTE_MS, max(1, end_ms - start_ms))
    found: list[int] = []
    passed, wanted = 0.0, random.random() / count
    for minute in range(minutes):
        passed += busy(start_ms + minute * MINUTE_MS) / total
        while len(found) < count and (wanted < passed or minute == minutes - 1):
            found.append(start_ms + minute * MINUTE_MS + int(random.random() * step))
            wanted = (len(found) + random.random()) / count
    return sorted(found)
