"""What is simulated for each profile: how much of it, over which customers, for how long.

Measured is always an attack among customers, after a time with customers alone in which devices and
places are learnt: three successes make an account known, a device guards its address after seven
days, and a real pipeline remembers 180. `share` is simulate's own notation: `A:0.5@14d` begins on
the 15th day at half of its volume.

Attacks are run beside a smaller broker, so that ten days of learning stay affordable: a tenth
(10,000 customers, 3,500 good logins a day) where the attack has a size of its own (A: takeovers
enough for its figure, E: 50 accounts a day, F: 29 tries an hour, H), a fifth where it shrinks with
the broker (B to D: fewer attempts an hour, the same for each address; the thinner it is, the later
anyone sees it). Where a source tells a rhythm, it is kept: thinner, never shorter. G and I are run
at full size, as pages and notices grow with it, under fewer seeds and for longer.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from loadtest.profile import LETTERS, known


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """One profile's run. `scale` multiplies everything, customers too; figures about customers
    count from the end of `learning` on.
    """

    letter: str
    share: str
    duration: timedelta
    scale: float = 1.0
    learning: timedelta = timedelta()
    reported: int = 1_000
    tuned: int = 1_000
    """At most so many of a plan's seeds of each half: what is long is run under fewer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """The same courses under another condition, for some profiles and `seeds` reported seeds."""

    name: str
    title: str
    letters: str
    seeds: int
    second_factor: bool = False
    failure_share: float | None = None


VARIANTS: Final = (
    Variant(
        name="second_factor",
        title="With the second factor on: a right password in a thief's hands ends as `mfa_failed`",
        letters="ABCDEF",
        seeds=3,
        second_factor=True,
    ),
    Variant(
        name="half_fail",
        title="On the RBA data set's normal day: 55 % of all customers' attempts fail, as many who "
        "forgot their password give up",
        letters="G",
        seeds=1,
        failure_share=0.55,
    ),
)


def _course(
    letter: str,
    share: str,
    *,
    days: float,
    learning: float = 10,
    scale: float = 0.1,
    reported: int = 1_000,
    tuned: int = 1_000,
) -> Course:
    return Course(
        letter=letter,
        share=share,
        duration=timedelta(days=days),
        scale=scale,
        learning=timedelta(days=learning),
        reported=reported,
        tuned=tuned,
    )


FULL: Final = {
    course.letter: course
    for course in (
        # 15 hours, 165,000 attempts, 165 takeovers: 1,650 in the reported half
        _course("A", "A:0.75@10d+G", days=10.7),
        # in the source's proportion to customers (10,000 an hour); 130,000 attempts in 36 hours
        _course("B", "B:0.18@10d+G", days=11.5, scale=0.2),
        # two hours of probing and two of a spike, at a fifth of the source's volume
        _course("C", "C@10d+G", days=10.17, scale=0.2),
        _course("D", "D@10d+G", days=11.5, scale=0.2),
        _course("E", "E:10@10d+G", days=11),
        _course("F", "F:10@8d+G", days=23, learning=8),
        # 35,000 good logins a day, 51 days of them in the reported half, 17 in the other
        _course("G", "G", days=27, scale=1, reported=3, tuned=1),
        # eight days of own logins, then a day of tries
        _course("H", "H@2d+G", days=11),
        # with 70,000 attempts a day beside them; 10 days in the reported half, 5 in the other
        _course("I", "I", days=13, learning=8, scale=1, reported=2, tuned=1),
    )
}

QUICK: Final = {
    course.letter: course
    for course in (
        _course("A", "A:0.25@8d+G", days=8.7, learning=8, scale=0.08),
        _course("B", "B:0.18@8d+G", days=9, learning=8, scale=0.08),
        _course("C", "C:0.5@8d+G", days=8.17, learning=8, scale=0.08),
        _course("D", "D@8d+G", days=9, learning=8, scale=0.08),
        _course("E", "E:6@8d+G", days=9, learning=8, scale=0.08),
        _course("F", "F:12@1d+G", days=12, learning=8, scale=0.08),
        _course("G", "G", days=10, learning=8, scale=0.25),
        _course("H", "H@1d+G", days=10, learning=9, scale=0.08),
        _course("I", "I", days=9, learning=8, scale=0.1),
    )
}
"""One small run each, below four minutes on two cores: a look, not a measurement."""


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
