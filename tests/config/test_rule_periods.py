"""A detection's limits hold from one event time to another; an old day is judged by its own."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from random import Random

import pytest

from config.errors import SettingsError
from config.rules import RuleBook, load_rules
from detectors.alerts import Alert
from tests.builders import HOUR, MINUTE, START, found, series

BURST = """
[ip_fail_burst]
mode = "live"
effective = 2026-11-23T09:00:00Z
limits = { failures = 20, many_failures = 200 }
[[ip_fail_burst.earlier]]
mode = "staged"
limits = { failures = 5, many_failures = 200 }
[[ip_fail_burst.earlier]]
mode = "live"
effective = 2026-11-23T08:00:00Z
limits = { failures = 5, many_failures = 200 }
[ip_fail_daily]
mode = "off"
[ip_account_spray]
mode = "off"
"""
"""Staged until two hours after START, then live, stricter an hour later."""

CHANGE, STRICTER = 2 * HOUR, 3 * HOUR


def book(folder: Path, text: str = BURST) -> RuleBook:
    """The rule book of a file with this text."""
    path = folder / "rules.toml"
    path.write_text(text)
    return load_rules(path)


def burst(alerts: list[Alert]) -> list[tuple[str, str, int]]:
    """Mode, version without its hash, and limit of each alert of the burst rule."""
    return [
        (alert.mode, alert.rule_version.partition(".")[2], alert.threshold)
        for alert in sorted(alerts, key=lambda alert: alert.opened_at)
        if alert.rule == "ip_fail_burst"
    ]


def test_at_tells_what_was_in_force_then(tmp_path: Path) -> None:
    """The start of a period belongs to it; the instant before it to the one before."""
    rules = book(tmp_path)

    def said(hours: float) -> tuple[str, int]:
        entry = rules.at(START + timedelta(hours=hours)).entries["ip_fail_burst"]
        return entry.mode, entry.limits.failures

    assert [said(h) for h in (-1000, 1.9999, 2, 2.9999, 3, 1000)] == [
        ("staged", 5), ("staged", 5), ("live", 5), ("live", 5), ("live", 20), ("live", 20),
    ]  # fmt: skip


def test_a_rule_is_off_before_it_first_holds(tmp_path: Path) -> None:
    """Without an earlier entry there was no such detection."""
    rules = book(
        tmp_path, '[ip_fail_burst]\nmode = "live"\neffective = "2026-11-23T08:00:00+00:00"\n'
    )

    assert rules.at(START).entries["ip_fail_burst"].mode == "off"
    assert rules.at(START + timedelta(hours=2)).entries["ip_fail_burst"].mode == "live"
    before = found(series(15, every=2), active=rules.active())
    after = found(series(15, every=2, start=CHANGE), active=rules.active())
    assert (burst(before), burst(after)) == ([], [("live", "", 10)])


@pytest.mark.parametrize(
    ("start", "count", "expected"),
    [
        pytest.param(0, 6, [("staged", "", 5)], id="first period"),
        pytest.param(CHANGE, 6, [("live", "2", 5)], id="same limits again, now live"),
        pytest.param(STRICTER, 19, [], id="below the stricter limit"),
        pytest.param(STRICTER, 20, [("live", "", 20)], id="stricter"),
        pytest.param(CHANGE - 10, 9, [("staged", "", 5), ("live", "2", 5)], id="crosses in both"),
        pytest.param(CHANGE - 8, 5, [("live", "2", 5)], id="crosses at the very change"),
        pytest.param(CHANGE - 6, 5, [("live", "2", 5)], id="earlier attempts fill the window"),
        pytest.param(STRICTER - 6, 6, [], id="stricter when the fifth comes"),
    ],
)
def test_the_crossing_decides_which_limits_hold(
    tmp_path: Path, start: int, count: int, expected: list[tuple[str, str, int]]
) -> None:
    """An alert opens under the limits in force when its own limit is crossed."""
    alerts = found(series(count, every=2, start=start), active=book(tmp_path).active())

    assert burst(alerts) == expected


def test_the_order_of_arrival_changes_nothing(tmp_path: Path) -> None:
    """Periods keep promise 6: any order and any cut give the same alerts, byte for byte."""
    events = [
        *series(300, every=60, start=30 * MINUTE),
        *series(90, every=2, start=CHANGE - 90, name="x"),
    ]
    rules = book(tmp_path).active()
    expected = found(events, cut=len(events), active=rules)
    shuffled = list(events)
    Random(7).shuffle(shuffled)

    assert {alert.rule_version.partition(".")[2] for alert in expected} == {"", "2"}
    assert found(shuffled, cut=70, active=rules) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param(
            "effective = 2026-11-23T08:00:00\n", "2 ip_fail_burst.effective: ", id="no offset"
        ),
        pytest.param('effective = "soon"\n', "is no time with an offset", id="no time"),
        pytest.param(
            "[[ip_fail_burst.earlier]]\n", "must say since when, where another", id="no start"
        ),
        pytest.param(
            "effective = 2026-11-23T08:00:00Z\n[[ip_fail_burst.earlier]]\n"
            "effective = 2026-11-23T08:00:00Z\n",
            "is not after 2026-11-23T08:00:00+00:00",
            id="not in order",
        ),
        pytest.param("earlier = 7\n", "write [[ip_fail_burst.earlier]]", id="no tables"),
        pytest.param(
            "effective = 2026-11-23T08:00:00Z\n[[ip_fail_burst.earlier]]\nmodus = 1\n",
            "4 ip_fail_burst.earlier.0.modus: is no key here; did you mean mode?",
            id="unknown key",
        ),
    ],
)
def test_a_wrong_period_is_told_with_its_line(tmp_path: Path, text: str, expected: str) -> None:
    """Times have an offset, periods follow each other."""
    with pytest.raises(SettingsError) as caught:
        book(tmp_path, "[ip_fail_burst]\n" + text)

    (problem,) = caught.value.problems
    assert expected in str(problem)
