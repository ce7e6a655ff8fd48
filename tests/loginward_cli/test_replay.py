"""`loginward replay` as a script calls it: files out, exit codes, and the same bytes every time."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Sequence
from pathlib import Path
from random import Random
from typing import Any

import pytest

from detectors import wire
from detectors.events import LoginEvent
from tests.builders import DAY, HOUR, login, series

from .running import loginward

EVENTS = [
    *series(25, every=20, accounts=15, name="stuffing"),
    *series(31, every=60, start=2 * DAY, name="day", ip="203.0.113.4"),
    *series(12, every=660, name="slow", ip="2001:db8::1", accounts=3),
    *series(5, every=HOUR, name="good", outcome="success"),
    login(10, "typed", account="小明\x1b[31m", reason="unknown_account", system="app"),
]


def write(path: Path, events: Sequence[LoginEvent]) -> Path:
    """A file of events."""
    path.write_bytes(b"".join(wire.encode(event) + b"\n" for event in events))
    return path


@pytest.fixture
def events(tmp_path: Path) -> Path:
    """All events in one file."""
    return write(tmp_path / "events.jsonl", EVENTS)


def replay(cwd: Path, *args: object, **environ: str) -> subprocess.CompletedProcess[str]:
    """`loginward replay ARGS --alerts alerts.jsonl` in `cwd`."""
    key = {"LOGINWARD_PSEUDONYM_KEY_FILE": str(cwd / "pseudonym.key")} | environ
    named = () if "--alerts" in args else ("--alerts", "alerts.jsonl")
    return loginward("replay", *map(str, args), *named, cwd=cwd, environ=key)


def lines(path: Path) -> list[dict[str, Any]]:
    """The objects of a file of JSON lines."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_it_writes_alerts_and_days_and_says_what_it_did(tmp_path: Path, events: Path) -> None:
    """Alerts with every field of the contract, a row a day and system, counts as the last line."""
    ran = replay(tmp_path, events, "--daily", "daily.json", "--json")

    assert (ran.returncode, ran.stderr) == (0, "")
    alerts = lines(tmp_path / "alerts.jsonl")
    assert json.loads(ran.stdout.splitlines()[-1]) == {
        "read": len(EVENTS),
        "judged": len(EVENTS),
        "duplicates": 0,
        "rejected": 0,
        "alerts": len(alerts),
        "asked": 4,
    }
    assert {alert["rule"] for alert in alerts} == {
        "ip_fail_burst",
        "ip_fail_daily",
        "ip_account_spray",
        "success_after_attack",
    }
    for alert in alerts:
        assert set(alert) >= {
            *("alert_id", "revision", "system", "rule", "rule_version", "severity", "opened_at"),
            *("updated_at", "subject", "counts", "window_s", "threshold", "accounts", "ips"),
            *("event_ids", "attack_ids", "checklist_item", "summary"),
        }
        assert alert["opened_at"].endswith("Z")
    days = json.loads((tmp_path / "daily.json").read_text())["days"]
    assert {(day["date"], day["system"]) for day in days} >= {("2026-11-23", "web")}
    assert {day["tz"] for day in days} == {"Asia/Taipei"}
    assert sum(day["alerts"] for day in days) == len(alerts)


def test_the_same_input_gives_the_same_bytes(tmp_path: Path, events: Path) -> None:
    """Run twice, and with the lines shuffled over two files in any order: no byte differs."""
    shuffled = list(EVENTS)
    Random(5).shuffle(shuffled)
    one = write(tmp_path / "one.jsonl", shuffled[::2])
    two = write(tmp_path / "two.jsonl", shuffled[1::2])

    outputs = []
    for number, files in enumerate([(events,), (events,), (one, two), (two, one)]):
        alerts, daily = tmp_path / f"alerts{number}", tmp_path / f"daily{number}"
        ran = replay(tmp_path, *files, "--alerts", alerts, "--daily", daily)
        assert ran.returncode == 0, ran.stderr
        outputs.append((alerts.read_bytes(), daily.read_bytes()))

    assert outputs[0][0].count(b"\n") >= 4
    assert outputs == [outputs[0]] * 4


