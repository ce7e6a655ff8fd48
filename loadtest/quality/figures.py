"""Counts as the figures of the contract, each with how many it stands on and its interval."""

from __future__ import annotations

from typing import Any, Final

import msgspec

from .counts import Counts, RuleCounts
from .intervals import bootstrap, poisson, quantile, wilson

_HALF_DAY_H: Final = 12
_FIVE_DAYS_H: Final = 120
_WHOLE_FROM: Final = 1000


_SHARES: Final = frozenset(
    {
        "campaign_recall",
        "takeover_recall",
        "stepped_up_share",
        "takeovers_by_look_back",
        "attempt_attribution",
        "precision",
    }
)


class Interval(msgspec.Struct, frozen=True, kw_only=True):
    """What a figure stands on: n cases (or counted events), and its 95 % interval."""

    n: int
    low: float
    high: float


class Detection(msgspec.Struct, frozen=True, kw_only=True):
    """One detection of a contender on a profile; recall as if it were the only one there is."""

    alerts: int
    precision: float | None
    campaign_recall: float | None
    takeover_recall: float | None
    pages_per_12h: float | None
    detect_p50_s: float | None
    intervals: dict[str, Interval]


class Figures(msgspec.Struct, frozen=True, kw_only=True):
    """A contender on a profile. None: nothing to measure it on, or not measured (`not_run`)."""

    campaign_recall: float | None
    takeover_recall: float | None
    false_campaigns_per_5_days: float | None
    stepped_up_share: float | None
    pages_per_12h: float | None
    notices_per_1000_good_logins: float | None
    detect_p50_s: float | None
    detect_p95_s: float | None
    detect_from_first_p50_s: float | None
    takeovers_by_look_back: float | None
    attempt_attribution: float | None
    runs: int
    hours: float
    attack_attempts: int
    good_logins: int
    intervals: dict[str, Interval]
    detections: dict[str, Detection]


def figures(counts: Counts, runs: int) -> Figures:
    """The figures of `runs` runs added up."""
    made = _Made()
    c = counts
    return Figures(
        campaign_recall=made.share("campaign_recall", c.caught, c.campaigns),
        takeover_recall=made.share("takeover_recall", c.flagged, c.takeovers),
        false_campaigns_per_5_days=made.rate(
            "false_campaigns_per_5_days", c.false_campaigns, c.hours / _FIVE_DAYS_H
        ),
        stepped_up_share=made.share("stepped_up_share", c.stepped_up, c.good),
        pages_per_12h=made.rate("pages_per_12h", c.pages, c.hours / _HALF_DAY_H),
        notices_per_1000_good_logins=made.rate(
            "notices_per_1000_good_logins", c.notices, c.good / 1000
        ),
        detect_p50_s=made.quantile("detect_p50_s", c.detect_s, 0.5),
        detect_p95_s=made.quantile("detect_p95_s", c.detect_s, 0.95),
        detect_from_first_p50_s=made.quantile("detect_from_first_p50_s", c.detect_first_s, 0.5),
        takeovers_by_look_back=made.share("takeovers_by_look_back", c.looked_back, c.takeovers),
        attempt_attribution=made.share("attempt_attribution", c.attributed, c.attacks),
        runs=runs,
        hours=round(c.hours, 2),
        attack_attempts=c.attacks,
        good_logins=c.good,
        intervals=made.intervals,
        detections={name: _detection(rule, c) for name, rule in c.rules.items()},
    )


def as_text(key: str, value: float) -> str:
    """A figure as people read it: shares in per cent, the rest with four digits."""
    if key in _SHARES:
        return f"{value * 100:.2f}".rstrip("0").rstrip(".") + " %"
    return f"{value:,.0f}" if value >= _WHOLE_FROM else f"{value:.4g}"


def _detection(rule: RuleCounts, counts: Counts) -> Detection:
    made = _Made()
    values: dict[str, Any] = {
        "precision": made.share("precision", rule.true_alerts, rule.alerts),
        "campaign_recall": made.share("campaign_recall", rule.caught, counts.campaigns),
        "takeover_recall": made.share("takeover_recall", rule.flagged, counts.takeovers),
        "pages_per_12h": made.rate("pages_per_12h", rule.pages, counts.hours / _HALF_DAY_H),
        "detect_p50_s": made.quantile("detect_p50_s", rule.detect_s, 0.5),
    }
    return Detection(alerts=rule.alerts, intervals=made.intervals, **values)


class _Made:
    """Figures one after another, their intervals collected under their names."""

    def __init__(self) -> None:
        self.intervals: dict[str, Interval] = {}

    def share(self, name: str, hits: int | None, n: int) -> float | None:
        if hits is None or n == 0:
            return None
        self._keep(name, n, wilson(hits, n))
        return round(hits / n, 6)

    def rate(self, name: str, count: int | None, units: float) -> float | None:
        """`count` in so many units of time or thousands of logins."""
        if count is None or units <= 0:
            return None
        low, high = poisson(count)
        self._keep(name, count, (low / units, high / units))
        return round(count / units, 4)

    def quantile(self, name: str, values: list[float], share: float) -> float | None:
        found = quantile(values, share)
        if found is not None:
            self._keep(name, len(values), bootstrap(values, share))
            found = round(found, 3)
        return found

    def _keep(self, name: str, n: int, ends: tuple[float, float]) -> None:
        low, high = ends
        self.intervals[name] = Interval(n=n, low=round(low, 6), high=round(high, 6))
