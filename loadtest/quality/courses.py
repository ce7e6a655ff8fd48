"""What is simulated for each profile: how much of it, over which customers, for how long.

Measured is always an attack among customers, after a time with customers alone in which devices
and places are learnt. `share` is simulate's own notation (`A:0.1@9h` begins in the 9th hour).
A short run at full rate and a long one at a tenth are different attacks; where a source tells a
length, the length is kept and the volume is scaled, as a thinner attack is the harder one to see.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from loadtest.profile import LETTERS, known

_DAY: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """One profile's run. `scale` multiplies everything, customers too."""

    letter: str
    share: str
    duration: timedelta
    scale: float = 1.0

    @property
    def name(self) -> str:
        """Its name in results."""
        return self.letter


def _course(letter: str, share: str, hours: float, scale: float = 1.0) -> Course:
    return Course(letter=letter, share=share, duration=timedelta(hours=hours), scale=scale)


FULL: Final = {
    course.letter: course
    for course in (
        _course("A", "A:0.1@9h+G", 25),
        _course("G", "G", 120),
    )
}
"""20 seeds: A 2,200 takeovers in the reported half, G 50 days in it."""

QUICK: Final = {
    course.letter: course
    for course in (
        _course("A", "A:0.05@9h+G", 12, 0.5),
        _course("G", "G", 48, 0.5),
    )
}
"""One seed each, below four minutes on two cores: a look, not a measurement."""


def chosen(letters: str, *, quick: bool) -> tuple[list[Course], dict[str, str]]:
    """The courses of these letters, and why the others are not run."""
    table = QUICK if quick else FULL
    there = known()
    not_run = {}
    for letter in LETTERS:
        if letter not in there:
            not_run[f"profiles.{letter}"] = "this simulator has no such profile yet"
        elif letter not in table:
            not_run[f"profiles.{letter}"] = "no course is laid out for it yet"
        elif letter not in letters:
            not_run[f"profiles.{letter}"] = "not asked for"
    return [table[letter] for letter in LETTERS if f"profiles.{letter}" not in not_run], not_run
