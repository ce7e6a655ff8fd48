"""Two readings of the detections, the oracle's and the engine's, on simulated days."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from detectors.events import instant, rfc3339
from loadtest.oracle import RULES, Expected, expected_of_file
from loadtest.simulate import to_path

from .conftest import Make

_ROOT = Path(__file__).resolve().parents[2]
_SLOW = 4
"""The limit of ip_fail_daily's slow part, which the oracle does not know."""

Alert = tuple[str, str, str, str, str, int]


def _expected(alert: Expected) -> Alert:
    return (
        alert.rule,
        alert.system,
        alert.subject,
        rfc3339(instant(alert.opened_at)),
        rfc3339(instant(alert.updated_at)),
        alert.failures,
    )


def _replayed(alert: dict[str, Any]) -> Alert:
    return (
        alert["rule"],
        alert["system"],
        alert["subject"]["value"],
        alert["opened_at"],
        alert["updated_at"],
        alert["counts"]["failures"],
    )


@pytest.mark.parametrize(
    ("profile", "options"),
    [
        pytest.param("A:0.02+G", {"events": 30_000}, id="a day at a fiftieth"),
        pytest.param("A+G", {"events": 30_000, "duration_ms": 3_600_000}, id="an hour, dense"),
        pytest.param("G", {"events": 20_000, "failure_share": 0.55}, id="customers who forget"),
    ],
)
def test_replay_gives_the_alerts_of_the_oracle(
    make: Make, tmp_path: Path, profile: str, options: dict[str, Any]
) -> None:
    """Every alert, its first and last instant and its count of failures, with disorder,
    duplicates and bad records between them.
    """
    events, alerts = tmp_path / "events.jsonl", tmp_path / "alerts.jsonl"
    request = make.request(profile, disorder_ms=60_000, duplicates=0.02, bad=10, **options)
    to_path(request, events)

    done = subprocess.run(
        [sys.executable, "-m", "loginward_cli", "replay", str(events), "--alerts", str(alerts)],
        cwd=_ROOT,
        capture_output=True,
        check=False,
        timeout=280,
    )

    assert done.returncode == 0, done.stderr.decode()
    told = [json.loads(line) for line in alerts.read_bytes().splitlines()]
    found = {
        _replayed(alert)
        for alert in told
        if alert["rule"] in RULES
        and not (alert["rule"] == "ip_fail_daily" and alert["threshold"] == _SLOW)
    }
    wanted = {_expected(alert) for alert in expected_of_file(events)}
    assert len(wanted) > 20
    assert found == wanted