def test_outputs_are_there_even_if_empty(tmp_path: Path) -> None:
    """Whoever reads the files finds them, and no leftovers, also where nothing was found."""
    empty = write(tmp_path / "empty.jsonl", [])

    ran = replay(tmp_path, empty, "--daily", "daily.json")

    assert ran.returncode == 0
    assert (tmp_path / "alerts.jsonl").read_bytes() == b""
    assert json.loads((tmp_path / "daily.json").read_text()) == {"days": []}
    assert not list(tmp_path.glob("*.partial"))


def test_an_older_output_is_replaced_whole(tmp_path: Path, events: Path) -> None:
    """A second run leaves nothing of the first."""
    (tmp_path / "alerts.jsonl").write_text("old\n" * 10_000)

    replay(tmp_path, events)

    assert all("rule" in alert for alert in lines(tmp_path / "alerts.jsonl"))


def test_accounts_are_pseudonyms_unless_revealed(tmp_path: Path, events: Path) -> None:
    """By default no account as typed leaves; with --reveal those of the alerts do."""
    replay(tmp_path, events, "--alerts", "masked", "--daily", "daily")
    replay(tmp_path, events, "--alerts", "plain", "--reveal")
    masked, plain = (lines(tmp_path / name) for name in ("masked", "plain"))

    assert "account1" not in (tmp_path / "masked").read_text() + (tmp_path / "daily").read_text()
    assert [alert["alert_id"] for alert in masked] == [alert["alert_id"] for alert in plain]
    spray = next(alert for alert in plain if alert["rule"] == "ip_account_spray")
    assert spray["accounts"] == [f"account{n}" for n in range(15)]
    # All else is equal: addresses are evidence and readable in both.
    assert list(map(_without_names, masked)) == list(map(_without_names, plain))
    hit = next(alert for alert in plain if alert["subject"]["type"] == "account")
    assert hit["subject"]["value"].startswith("account")
    assert hit["summary"].startswith("account")


def _without_names(alert: dict[str, Any]) -> dict[str, Any]:
    """All of an alert but the accounts in it."""
    kept = alert | {"accounts": 0}
    return kept | {"subject": 0, "summary": 0} if alert["subject"]["type"] == "account" else kept


def test_pseudonyms_are_those_of_the_key(tmp_path: Path, events: Path) -> None:
    """The key file is made at first use, kept private, and another key gives other names."""
    replay(tmp_path, events, "--alerts", "one")
    replay(tmp_path, events, "--alerts", "two", LOGINWARD_PSEUDONYM_KEY_FILE=str(tmp_path / "k2"))
    one, two = (lines(tmp_path / name)[0]["accounts"] for name in ("one", "two"))

    assert (tmp_path / "pseudonym.key").stat().st_mode & 0o077 == 0
    assert not set(one) & set(two)


def test_since_and_until_cut_the_time(tmp_path: Path, events: Path) -> None:
    """Only what happened from --since on and before --until is judged."""
    ran = replay(
        tmp_path,
        events,
        *("--since", "2026-11-25T14:00:00+08:00", "--until", "2026-11-25T06:30:00Z", "--json"),
    )

    assert json.loads(ran.stdout.splitlines()[-1])["judged"] == 30
    assert {alert["subject"]["value"] for alert in lines(tmp_path / "alerts.jsonl")} == {
        "203.0.113.4"
    }


def test_days_are_those_of_the_time_zone(tmp_path: Path) -> None:
    """An evening in UTC is the next day in Taipei."""
    late = write(tmp_path / "late.jsonl", [login(17 * HOUR, "late")])

    for zone, date in (("UTC", "2026-11-23"), ("Asia/Taipei", "2026-11-24")):
        replay(tmp_path, late, "--daily", "daily.json", "--timezone", zone)
        (day,) = json.loads((tmp_path / "daily.json").read_text())["days"]
        assert (day["date"], day["tz"], day["failures"], day["nil"]) == (date, zone, 1, False)


def test_limits_of_another_file_are_another_version(tmp_path: Path, events: Path) -> None:
    """--rules replaces config/rules.toml: other limits are other versions, and off is off."""
    rules = tmp_path / "my.toml"
    rules.write_text(
        '[ip_fail_burst]\nmode = "live"\n[ip_fail_burst.limits]\nfailures = 3\n'
        '[ip_fail_daily]\nmode = "off"\n[ip_account_spray]\nmode = "off"\n'
    )
    replay(tmp_path, events, "--alerts", "standard")

    ran = replay(tmp_path, events, "--rules", rules)

    assert ran.returncode == 0, ran.stderr
    alerts = lines(tmp_path / "alerts.jsonl")
    assert {alert["rule"] for alert in alerts} == {"ip_fail_burst", "success_after_attack"}
    versions = {alert["rule_version"] for alert in lines(tmp_path / "standard")}
    assert not {a["rule_version"] for a in alerts if a["rule"] == "ip_fail_burst"} & versions


