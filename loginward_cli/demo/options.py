"""What was asked for on the command line of the demo."""

from __future__ import annotations

from dataclasses import dataclass

SECONDS = 90.0
"""Without a terminal and without --seconds: long enough for every alert of a first look."""

LONGEST_S = 1800.0
"""A demo that somebody forgot ends by itself."""

ATTACK_AFTER_S = 4.0
"""Quiet seconds before the attack, so that the difference is seen."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """`seconds` None: until Ctrl-C, LONGEST_S at most. `view`: a screen, else lines."""

    seconds: float | None
    profile: str
    workers: int
    view: bool
    events: bool
    keep: bool

    @property
    def bound(self) -> float:
        """Seconds of traffic at the most."""
        return LONGEST_S if self.seconds is None else self.seconds

    @property
    def attack_after(self) -> float:
        """Seconds of customers alone."""
        return min(ATTACK_AFTER_S, self.bound / 4)
