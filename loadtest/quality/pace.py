"""How far a measurement is, and how long the rest will take, going by what has run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from loadtest.run import expected

from .trial import Trial, request


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """After one more run: `took_s` of it (None: it was kept), how many are done, what is left."""

    name: str
    took_s: float | None
    done: int
    runs: int
    left_s: float | None


class Pace:
    """Runs of a plan, weighed by the events that they are expected to have."""

    def __init__(self, runs: Sequence[Trial], jobs: int) -> None:
        self._left = {id(one): expected(request(one)) for one in runs}
        self._runs = len(runs)
        self._jobs = jobs
        self._events = 0.0
        self._took_s = 0.0

    def ended(self, one: Trial, name: str, took_s: float | None) -> Standing:
        """A run has ended; `took_s` None: it was kept from an earlier call."""
        events = self._left.pop(id(one))
        if took_s is not None:
            self._events += events
            self._took_s += took_s
        left = None
        if self._events:
            left = sum(self._left.values()) * self._took_s / self._events / self._jobs
        return Standing(
            name=name,
            took_s=took_s,
            done=self._runs - len(self._left),
            runs=self._runs,
            left_s=left,
        )
