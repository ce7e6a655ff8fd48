"""Ids, bytes and words of an alert."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import msgspec
import pytest

from detectors.alerts import alert_id, decode, encode
from detectors.findings import spoken
from detectors.rule import SEVERITIES, Severity, worst
from tests.builders import QUIET, found, login, rules, series

PARTS = ("rule", "1-0000", "", ("web", "ip", "192.0.2.7"), 7)


def test_an_id_depends_on_all_that_tells_alerts_apart() -> None:
    """Rule, version, part, system, subject and quiet time: another one is another alert."""
    ids = {
        alert_id(*PARTS),
        alert_id("rule2", *PARTS[1:]),
        alert_id("rule", "2-0000", *PARTS[2:]),
        alert_id("rule", "1-0000", "slow", *PARTS[3:]),
        alert_id("rule", "1-0000", "", ("app", "ip", "192.0.2.7"), 7),
        alert_id("rule", "1-0000", "", ("web", "ip", "192.0.2.8"), 7),
        alert_id("rule", "1-0000", "", ("web", "ip", "192.0.2.7"), 8),
    }

    assert len(ids) == 7
    assert all(len(one) == 32 for one in ids)


def test_an_id_cannot_be_forged_by_moving_a_boundary() -> None:
    """Parts are kept apart: `a` + `bc` is not `ab` + `c`."""
    assert alert_id("r", "v", "p", ("ab", "c", "d"), 1) != alert_id(
        "r", "v", "p", ("a", "bc", "d"), 1
    )


def test_an_alert_survives_the_wire() -> None:
    """Equal alerts are equal bytes, and bytes give the alert back."""
    (alert,) = found(series(10, every=1))

    raw = encode(alert)

    assert decode(raw) == alert
    assert encode(decode(raw)) == raw
    assert b"\n" not in raw
    with pytest.raises(msgspec.DecodeError):
        decode(raw[:-1])


def test_another_quiet_time_cuts_the_same_storm_otherwise() -> None:
    """floor(crossing / quiet) is in the id: an hour of quiet makes an alert an hour."""
    (burst,) = rules(only="ip_fail_burst")
    hourly = replace(burst, quiet=timedelta(hours=1))
    storm = series(QUIET // 10, every=10)

    assert len(found(storm, active=(burst,), cut=500)) == 1
    assert len(found(storm, active=(hourly,), cut=500)) == 6


def test_names_of_an_alert_are_bounded_and_whole() -> None:
    """An id of 128 characters and an account of 256 leave an alert that can be read."""
    events = [
        login(n, f"{n}" + "e" * 126, account="\u202e" * 256, system="s" * 64) for n in range(10)
    ]

    (alert,) = found(events)

    assert alert.event_ids == [event.event_id for event in events]
    assert "\u202e" not in encode(alert).decode()


@pytest.mark.parametrize(
    ("span", "words"),
    [
        (timedelta(seconds=1), "1 second"),
        (timedelta(seconds=90), "90 seconds"),
        (timedelta(minutes=1), "1 minute"),
        (timedelta(minutes=2), "2 minutes"),
        (timedelta(hours=1), "1 hour"),
        (timedelta(hours=24), "24 hours"),
        (timedelta(minutes=90), "90 minutes"),
    ],
)
def test_spans_are_spoken(span: timedelta, words: str) -> None:
    """The largest unit that leaves a whole number, in words."""
    assert spoken(span) == words


def test_severities_are_ordered() -> None:
    """The worse of two is the later in the list, whichever comes first."""
    severities: tuple[Severity, ...] = ("low", "medium", "high", "critical")
    assert severities == SEVERITIES
    for index, one in enumerate(severities):
        for other in severities[: index + 1]:
            assert worst(one, other) == worst(other, one) == one
