"""An incident wakes people when it opens, when it is graver, when it first hits an account."""

from __future__ import annotations

import pytest

from detectors.incidents.pages import Told, Waking, told_after, waking
from detectors.rule import Severity

ATTACK, HIT = "ip_account_spray", "success_after_attack"


@pytest.mark.parametrize(
    ("rule", "severity", "told", "does"),
    [
        pytest.param(ATTACK, "high", None, "page", id="nobody knows of it"),
        pytest.param(ATTACK, "critical", Told(severity="high", hit=False), "page", id="graver"),
        pytest.param(ATTACK, "high", Told(severity="high", hit=False), "grouped", id="more of it"),
        pytest.param(ATTACK, "high", Told(severity="critical", hit=True), "grouped", id="milder"),
        pytest.param(HIT, "high", Told(severity="high", hit=False), "page", id="first hit"),
        pytest.param(HIT, "high", Told(severity="high", hit=True), "digest", id="another hit"),
        pytest.param(HIT, "critical", Told(severity="high", hit=True), "page", id="a graver hit"),
    ],
)
def test_what_an_alert_does(rule: str, severity: Severity, told: Told | None, does: Waking) -> None:
    """After what people were told of the incident."""
    assert waking(rule, severity, told) == does


@pytest.mark.parametrize(
    ("rule", "severity", "told", "known"),
    [
        (ATTACK, "high", None, Told(severity="high", hit=False)),
        (HIT, "critical", None, Told(severity="critical", hit=True)),
        (HIT, "high", Told(severity="critical", hit=False), Told(severity="critical", hit=True)),
        (ATTACK, "critical", Told(severity="high", hit=True), Told(severity="critical", hit=True)),
    ],
)
def test_what_people_know_then(
    rule: str, severity: Severity, told: Told | None, known: Told
) -> None:
    """The worst they heard, and a hit for ever: the same alert again wakes nobody."""
    assert told_after(rule, severity, told) == known
    assert waking(rule, severity, known) != "page"
