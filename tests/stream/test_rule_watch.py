"""A running worker takes over what was approved, and nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from config.governance.books import configured, folder_of, store
from config.governance.ledger import FILE
from config.governance.records import Approved
from config.settings import Settings, load
from stream.rule_watch import RuleWatch
from tests.config.governance.builders import adopted, at, say

SEVEN = '[ip_fail_burst]\nmode = "live"\nlimits = { failures = 7 }\n'


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """An installation with the rule book that comes along."""
    return load(environ={"LOGINWARD_HOME": str(tmp_path)})


def adopt(settings: Settings) -> None:
    """Propose that seven failures are a burst."""
    new = settings.data_dir / "new.toml"
    new.write_text(SEVEN)
    folder = folder_of(settings)
    say(folder, adopted(store(folder, new), store(folder, configured(settings))))


def limits(watch: RuleWatch) -> list[int]:
    """The burst rule's limits, period by period."""
    return [entry.limits.failures for entry in watch.in_force.book.periods("ip_fail_burst")]


def test_a_change_is_noticed_by_a_look_and_in_force_when_asked_for(settings: Settings) -> None:
    """Between two batches: what was found is adopted once, and its version is another one."""
    watch = RuleWatch(settings)
    before = watch.in_force.version
    adopt(settings)
    say(folder_of(settings), Approved(id="C1", effective=at(2)), "bob")

    assert watch.adopt() is None
    watch.look()
    assert limits(watch) == [10]
    assert watch.adopt() is watch.in_force
    assert limits(watch) == [10, 7]
    assert watch.in_force.version != before
    assert watch.adopt() is None


def test_a_proposal_changes_no_limit(settings: Settings) -> None:
    """Only the head of the ledger, which every record of `judged` names."""
    watch = RuleWatch(settings)
    adopt(settings)

    watch.look()

    assert watch.adopt() is not None
    assert limits(watch) == [10]


def test_a_damaged_ledger_leaves_what_was_in_force(settings: Settings) -> None:
    """A line that cannot be read ends no worker."""
    adopt(settings)
    say(folder_of(settings), Approved(id="C1", effective=at(2)), "bob")
    watch = RuleWatch(settings)
    path = folder_of(settings) / FILE
    path.write_bytes(path.read_bytes() + b"nonsense\n")

    watch.look()
    watch.adopt()

    assert limits(watch) == [10, 7]


def test_without_a_change_nothing_is_read(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A look costs a stat."""
    watch = RuleWatch(settings)
    monkeypatch.setattr("stream.rule_watch.governed", None)

    watch.look()

    assert watch.adopt() is None
