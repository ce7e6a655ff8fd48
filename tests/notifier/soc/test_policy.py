"""What two persons have muted or allowed pages nobody, and an allow-list hides no attack."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from config.governance.books import folder_of
from config.governance.ledger import FILE
from config.settings import Settings, load
from config.suppressions import HIDES
from notifier.soc.paging import Limits, Paging
from notifier.soc.policy import UNKNOWN_QUIET, Governance
from notifier.soc.queue import TOPIC
from tests.config.governance.builders import NOON, at
from tests.config.test_suppressions import allow, approve, mute

from .made import Clock, alert, item, made_metrics, queue

OURS: dict[str, Any] = {
    "rule": "ip_fail_burst",
    "subject": "203.0.113.7",
    "opened_at": NOON.isoformat(),
}


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Give an installation of the test's own."""
    return load(environ={"LOGINWARD_HOME": str(tmp_path)})


def test_a_mute_is_noticed_while_we_run_and_ends(settings: Settings) -> None:
    """Without a restart, with who and why; and only on its rule and subject."""
    rules = Governance(settings)
    assert rules.suppressed(alert(**OURS), at(1)) is None

    mute(folder_of(settings))
    reason = rules.suppressed(alert(**OURS), at(1))

    assert reason is not None
    assert (reason.entry, reason.by, reason.text) == ("M1", "alice", "because")
    assert reason.instead is None
    assert rules.suppressed(alert(**OURS), at(121)) is None
    assert rules.suppressed(alert(**OURS | {"subject": "203.0.113.8"}), at(1)) is None


def test_a_damaged_ledger_mutes_no_more_than_can_be_read(settings: Settings) -> None:
    """Altered or gone: we run on, and page."""
    mute(folder_of(settings))
    rules = Governance(settings)
    (folder_of(settings) / FILE).write_text("{broken\n")

    assert rules.suppressed(alert(**OURS), at(1)) is None


def test_quiet_times_are_those_of_the_rule_book(settings: Settings) -> None:
    """And six hours for a rule that it does not name."""
    rules = Governance(settings)

    assert timedelta() < rules.quiet("ip_fail_burst") <= timedelta(days=1)
    assert rules.quiet("of a newer detect") == UNKNOWN_QUIET


def test_an_allow_list_that_hides_an_attack_is_told_in_its_place(
    settings: Settings, tmp_path: Path
) -> None:
    """One page for the entry, whatever it hides; every output and the topic get the alert."""
    folder = folder_of(settings)
    allow(folder)
    approve(folder, "A1")
    rules = Governance(settings)
    clock = Clock(int(at(10).timestamp() * 1000))
    waiting = queue(tmp_path, clock, "one", TOPIC)
    limits = Limits(quiet=rules.quiet, per_hour=5)
    paging = Paging(waiting, limits, rules.suppressed, made_metrics())
    waiting.put([item(n, **OURS | {"subject": f"203.0.113.{n}"}) for n in (1, 2, 3)])

    for _ in range(3):
        paging.look(clock.now)

    told = [owed.item.alert for owed in waiting.owed("one", 99)]
    assert sorted(one.rule for one in told) == [HIDES] * 3 + ["ip_fail_burst"] * 3
    assert [owed.item.alert.rule for owed in waiting.owed(TOPIC, 99)] == [HIDES] * 3
    assert waiting.store.execute("SELECT count(*) FROM pages").fetchone() == (1,)
