"""The short form of the trial: chief faults once each, and nothing is lost or doubled."""

from __future__ import annotations

from pathlib import Path

import pytest

from loadtest.chaos.compare import Verdict
from loadtest.chaos.figures import failed, figures, table
from loadtest.chaos.kinds import KINDS, chosen
from loadtest.chaos.trial import Injected, Outcome, Plan, run

FAULTS = (
    "kill_valkey,truncated_aof,step_detect_before_done,kill_kafka,kill_relay,kill_archive,poison,"
    "provider_lost"
)

pytestmark = pytest.mark.long


@pytest.mark.timeout(600)
def test_live_equals_replay_whatever_is_broken(tmp_path: Path) -> None:
    """Every process and both servers killed, state cut off, messages taken without a word: live
    says what replay says, and each customer is told once.
    """
    kinds = chosen(FAULTS)
    plan = Plan(events=12_000, seed=7, bad=50, kinds=kinds, batch_records=10, longest_s=500)

    outcome = run(plan, tmp_path, print)

    verdict = outcome.verdict
    assert verdict.faults == 0, verdict
    assert verdict.as_of_differences == 0
    assert [one.kind for one in outcome.injected if not one.hit] == []
    assert verdict.redelivered > 0
    assert verdict.alerts > 100
    assert verdict.customers_told > 40
    assert not failed(outcome)
    row = figures(outcome)["faults"]["truncated_aof"]
    assert (row["runs"], row["hits"], row["missed"], row["extra"]) == (1, 1, 0, 0)


def test_the_same_seed_gives_the_same_order() -> None:
    """A failing run can be done again; every kind comes as often as it was asked for."""
    one, again = (Plan(events=1, kinds=tuple(KINDS.values()), each=2, seed=5) for _ in range(2))
    other = Plan(events=1, kinds=tuple(KINDS.values()), each=2, seed=6)

    assert one.schedule() == again.schedule() != other.schedule()
    assert {one.schedule().count(kind) for kind in KINDS.values()} == {2}


def test_a_fault_that_did_not_hit_or_run_fails_the_trial() -> None:
    """A trial cannot pass because nothing was broken; what could not run is named in the table."""
    hit = Injected(kind="kill_relay", hit=True, recovery_s=1.0)
    passed = Outcome(Verdict(), 1.0, [hit])
    missed = Outcome(Verdict(), 1.0, [hit, Injected(kind="poison", hit=False, recovery_s=None)])
    absent = Outcome(Verdict(), 1.0, [hit], {"cut_kafka": "no proxy"})
    lost = Outcome(Verdict(missed=1), 1.0, [hit])
    stuck = Outcome(Verdict(), 1.0, [Injected(kind="kill_relay", hit=True, recovery_s=None)])

    assert not failed(passed)
    assert all(failed(one) for one in (missed, absent, lost, stuck))
    assert ("cut_kafka", "NOT RUN", "no proxy") in list(table(figures(absent)))
