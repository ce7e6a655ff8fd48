"""What a model of traffic yields: attempts to log in, each with the truth about it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple, Protocol

Label = Literal["attack", "benign"]

FAILURE, SUCCESS, MFA_FAILED = 0, 1, 2
"""Outcomes; the third is a right password stopped at the second factor."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Truth:
    """Why an attempt was made; one object shared by all attempts of its sort.

    `campaign` is empty for customers; `kind` is a word of the field (stuffing, takeover, typo ...).
    """

    profile: str
    label: Label
    campaign: str
    kind: str


class Deed(NamedTuple):
    """What is done in a session: a word of the wire's `action`, for an order with its paper."""

    action: str
    instrument: str = ""
    market: str = ""


class Attempt(NamedTuple):
    """One login attempt, or one deed of a session, as its model knows it. A plain tuple: hundreds
    of thousands a second.
    """

    at_ms: int
    system: str
    account: str | None
    ip: str | None
    network: int
    """Position in networks.NETWORKS, or networks.UNKNOWN."""
    outcome: int
    exists: bool
    """Whether the account as typed belongs to somebody."""
    truth: Truth
    device: int
    """Which device, as any number; the renderer makes an id of it."""
    agent: int
    """Position in agents.AGENTS."""
    session: int = 0
    """Which session, as any number, where several records share one; 0: one of its own."""
    deed: Deed | None = None
    """None for an attempt to log in."""


class Model(Protocol):
    """A source of attempts in event time, asked slice by slice so that memory stays constant."""

    def until(self, end_ms: int) -> list[Attempt]:
        """All attempts before `end_ms` not given yet, in any order; called with growing ends."""
        ...
