"""When an incident wakes people: when it opens, when it is graver, when it first hits an account.

A pure policy, for the SOC's queue and for the measurement of quality alike.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ..rule import SEVERITIES, Severity
from .members import role_of

Waking = Literal["page", "digest", "grouped"]
"""page: at once. digest: an account more was hit, which the hour's digest tells. grouped: people
have been told of the incident, and look."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What people were paged for of an incident; `hit`: also that an account was hit."""

    severity: Severity
    hit: bool


def waking(rule: str, severity: Severity, told: Told | None) -> Waking:
    """What an alert (high or more) of an open incident does, after what was `told` of it."""
    hits = role_of(rule) == "hit"
    if told is None or SEVERITIES.index(severity) > SEVERITIES.index(told.severity):
        return "page"
    if hits:
        return "digest" if told.hit else "page"
    return "grouped"


def told_after(rule: str, severity: Severity, told: Told | None) -> Told:
    """What people know once they were paged for this alert, too."""
    hits = role_of(rule) == "hit"
    if told is None:
        return Told(severity=severity, hit=hits)
    worst = max(severity, told.severity, key=SEVERITIES.index)
    return Told(severity=worst, hit=hits or told.hit)
