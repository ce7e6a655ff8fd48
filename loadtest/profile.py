"""A profile of traffic: how long, how much, and which models make it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from importlib import import_module
from typing import Literal, Protocol

from detectors.errors import LoginwardError

from .attempts import Model
from .population import Population

LETTERS = "ABCDEFGHI"

SYSTEMS = ("trading-web", "trading-app", "phone-desk")
"""Who tells of logins by browser, by app and by phone; names of config/systems.toml."""

_DOORS = ("web", "app", "phone")


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """What every model of one run shares.

    `scale` multiplies a profile's numbers a second (attempts, addresses, customers), never its
    behaviour. `failure_share` is the share of customers' attempts that fail, None for what their
    mistakes come to (profiles/g.py). With `second_factor` a right password in a thief's hands ends
    as `mfa_failed`.
    """

    seed: int
    start_ms: int
    duration_ms: int
    scale: float
    population: Population
    systems: tuple[str, ...] = SYSTEMS
    second_factor: bool = False
    failure_share: float | None = None

    @property
    def end_ms(self) -> int:
        """The first millisecond after the run."""
        return self.start_ms + self.duration_ms

    def system(self, door: Literal["web", "app", "phone"]) -> str:
        """The core system behind a door; with fewer systems than doors, some share one."""
        return self.systems[_DOORS.index(door) % len(self.systems)]


class Expect(Protocol):
    """How many attempts a profile makes in a span of time at scale 1."""

    def __call__(self, start_ms: int, duration_ms: int, failure_share: float | None, /) -> float:
        """Attempts from `start_ms` on, for `duration_ms`, with that share of failures."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """One file of `profiles/`: its letter, one line about it, its usual length, its models."""

    letter: str
    title: str
    duration: timedelta
    expect: Expect
    models: Callable[[Setting], Sequence[Model]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """One profile of a combination and the factor on its volume: `A:0.02+G`."""

    profile: Profile
    factor: float


def known() -> list[str]:
    """The letters whose file exists."""
    return [letter for letter in LETTERS if _load(letter) is not None]


def parse(text: str) -> tuple[Share, ...]:
    """`A`, `A+G` or `A:0.02+G` as profiles with factors. Raises LoginwardError with the way out."""
    return tuple(_share(part.strip(), text) for part in text.split("+"))


def _share(part: str, text: str) -> Share:
    letter, _, factor = part.partition(":")
    profile = _load(letter.upper()) if letter.upper() in LETTERS and len(letter) == 1 else None
    if profile is None:
        raise LoginwardError(
            f"--profile {text}: {letter!r} is no profile; there are {', '.join(known())}"
        )
    try:
        value = float(factor) if factor else 1.0
    except ValueError:
        value = 0.0
    if not 0 < value < float("inf"):
        raise LoginwardError(
            f"--profile {text}: {factor!r} is no factor; write {letter.upper()}:0.02 for a fiftieth"
        )
    return Share(profile=profile, factor=value)


def _load(letter: str) -> Profile | None:
    try:
        module = import_module(f".profiles.{letter.lower()}", __package__)
    except ModuleNotFoundError as missing:
        if missing.name != f"{__package__}.profiles.{letter.lower()}":
            raise
        return None
    profile: Profile = module.PROFILE
    return profile
