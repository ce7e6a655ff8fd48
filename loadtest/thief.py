"""What a thief does with an account: first make it usable, then buy what his accomplices sell.

On 25 November 2021 accounts of Taiwanese brokers that had been broken into by stuffing bought the
same papers of Hong Kong within a short time. Which share of stolen accounts is used at once, and by
what steps, nobody published: assumptions.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from random import Random

from .attempts import SUCCESS, Attempt, Deed, Truth
from .mixing import mixed
from .papers import obscure
from .pending import Pending
from .profile import Setting

_MS = timedelta(milliseconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Habits:
    """How an account is used; all numbers are assumptions, but that orders come together."""

    acts: float = 0.5
    """The others are kept or sold."""
    steps: tuple[tuple[str, float], ...] = (
        ("contact_change", 0.4),
        ("device_bind", 0.4),
        ("certificate_issue", 0.5),
        ("settlement_change", 0.1),
    )
    step: timedelta = timedelta(seconds=90)
    """Mean time between two of them."""
    every: timedelta = timedelta(hours=2)
    """Orders for all accounts of the last so many hours come together ..."""
    within: timedelta = timedelta(minutes=25)
    """... within so much (25 November 2021)."""
    orders: int = 3
    """One to so many an account."""


HABITS = Habits()


class Thief:
    """The sessions of one campaign's stolen accounts; none where the system cannot tell deeds."""

    def __init__(self, setting: Setting, letter: str, habits: Habits = HABITS) -> None:
        self._setting = setting
        self._habits = habits
        self._letter = letter
        self._random = Random(mixed(setting.seed, ord(letter), 30))
        self._pending = Pending()
        self._truths: dict[str, Truth] = {}

    def took(self, login: Attempt) -> Attempt:
        """The login with its session, if that has got in; what follows is kept for `until`."""
        if not self._setting.actions or login.outcome != SUCCESS:
            return login
        if self._random.random() >= self._habits.acts:
            return login
        login = login._replace(session=mixed(login.device, login.at_ms) | 1)
        self._pending.add(self._steps(login))
        self._pending.add(self._orders(login))
        return login

    def until(self, end_ms: int) -> list[Attempt]:
        """The deeds before `end_ms` not given yet."""
        return self._pending.due(min(end_ms, self._setting.end_ms))

    def _steps(self, login: Attempt) -> list[Attempt]:
        random, habits = self._random.random, self._habits
        found, at = [], login.at_ms
        for action, share in habits.steps:
            if random() < share:
                at += int((0.5 + random()) * (habits.step / _MS))
                found.append(self._deed(login, at, Deed(action)))
        return found

    def _orders(self, login: Attempt) -> list[Attempt]:
        random, habits = self._random.random, self._habits
        every_ms = habits.every // _MS
        # The steps are done by then: they take six times the mean at most.
        wave = (login.at_ms + 6 * (habits.step // _MS)) // every_ms + 1
        paper = obscure(mixed(self._setting.seed, ord(self._letter), 31, wave))
        times = 1 + int(random() * habits.orders)
        within = habits.within / _MS
        return [
            self._deed(login, wave * every_ms + int(random() * within), paper) for _ in range(times)
        ]

    def _deed(self, login: Attempt, at: int, deed: Deed) -> Attempt:
        kind = f"thief_{deed.action}"
        if kind not in self._truths:
            campaign = login.truth.campaign
            self._truths[kind] = Truth(
                profile=self._letter, label="attack", campaign=campaign, kind=kind
            )
        return login._replace(at_ms=at, deed=deed, truth=self._truths[kind])
