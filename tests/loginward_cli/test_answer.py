"""`loginward answer`: the telephone desk."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from detectors import alerts
from notifier.answers import CALL_BACK_TASK, RUNBOOK_TASK
from notifier.ledger import Ledger, Notice
from tests.loginward_cli.running import loginward
from tests.notifier.made import NOON, notice


@pytest.fixture
def told(tmp_path: Path) -> Notice:
    """Give a notice in the ledger of the installation in `tmp_path`."""
    ledger = Ledger.open(tmp_path / "notifier" / "ledger.db")
    made = notice(ledger)
    ledger.close()
    return made


def _answer(home: Path, *args: str) -> tuple[int, str, str]:
    done = loginward("answer", *args, cwd=home, environ={"LOGINWARD_HOME": str(home)})
    return done.returncode, done.stdout, done.stderr


def test_a_no_on_the_telephone_alerts_and_orders(tmp_path: Path, told: Notice) -> None:
    """By the number the customer says: recorded with who took it, alert and order left."""
    code, out, _ = _answer(tmp_path, told.number, "no", "--by", "amy", "--json")

    assert code == 0
    said = json.loads(out.splitlines()[-1])
    assert (said["recorded"], said["answer"], said["notice_id"]) == (True, "no", told.notice_id)
    ledger = Ledger.open(tmp_path / "notifier" / "ledger.db")
    topics = [row.topic for row in ledger.outgoing()]
    assert topics == ["notices", "notices", "confirmations", "alerts"]
    assert alerts.decode(ledger.outgoing()[-1].value).severity == "critical"
    assert len(ledger.open_tasks(RUNBOOK_TASK)) == 1
    assert [one.by for one in ledger.answers_of(told.notice_id)] == ["amy"]
    ledger.close()


def test_a_no_is_not_taken_back(tmp_path: Path, told: Notice) -> None:
    """Said again, or followed by a yes, the command says what stands and changes nothing."""
    _answer(tmp_path, told.notice_id, "no", "--by", "amy")

    code, out, _ = _answer(tmp_path, told.notice_id, "yes", "--identified")

    assert code == 0
    assert "nothing changed; 'no' stands already" in out


def test_what_waits_is_listed_and_is_a_finding(tmp_path: Path, told: Notice) -> None:
    """--open names orders and call-backs and exits with 1; with nothing open it exits with 0."""
    assert _answer(tmp_path, "--open")[:2] == (0, "nothing waits\n")
    ledger = Ledger.open(tmp_path / "notifier" / "ledger.db")
    ledger.add_task(CALL_BACK_TASK, told.notice_id, b"{}", NOON, NOON)
    ledger.close()

    code, out, _ = _answer(tmp_path, "--open")

    assert code == 1
    assert told.number in out


@pytest.mark.parametrize(
    ("args", "says"),
    [
        pytest.param(("00000000", "no"), "00000000: no such notice", id="unknown"),
        pytest.param(("\x1b[2J", "no"), "\\x1b[2J: no such notice", id="hostile"),
        pytest.param(("27194410", "maybe"), "write the notice and yes or no", id="neither"),
        pytest.param((), "write the notice and yes or no", id="nothing"),
        pytest.param(("{number}", "no", "--by", "a\nb"), "printable characters", id="two lines"),
    ],
)
def test_wrong_use_is_a_sentence(
    tmp_path: Path, told: Notice, args: tuple[str, ...], says: str
) -> None:
    """Exit 2 with the place and the way out, and nothing is recorded."""
    code, _, err = _answer(tmp_path, *(arg.format(number=told.number) for arg in args))

    assert code == 2
    assert says in err


def test_without_a_ledger_the_machine_is_named(tmp_path: Path) -> None:
    """On a machine where no notice was made no ledger is made either."""
    code, _, err = _answer(tmp_path, "27194410", "no")

    assert code == 2
    assert "notifier.ledger" in err
    assert not (tmp_path / "notifier").exists()


@pytest.mark.parametrize("step", ["answer.recorded", "answer.ordered"])
def test_a_kill_in_the_middle_leaves_all_or_nothing(
    tmp_path: Path, told: Notice, step: str
) -> None:
    """Killed between answer, alert and order nothing is there; said again, all of it once."""
    home = {"LOGINWARD_HOME": str(tmp_path)}
    killed = loginward(
        *("answer", told.number, "no"),
        cwd=tmp_path,
        environ=home | {"LOGINWARD_FAILPOINTS": f"{step}=kill"},
    )
    assert killed.returncode == -9
    ledger = Ledger.open(tmp_path / "notifier" / "ledger.db")
    assert [row.topic for row in ledger.outgoing()] == ["notices"]
    assert ledger.open_tasks(RUNBOOK_TASK) == []

    assert _answer(tmp_path, told.number, "no")[0] == 0

    topics = [row.topic for row in ledger.outgoing()]
    assert topics == ["notices", "notices", "confirmations", "alerts"]
    assert len(ledger.open_tasks(RUNBOOK_TASK)) == 1
    ledger.close()
