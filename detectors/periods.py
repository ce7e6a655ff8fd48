"""One detection under the limits of one period: only what crosses its limit inside it is seen.

Limits change while attacks go on. Each setting of a detection holds from one event time to another,
so a replay of an old day judges by what was in force then. Attempts before a period still fill its
windows: what decides is when the limit is crossed.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from .rule import ActiveRule, Sighting
from .windows import FOR_EVER_MS, SubjectLog


@dataclass(frozen=True, slots=True, kw_only=True)
class PeriodRule(ActiveRule):
    """A rule in force for crossings in [`since_ms`, `until_ms`), event time in ms since 1970.

    `turn` counts how often the same limits have been in force (from 1).
    """

    since_ms: int = 0
    until_ms: int = FOR_EVER_MS
    turn: int = 1

    @property
    def version(self) -> str:
        """As without periods; from the second time on the turn is added (`1-9f3c.2`).

        Without it an alert of each turn could have the same id, with two contents.
        """
        plain = super(PeriodRule, self).version  # named, since slots make another class of this one
        return plain if self.turn == 1 else f"{plain}.{self.turn}"


def within(active: ActiveRule, since_ms: int, until_ms: int, turn: int = 1) -> ActiveRule:
    """`active`, blind to everything that crosses its limits outside [since_ms, until_ms)."""
    judge = active.rule.judge

    def bounded(log: SubjectLog, limits: Any) -> list[Sighting]:
        return [_cut(seen, log, since_ms, until_ms) for seen in judge(log, limits)]

    return PeriodRule(
        rule=replace(active.rule, judge=bounded),
        limits=active.limits,
        quiet=active.quiet,
        mode=active.mode,
        since_ms=since_ms,
        until_ms=until_ms,
        turn=turn,
    )


def _cut(seen: Sighting, log: SubjectLog, since_ms: int, until_ms: int) -> Sighting:
    at = log.at if seen.log is None else seen.log.at
    hot = [one for one in seen.hot if since_ms <= at[one.last] < until_ms]
    if len(hot) == len(seen.hot):
        return seen
    # Hot outside the period: the next attempt may already be inside it.
    return replace(seen, hot=hot, lacking=seen.lacking if hot else 1)
