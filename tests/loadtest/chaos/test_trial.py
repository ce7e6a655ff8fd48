"""Short forms of the trials: everything is killed once, and nothing is lost or doubled."""

from __future__ import annotations

from pathlib import Path

import pytest

from detectors.errors import LoginwardError
from loadtest.chaos.faults import DEFAULT, figures, parse
from loadtest.chaos.trial import Fault, Plan, run

pytestmark = pytest.mark.long


@pytest.mark.timeout(600)
def test_live_equals_replay_whatever_is_killed(tmp_path: Path) -> None:
    """Killed once each: both workers, Valkey, Kafka, relay, archive; live says what replay says."""
    said: list[str] = []
    plan = Plan(
        events=40_000,
        seed=7,
        bad=50,
        faults=DEFAULT,
        longest_s=500,
        # Between `judged` and done, so that this batch is surely delivered again.
        batch_records=500,
        failpoints="detect.before_done=kill",
    )

    outcome = run(plan, tmp_path, said.append)

    verdict = outcome.verdict
    assert verdict.faults == 0, verdict
    assert verdict.as_of_differences == 0
    assert outcome.hits == len(DEFAULT)
    assert verdict.redelivered > 0
    assert verdict.alerts > 100
    row = figures(DEFAULT, outcome)["faults"]["kill_valkey"]
    assert (row["hits"], row["missed"], row["extra"]) == (1, 0, 0)


@pytest.mark.parametrize("text", ["redis@0.5", "valkey", "valkey@1.5", "detect@0.3", "kafka@x"])
def test_a_fault_that_is_none_is_refused(text: str) -> None:
    """A misspelt fault is told with a way out instead of being left out silently."""
    with pytest.raises(LoginwardError, match="write TARGET@SHARE"):
        parse(text)


def test_a_fault_is_read() -> None:
    """Target and share of the offsets stand in one word."""
    assert parse("detect-1@0.6") == Fault(at=0.6, target="detect-1")
