"""A profile of traffic: how long, how much, and which models make it."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from importlib import import_module
from typing import Literal, Protocol

from config.durations import parse_duration
from detectors.errors import LoginwardError

from .attempts import Model
from .population import Population

LETTERS = "ABCDEFGHI"

SYSTEMS = ("trading-web", "trading-app", "phone-desk")
"""Who tells of logins by browser, by app and by phone; names of config/systems.toml."""

_MS = timedelta(milliseconds=1)
_SHARE = re.compile(
    r"(?P<letter>[A-Za-z])(:(?P<factor>[0-9]{1,6}(\.[0-9]{1,6})?))?"
    r"(@(?P<begins>[0-9]{1,6}(ms|s|m|h|d)))?",
    re.ASCII,
)
_DOORS = ("web", "app", "phone")


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """What every model of one run shares.

    `scale` multiplies a profile's numbers a second (attempts, addresses, customers), never its
    behaviour: addresses stay in use as long, and each makes as many attempts. `failure_share` is
    the share of customers' attempts that fail, None for what their mistakes come to
    (profiles/g.py). With `second_factor` a right password in a thief's hands ends as `mfa_failed`.
    With `actions` sessions order, bind devices and so on, each deed a record of its own.
    """

    seed: int
    start_ms: int
    duration_ms: int
    scale: float
    population: Population
    systems: tuple[str, ...] = SYSTEMS
    second_factor: bool = False
    failure_share: float | None = None
    actions: bool = False

    @property
    def end_ms(self) -> int:
        """The first millisecond after the run."""
        return self.start_ms + self.duration_ms

    def system(self, door: Literal["web", "app", "phone"]) -> str:
        """The core system behind a door; with fewer systems than doors, some share one."""
        return self.systems[_DOORS.index(door) % len(self.systems)]


class Expect(Protocol):
    """How many records a profile makes in a span of time at scale 1."""

    def __call__(
        self,
        start_ms: int,
        duration_ms: int,
        failure_share: float | None,
        actions: bool = False,  # noqa: FBT001, FBT002 (positional like the others)
        /,
    ) -> float:
        """Records from `start_ms` on, for `duration_ms`, with that share of failures, with or
        without the deeds of sessions.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """One file of `profiles/`: its letter, one line about it, its usual length, its models.

    A campaign is over after `duration`; an `endless` profile goes on as long as the run.
    """

    letter: str
    title: str
    duration: timedelta
    endless: bool
    expect: Expect
    models: Callable[[Setting], Sequence[Model]]
    beside: float = 1.0
    """The factor of G with which attack and customers stand in the proportion of the source."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """One profile of a combination: the factor on its volume and when it begins, `A:0.02@6h`."""

    profile: Profile
    factor: float = 1.0
    begins: timedelta = timedelta()

    def span_ms(self, run_ms: int) -> tuple[int, int]:
        """(start, length) of the profile in a run of `run_ms`, from the run's first moment."""
        start = self.begins // _MS
        left = max(0, run_ms - start)
        return start, left if self.profile.endless else min(left, self.profile.duration // _MS)


def known() -> list[str]:
    """The letters whose file exists."""
    return [letter for letter in LETTERS if _load(letter) is not None]


def parse(text: str) -> tuple[Share, ...]:
    """`A`, `A+G` or `A:0.02@6h+G` as shares of a run. Raises LoginwardError with the way out."""
    return tuple(_share(part.strip(), text) for part in text.split("+"))


def _share(part: str, text: str) -> Share:
    written = _SHARE.fullmatch(part)
    letter = written["letter"].upper() if written else part[:1].upper()
    profile = _load(letter) if letter and letter in LETTERS else None
    if profile is None:
        raise LoginwardError(
            f"--profile {text}: {part!r} is no profile; there are {', '.join(known())}"
        )
    factor = float(written["factor"] or 1) if written else 0
    if not written or factor <= 0:
        raise LoginwardError(
            f"--profile {text}: {part!r} is not understood; write {letter}, {letter}:0.02 for a "
            f"fiftieth of its volume, {letter}@6h to begin in the 6th hour, or {letter}:0.02@6h"
        )
    return Share(
        profile=profile,
        factor=factor,
        begins=parse_duration(written["begins"]) if written["begins"] else timedelta(),
    )


def _load(letter: str) -> Profile | None:
    try:
        module = import_module(f".profiles.{letter.lower()}", __package__)
    except ModuleNotFoundError as missing:
        if missing.name != f"{__package__}.profiles.{letter.lower()}":
            raise
        return None
    profile: Profile = module.PROFILE
    return profile
