"""What customers do once they are in: mostly order, now and then change or bind something.

How often nobody published: assumptions.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random

from .attempts import Attempt, Deed, Truth
from .mixing import mixed
from .papers import order


@dataclass(frozen=True, slots=True, kw_only=True)
class Rates:
    """Deeds for each good login; all numbers are assumptions."""

    order: float = 0.15
    """Logins with orders; the others only look."""
    orders: int = 3
    """One to so many of them, in the first quarter of an hour."""
    rare: tuple[tuple[str, float], ...] = (
        ("certificate_issue", 0.004),
        ("device_bind", 0.010),
        ("contact_change", 0.002),
        ("settlement_change", 0.0005),
    )

    @property
    def a_login(self) -> float:
        """Mean deeds for each good login."""
        return self.order * (1 + self.orders) / 2 + sum(share for _, share in self.rare)


RATES = Rates()

_QUARTER_MS = 900_000


def _truth(kind: str) -> Truth:
    return Truth(profile="G", label="benign", campaign="", kind=kind)


@dataclass(slots=True)
class Sessions:
    """Decides what follows a login, from its own chance, so that logins stay the same without."""

    random: Random
    rates: Rates = RATES
    _truths: dict[str, Truth] = field(default_factory=dict)

    def after(self, login: Attempt) -> tuple[Attempt, list[Attempt]]:
        """The login with its session, and the deeds that follow; none by phone."""
        random, rates = self.random.random, self.rates
        if login.ip is None:
            return login, []
        deeds = []
        chance = random()
        for action, share in rates.rare:
            if chance < share:
                deeds.append(Deed(action))
                break
            chance -= share
        if random() < rates.order:
            deeds += [order(random(), random()) for _ in range(1 + int(random() * rates.orders))]
        if not deeds:
            return login, []
        login = login._replace(session=mixed(login.device, login.at_ms) | 1)
        return login, [
            login._replace(
                at_ms=login.at_ms + 5_000 + int(random() * _QUARTER_MS),
                deed=deed,
                truth=self._truth(deed.action),
            )
            for deed in deeds
        ]

    def _truth(self, action: str) -> Truth:
        if action not in self._truths:
            self._truths[action] = _truth(action)
        return self._truths[action]