def test_records_that_cannot_be_judged_are_named_and_are_no_error(tmp_path: Path) -> None:
    """Up to twenty by file, line and reason, escaped; the rest as a number; a way out; exit 0."""
    bad = tmp_path / "bad.jsonl"
    hostile = b'{"schema": 1, "event_id": "x", "ip": "\\u001b[31m\\u202e"}\n'
    bad.write_bytes(hostile + b"{\n" * 29)

    ran = replay(tmp_path, bad)

    assert ran.returncode == 0
    told = ran.stderr.splitlines()
    assert len(told) == 22
    assert f"{bad}:1: missing_field" in told[0]
    assert told[-2] == "... and 10 more records that cannot be judged"
    assert told[-1].startswith("none of them is an event: `loginward convert")
    assert "\x1b" not in ran.stderr
    assert "rejected 30" in ran.stdout


@pytest.mark.parametrize(
    ("args", "says"),
    [
        pytest.param(["gone.jsonl"], "gone.jsonl: no such file", id="missing file"),
        pytest.param([".", "--json"], "no such file", id="folder"),
        pytest.param(["events.jsonl", "--timezone", "Asia/Taibei"], "--timezone", id="zone"),
        pytest.param(["events.jsonl", "--timezone", "../../etc/passwd"], "--timezone", id="path"),
        pytest.param(["events.jsonl", "--since", "yesterday"], "--since: 'yesterday'", id="time"),
        pytest.param(["events.jsonl", "--until", "2026-11-23T09:00:00"], "no offset", id="offset"),
        pytest.param(["events.jsonl", "--rules", "gone.toml"], "gone.toml", id="rules"),
        pytest.param(["events.jsonl", "--alerts", "no/such/a.jsonl"], "no/such", id="output"),
        pytest.param([], "Missing argument", id="no file"),
        pytest.param(["events.jsonl", "--nonsense"], "--nonsense", id="option"),
    ],
)
def test_a_wrong_argument_is_told_and_exits_with_2(
    tmp_path: Path, events: Path, args: list[str], says: str
) -> None:
    """The sentence names the option and the value, and no output is made."""
    ran = replay(tmp_path, *args)

    assert ran.returncode == 2, ran.stderr
    assert says in ran.stderr
    assert "Traceback" not in ran.stderr
    assert not (tmp_path / "alerts.jsonl").exists()


def test_alerts_must_be_named(tmp_path: Path, events: Path) -> None:
    """Without --alerts nothing is judged: a replay that writes nothing is a mistake."""
    ran = loginward("replay", str(events), cwd=tmp_path)

    assert ran.returncode == 2
    assert "--alerts" in ran.stderr


def test_it_writes_what_customers_are_told(tmp_path: Path) -> None:
    """One line a login: the takeover `high`, the stopped one `ask`, the ordinary one an entry."""
    attack = series(10, every=5, name="attack", ip="203.0.113.4")
    events = [
        *attack,
        login(60, "hit", ip="203.0.113.4", outcome="success", account="bob"),
        login(61, "stopped", ip="203.0.113.4", reason="mfa_failed", account="carl"),
        login(62, "good", outcome="success", account="dora"),
    ]
    file = write(tmp_path / "events.jsonl", events)

    ran = replay(tmp_path, file, "--verdicts", "verdicts.jsonl")
    revealed = replay(tmp_path, file, "--verdicts", "revealed.jsonl", "--reveal")

    assert (ran.returncode, ran.stderr, revealed.returncode) == (0, "", 0)
    told = lines(tmp_path / "verdicts.jsonl")
    assert [(one["event_id"], one["notice_risk"], one["rules"]) for one in told] == [
        ("hit", "high", ["success_after_attack"]),
        ("stopped", "ask", ["password_known"]),
        ("good", "inbox", []),
    ]
    assert not {one["account"] for one in told} & {"bob", "carl", "dora"}
    accounts = [one["account"] for one in lines(tmp_path / "revealed.jsonl")]
    assert accounts == ["bob", "carl", "dora"]
