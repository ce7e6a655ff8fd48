"""What a soak calls growth, and what it does not."""

from __future__ import annotations

import pytest

from detectors.errors import LoginwardError
from loadtest.chaos.kinds import KINDS
from loadtest.chaos.slopes import Growth
from loadtest.chaos.soak import FAULTS, Row, Soaked, SoakPlan, checked


def test_growth_is_told_within_lives_and_not_between_them() -> None:
    """A process that was killed begins small and fills its caches: neither is a slope."""
    growth = Growth()
    for life in range(3):
        for second in range(0, 600, 5):
            filling = min(second, 120) * 5
            growth.add(life, life * 600 + second, 100 + life * 7 + filling + second / 60)

    assert growth.per_hour() == pytest.approx(60)
    assert growth.most > growth.last - 1


def test_a_life_that_is_too_short_tells_nothing() -> None:
    """No slope is better than a wrong one."""
    growth = Growth()
    for second in range(0, 150, 5):
        growth.add("a", second, second)

    assert growth.per_hour() is None


def test_a_soak_says_what_is_wrong() -> None:
    """Growth beyond its limit, a fault without effect, logins that wait, customers told twice."""
    rows = [
        Row(name="relay rss_mib", last=90, most=90, per_hour=30.0, limit=18.0),
        Row(name="detect-0 rss_mib", last=90, most=90, per_hour=30.0),
        Row(name="relay handles", last=9, most=9, per_hour=None, limit=10),
    ]
    well = Soaked(rows=rows[1:], faults=[("kill_relay", True)], most_lag=10, lag_limit=10)
    ill = Soaked(
        rows=rows, faults=[("kill_relay", False)], most_lag=11, lag_limit=10, customers_doubled=1
    )

    assert well.findings == []
    assert ill.findings == [
        "relay rss_mib grows by 30.0 an hour, more than 18.0",
        "kill_relay did not hit",
        "lag came to 11 logins, more than 10",
        "0 messages to customers lost, 1 doubled",
    ]


@pytest.mark.parametrize(
    ("ended", "finding"),
    [
        (None, "logins were still being sent after the end"),
        (1, "logins were not sent to the end: their sender left with 1"),
        (-9, "logins were not sent to the end: their sender left with -9"),
    ],
)
def test_a_soak_without_logins_is_none(ended: int | None, finding: str) -> None:
    """Where the sender left early, nothing grew because nothing came."""
    assert Soaked(traffic=ended).findings == [finding]
    assert Soaked(traffic=0).findings == []


def test_its_faults_exist_and_fit_into_it() -> None:
    """None loses state, none fills a disk that no soak has, and at least one is due."""
    kinds = [KINDS[name] for name in FAULTS]

    assert not any(kind.loses or kind.cold or kind.small_disk or kind.late for kind in kinds)
    with pytest.raises(LoginwardError, match="--every: 300s is longer"):
        checked(SoakPlan(minutes=4, rate=10))
