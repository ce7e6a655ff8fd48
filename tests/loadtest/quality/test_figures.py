"""Counts become figures, and runs add up."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from loadtest.quality.counts import Counts, RuleCounts, added
from loadtest.quality.figures import as_text, figures
from loadtest.quality.goals import GOALS, goal


def _counts(**fields: Any) -> Counts:
    said: dict[str, Any] = {
        "hours": 60.0,
        "campaigns": 2,
        "caught": 1,
        "takeovers": 40,
        "flagged": 39,
        "looked_back": 1,
        "attacks": 100,
        "attributed": 99,
        "good": 2_000,
        "stepped_up": 1,
        "notices": 4,
        "pages": 10,
        "false_campaigns": 3,
        "detect_s": [5.0, 1.0],
        "detect_first_s": [9.0, 7.0],
        "rules": {"r": RuleCounts(alerts=4, true_alerts=3, pages=2, caught=1, flagged=20)},
    }
    return Counts(**said | fields)


def test_the_figures_of_a_run() -> None:
    """Shares of their cases, counts in their units of time or logins, quantiles of delays."""
    told = figures(_counts(), 1)

    assert (told.campaign_recall, told.takeover_recall) == (0.5, 0.975)
    assert (told.pages_per_12h, told.false_campaigns_per_5_days) == (2.0, 6.0)
    assert (told.stepped_up_share, told.notices_per_1000_good_logins) == (0.0005, 2.0)
    assert (told.detect_p50_s, told.detect_p95_s, told.detect_from_first_p50_s) == (1.0, 5.0, 7.0)
    assert (told.takeovers_by_look_back, told.attempt_attribution) == (0.025, 0.99)
    assert told.detections["r"].precision == 0.75
    assert told.detections["r"].takeover_recall == 0.5
    assert told.intervals["takeover_recall"].n == 40
    for name, interval in told.intervals.items():
        assert interval.low <= getattr(told, name) <= interval.high


def test_what_was_not_measured_is_null_and_never_zero() -> None:
    """No verdicts: no share. No takeovers: no recall. Nothing caught: no delay."""
    told = figures(_counts(stepped_up=None, notices=None, takeovers=0, flagged=0, detect_s=[]), 1)

    names = ("stepped_up_share", "notices_per_1000_good_logins", "takeover_recall", "detect_p95_s")
    assert [getattr(told, name) for name in names] == [None] * 4
    assert not set(names) & set(told.intervals)
    assert b'"takeover_recall":null' in msgspec.json.encode(told)


def test_runs_add_up() -> None:
    """Cases are pooled before shares are taken; one run without verdicts leaves the sum without."""
    other = _counts(campaigns=1, caught=1, stepped_up=None, detect_s=[3.0], rules={})

    both = added([_counts(), other])

    assert (both.campaigns, both.caught, both.hours, both.pages) == (3, 2, 120.0, 20)
    assert both.stepped_up is None
    assert sorted(both.detect_s) == [1.0, 3.0, 5.0]
    assert both.rules["r"].alerts == 4


def test_a_rule_without_takeovers_of_its_own_stays_without() -> None:
    """A peer's single rule flags no takeover because it cannot: None plus None is None."""
    peer = _counts(rules={"r": RuleCounts(alerts=1, flagged=None)})

    assert added([peer, peer]).rules["r"].flagged is None
    assert figures(peer, 1).detections["r"].takeover_recall is None


@pytest.mark.parametrize(
    ("letter", "key", "value", "met"),
    [
        ("A", "takeover_recall", 0.998, True),
        ("A", "takeover_recall", 0.9979, False),
        ("I", "pages_per_12h", 2.0, True),
        ("I", "pages_per_12h", 2.1, False),
        ("I", "pages_per_12h", None, None),
    ],
)
def test_goals(letter: str, key: str, value: float | None, met: bool | None) -> None:
    """At least, at most, or not measured."""
    wanted = goal(letter, key)
    assert wanted is not None

    told = msgspec.structs.replace(figures(_counts(), 1), **{key: value})

    assert wanted.met(told) is met


def test_every_goal_is_a_figure() -> None:
    """A goal on a figure that nobody measures could never be missed."""
    assert {wanted.key for wanted in GOALS} <= set(figures(_counts(), 1).__struct_fields__)


@pytest.mark.parametrize(
    ("key", "value", "text"),
    [
        ("campaign_recall", 0.975, "97.5 %"),
        ("pages_per_12h", 1213.4, "1,213"),
        ("detect_p95_s", 53.9591, "53.96"),
        ("pages_per_12h", 0.0, "0"),
    ],
)
def test_figures_as_text(key: str, value: float, text: str) -> None:
    """Shares in per cent, the rest with four digits."""
    assert as_text(key, value) == text
