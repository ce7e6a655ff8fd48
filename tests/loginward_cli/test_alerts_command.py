"""`loginward alerts` at a real queue: what is listed, who has it, who is on duty."""

from __future__ import annotations

import json
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from notifier.soc.paging import Limits, Paging
from notifier.soc.policy import nothing_muted
from tests.config.test_roster import ROSTER
from tests.notifier.soc.made import HOSTILE, OPENED, Clock, item, made_metrics, queue
from tests.notifier.soc.test_paging import QUIET

from .running import loginward


def alerts(folder: Path, *args: str) -> CompletedProcess[str]:
    """`loginward alerts ARGS` with this folder as home."""
    return loginward("alerts", *args, cwd=folder, environ={"LOGINWARD_HOME": str(folder)})


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """Give an installation with three alerts, two of them paged and one of those delivered."""
    clock = Clock()
    waiting = queue(tmp_path / "outputs", clock, "webhook")
    waiting.put([item(1, subject=HOSTILE), item(2), item(3, severity="low")])
    waiting.sent("webhook", [item(1)])
    Paging(waiting, Limits(quiet=lambda _: QUIET, per_hour=5), nothing_muted, made_metrics()).look(
        clock.now
    )
    OPENED.pop().close()
    return tmp_path


def test_alerts_are_listed_with_what_is_undelivered(home: Path) -> None:
    """A line an alert, whatever its subject holds; the last line says what waits."""
    told = alerts(home, "list")

    lines = told.stdout.splitlines()
    assert told.returncode == 0, told.stderr
    assert len(lines) == 5
    assert lines[0].split() == [
        "ID", "SEVERITY", "RULE", "SUBJECT", "OPENED", "ACKNOWLEDGED", "BY", "UNDELIVERED",
    ]  # fmt: skip
    assert lines[4] == "webhook: 2 alerts wait, the oldest since 2026-11-23 06:00:00Z"
    assert all(line.isprintable() for line in lines)
    found = json.loads(alerts(home, "list", "--severity", "high", "--json").stdout)
    assert {one["alert"]["alert_id"] for one in found["alerts"]} == {item(1).id, item(2).id}
    assert found["outputs"][0]["waiting"] == 2


def test_a_hostile_subject_forges_no_line(home: Path) -> None:
    """What an attacker typed stays on its line."""
    lines = alerts(home, "show", item(1).id).stdout.splitlines()

    assert [line for line in lines if line.startswith("<13>")] == []
    assert all(line.isprintable() for line in lines)
    assert sum(line.startswith("subject ") for line in lines) == 1


def test_an_acknowledgement_is_kept_with_who_when_and_why(home: Path) -> None:
    """By the first eight digits; `list --open` then leaves it out, `show` names it."""
    ack = alerts(home, "ack", item(2).id[:8], "--who", "chen", "--reason", "blocked at the edge")
    shown = alerts(home, "show", item(2).id)
    still = json.loads(alerts(home, "list", "--open", "--json").stdout)

    assert (ack.returncode, ack.stdout) == (0, "acknowledged by chen: 00000002\n")
    assert "in hand    chen at " in shown.stdout
    assert ": blocked at the edge" in shown.stdout
    assert {one["alert"]["alert_id"] for one in still["alerts"]} == {item(1).id, item(3).id}


def test_a_page_is_acknowledged_with_all_its_alerts(home: Path) -> None:
    """As a digest asks for."""
    told = alerts(home, "ack", "-p", "1", "--reason", "x", "--who", "wu", "--json")

    assert json.loads(told.stdout) == {"acknowledged": [item(1).id], "who": "wu"}


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (("show", "1234"), "1234: is too short; give at least 8 digits"),
        (("show", "ffffffff"), "ffffffff: no alert begins so"),
        (("show", "0000000000000000000000000000000"), "no alert begins so"),
        (("ack", "00000001"), "--reason: must be 1 to 500 characters"),
        (("ack", "--reason", "x"), "name one alert by its id, or one page"),
        (("ack", "-p", "99", "--reason", "x"), "--page 99: no such page"),
        (("ack", "00000001", "--reason", "x", "--who", " "), "--who: must be 1 to 64"),
        (("ack", "00000001", "--reason", "x" * 501), "--reason: must be 1 to 500"),
    ],
)
def test_what_cannot_be_done_is_said_with_a_way_out(
    home: Path, args: tuple[str, ...], said: str
) -> None:
    """Exit code 2, and nothing is acknowledged."""
    told = alerts(home, *args)

    assert told.returncode == 2
    assert said in told.stderr
    assert all(
        one["acknowledged"] == []
        for one in json.loads(alerts(home, "list", "--json").stdout)["alerts"]
    )


def test_without_a_queue_it_says_where_one_is_made(tmp_path: Path) -> None:
    """And makes none itself."""
    told = alerts(tmp_path, "list")

    assert told.returncode == 2
    assert "no queue of alerts here; `loginward run outputs` makes it" in told.stderr
    assert not (tmp_path / "outputs").exists()


def test_the_roster_is_told_with_its_holes(tmp_path: Path) -> None:
    """Exit code 1 where hours are covered by nobody; no number of a person is shown."""
    (tmp_path / "roster.toml").write_text(ROSTER)
    environ = {"LOGINWARD_HOME": str(tmp_path), "LOGINWARD_ROSTER_FILE": "roster.toml"}
    told = loginward("alerts", "roster", "--json", cwd=tmp_path, environ=environ)

    assert told.returncode == 1, told.stderr
    said = json.loads(told.stdout)
    assert said["levels"][0]["level"] == "analyst"
    assert len(said["levels"][0]["gaps"]) in {1, 2}
    assert "886" not in told.stdout
    assert loginward("alerts", "roster", cwd=tmp_path, environ={}).returncode == 0


def test_outputs_that_are_not_configured_are_not_run(tmp_path: Path) -> None:
    """Exit code 2 with what to set; nothing is made."""
    told = loginward("run", "outputs", cwd=tmp_path, environ={"LOGINWARD_HOME": str(tmp_path)})

    assert told.returncode == 2
    assert "outputs: none is configured; set outputs.webhook_url" in told.stderr
    assert list(tmp_path.iterdir()) == []
