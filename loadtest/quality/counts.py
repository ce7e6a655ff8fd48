"""What is counted in one run of one contender, and how runs add up."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec


class RuleCounts(msgspec.Struct, kw_only=True):
    """One detection in one run. `true_alerts`: at least half of the evidence is an attacker's;
    `caught`, `flagged`: campaigns and takeovers that it would have found all alone.
    """

    alerts: int = 0
    true_alerts: int = 0
    pages: int = 0
    caught: int = 0
    flagged: int | None = 0
    detect_s: list[float] = []


class Counts(msgspec.Struct, kw_only=True):
    """One run of one contender; what the contender has no notion of is None, never 0.

    `detect_s` from a campaign's hundredth attempt, `detect_first_s` from its first, both in event
    time and only of campaigns that were caught. `flagged`: takeovers within 60 s of the event,
    `looked_back`: those found later.
    """

    hours: float
    campaigns: int
    caught: int
    takeovers: int
    flagged: int
    looked_back: int | None
    attacks: int
    attributed: int
    good: int
    stepped_up: int | None
    notices: int | None
    pages: int
    false_campaigns: int
    detect_s: list[float] = []
    detect_first_s: list[float] = []
    rules: dict[str, RuleCounts] = {}


def added(runs: Iterable[Counts]) -> Counts:
    """All runs as one. What one of them did not measure, their sum has not measured."""
    total = _Sum()
    for run in runs:
        total.add(run)
    return total.counts


_WHOLE = (
    "campaigns",
    "caught",
    "takeovers",
    "flagged",
    "looked_back",
    "attacks",
    "attributed",
    "good",
    "stepped_up",
    "notices",
    "pages",
    "false_campaigns",
)


class _Sum:
    def __init__(self) -> None:
        self._whole: dict[str, int | None] = dict.fromkeys(_WHOLE, 0)
        self._hours = 0.0
        self._detect: list[float] = []
        self._first: list[float] = []
        self._rules: dict[str, RuleCounts] = {}

    def add(self, run: Counts) -> None:
        for name, sofar in self._whole.items():
            more = getattr(run, name)
            self._whole[name] = _sum(sofar, more)
        self._hours += run.hours
        self._detect += run.detect_s
        self._first += run.detect_first_s
        for name, rule in run.rules.items():
            ours = self._rules.setdefault(name, RuleCounts())
            ours.alerts += rule.alerts
            ours.true_alerts += rule.true_alerts
            ours.pages += rule.pages
            ours.caught += rule.caught
            ours.flagged = _sum(ours.flagged, rule.flagged)
            ours.detect_s = ours.detect_s + rule.detect_s

    @property
    def counts(self) -> Counts:
        return msgspec.convert(
            self._whole
            | {
                "hours": self._hours,
                "detect_s": self._detect,
                "detect_first_s": self._first,
                "rules": {name: self._rules[name] for name in sorted(self._rules)},
            },
            Counts,
            from_attributes=True,
        )


def _sum(one: int | None, other: int | None) -> int | None:
    return None if one is None or other is None else one + other
