"""When a campaign is busy: by its victims' hours, or in spikes of its own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

from .hours import MINUTE_MS, busy, mean_between

_MS = timedelta(milliseconds=1)
_DAY_MS = 86_400_000


class Rhythm(Protocol):
    """How busy a campaign that began at `start_ms` is, in any unit."""

    def level(self, start_ms: int, at_ms: int) -> float:
        """At one moment."""
        ...

    def mean(self, start_ms: int, end_ms: int) -> float:
        """On average from its beginning to `end_ms`."""
        ...


class CustomersHours:
    """As busy as the customers are: by its time no attempt stands out."""

    def level(self, start_ms: int, at_ms: int) -> float:  # noqa: ARG002 (a Rhythm)
        """The customers' own curve."""
        return busy(at_ms)

    def mean(self, start_ms: int, end_ms: int) -> float:
        """The mean of that curve."""
        return mean_between(start_ms, end_ms)


@dataclass(frozen=True, slots=True, kw_only=True)
class Spikes:
    """Quiet probing at level `between`, and `length` of level 1 from each of `begin` on."""

    begin: tuple[timedelta, ...]
    length: timedelta
    between: float

    def level(self, start_ms: int, at_ms: int) -> float:
        """1 in a spike, `between` outside."""
        into = (at_ms - start_ms) * _MS
        inside = any(begin <= into < begin + self.length for begin in self.begin)
        return 1.0 if inside else self.between

    def mean(self, start_ms: int, end_ms: int) -> float:
        """From the overlaps of the spikes with the span."""
        span = (end_ms - start_ms) * _MS
        inside = sum(
            (
                max(timedelta(), min(span, begin + self.length) - min(span, begin))
                for begin in self.begin
            ),
            timedelta(),
        )
        return self.between + (1 - self.between) * (inside / span)


@dataclass(frozen=True, slots=True, kw_only=True)
class Volume:
    """`attempts` over `duration` at scale 1, spread by a rhythm."""

    attempts: float
    duration: timedelta
    rhythm: Rhythm

    def expected(self, start_ms: int, duration_ms: int) -> float:
        """Attempts in a run of `duration_ms`: the whole campaign's rates, cut off at the end."""
        whole_ms = self.duration // _MS
        rhythm = self.rhythm
        part = duration_ms / whole_ms * rhythm.mean(start_ms, start_ms + duration_ms)
        return self.attempts * part / rhythm.mean(start_ms, start_ms + whole_ms)

    def per_day(self, start_ms: int) -> float:
        """Attempts a day where the rhythm's level is 1."""
        mean = self.rhythm.mean(start_ms, start_ms + self.duration // _MS)
        return self.attempts / (self.duration / _MS / _DAY_MS) / mean

    def level(self, start_ms: int) -> Callable[[int], float]:
        """The rhythm of a campaign that begins then, for `Arrivals`."""
        begun = start_ms // MINUTE_MS * MINUTE_MS
        return lambda at_ms: self.rhythm.level(begun, at_ms)
