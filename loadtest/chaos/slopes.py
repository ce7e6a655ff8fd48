"""Whether something grows: the slope of samples within the lives of processes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

WARM_UP_S = 120.0
"""At the start of a life caches fill; what comes in that time says nothing of growth."""
_ENOUGH = 10
_HOUR_S = 3600.0


@dataclass(slots=True)
class Growth:
    """Samples of one figure, by life (a process that was killed begins another one)."""

    _lives: dict[object, list[tuple[float, float]]] = field(default_factory=dict)

    def add(self, life: object, at_s: float, value: float) -> None:
        """One sample."""
        self._lives.setdefault(life, []).append((at_s, value))

    @property
    def last(self) -> float:
        """The newest value."""
        return max((one[-1] for one in self._lives.values()), default=(0.0, 0.0))[1]

    @property
    def most(self) -> float:
        """The largest value."""
        return max((value for one in self._lives.values() for _, value in one), default=0.0)

    def per_hour(self, warm_up_s: float = WARM_UP_S) -> float | None:
        """Growth in an hour: one slope of least squares for all lives, each with its own level.

        None where no life was long enough to tell.
        """
        above = below = 0.0
        for life in self._lives.values():
            begins = life[0][0] + warm_up_s
            kept = [sample for sample in life if sample[0] >= begins]
            if len(kept) < _ENOUGH:
                continue
            at, value = (_mean([sample[n] for sample in kept]) for n in (0, 1))
            above += sum((t - at) * (v - value) for t, v in kept)
            below += sum((t - at) ** 2 for t, _ in kept)
        return above / below * _HOUR_S if below else None


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)
