"""A detection in force for a time sees what crosses its limit then, whatever filled the window."""

from __future__ import annotations

import pytest

from detectors.alerts import Alert
from detectors.events import milliseconds
from detectors.periods import within
from tests.builders import MINUTE, START, found, rules, series

START_MS = milliseconds(START)
EVENTS = series(14, every=5)
"""The tenth failure in a minute is the crossing: 45 seconds after START."""


def crossings(since: float, until: float, turn: int = 1) -> list[Alert]:
    """Alerts of the burst rule while it is in force from `since` to `until` (seconds)."""
    (burst,) = rules(only="ip_fail_burst")
    first, last = (START_MS + round(at * 1000) for at in (since, until))
    return found(EVENTS, active=(within(burst, first, last, turn),))


@pytest.mark.parametrize(
    ("since", "until", "opened"),
    [
        pytest.param(0, 10 * MINUTE, "2026-11-23T06:00:45Z", id="in force all the while"),
        pytest.param(45, 10 * MINUTE, "2026-11-23T06:00:45Z", id="from the crossing on"),
        pytest.param(46, 10 * MINUTE, "2026-11-23T06:00:50Z", id="from just after it"),
        pytest.param(0, 46, "2026-11-23T06:00:45Z", id="until just after it"),
        pytest.param(0, 45, None, id="until the crossing"),
        pytest.param(5 * MINUTE, 10 * MINUTE, None, id="later"),
    ],
)
def test_what_crosses_outside_is_not_seen(since: float, until: float, opened: str | None) -> None:
    """The first instant of a period belongs to it, the last does not."""
    alerts = crossings(since, until)

    assert [alert.opened_at for alert in alerts] == ([opened] if opened else [])


def test_limits_that_come_back_are_another_version() -> None:
    """Each turn's alerts have ids of their own; the first is as without periods."""
    (plain,) = found(EVENTS, active=rules(only="ip_fail_burst"))
    (first,), (second,) = crossings(0, 600), crossings(0, 600, turn=2)

    assert (first.alert_id, first.rule_version) == (plain.alert_id, plain.rule_version)
    assert second.rule_version == f"{plain.rule_version}.2"
    assert second.alert_id != plain.alert_id
