"""`loginward rules` as an analyst and an auditor call it."""

from __future__ import annotations

import json
import subprocess
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import pytest

from config.governance.exported import as_toml
from config.governance.ledger import FILE
from config.rules import load_rules
from detectors import wire
from detectors.rule import Mode
from detectors.rules import RULES
from tests.archive import builders as archived
from tests.builders import DAY, series

from .running import loginward


def rulebook(failures: int, mode: Mode = "live") -> str:
    """The rule book that comes along, with another limit or mode of the burst rule."""
    ours = load_rules()
    burst = ours.entries["ip_fail_burst"]
    changed = replace(burst, mode=mode, limits=replace(burst.limits, failures=failures))
    return as_toml(replace(ours, entries={**ours.entries, "ip_fail_burst": changed}), "a test's")


def rules(cwd: Path, *args: object) -> subprocess.CompletedProcess[str]:
    """`loginward rules ARGS` in `cwd`, whose home is there."""
    return loginward("rules", *map(str, args), cwd=cwd, environ={"LOGINWARD_HOME": str(cwd / "h")})


def told(cwd: Path, *args: object) -> Any:
    """What it says with --json; it may say that something is found."""
    ran = rules(cwd, *args, "--json")
    assert ran.returncode in {0, 1}, ran.stderr
    return json.loads(ran.stdout.splitlines()[-1])


def burst(cwd: Path, *options: str) -> dict[str, str]:
    """The burst rule's limits."""
    rows = told(cwd, "list", *options)["rules"]
    [limits] = [row["limits"] for row in rows if row["id"] == "ip_fail_burst"]
    return cast("dict[str, str]", limits)


def soon(cwd: Path) -> str:
    """The burst rule's limit a minute from now."""
    at = (datetime.now(tz=UTC) + timedelta(minutes=1)).isoformat()
    return str(burst(cwd, "--at", at)["failures"])


@pytest.fixture
def book(tmp_path: Path) -> Path:
    """A rule book in which seven failures are a burst."""
    path = tmp_path / "my.toml"
    path.write_text(rulebook(7), encoding="utf-8")
    return path


@pytest.fixture
def events(tmp_path: Path) -> Path:
    """Two bursts of twelve and one of eight, on three days."""
    path = tmp_path / "events.jsonl"
    bursts = [
        *series(12, every=2, name="a"),
        *series(8, every=2, start=DAY, name="b", ip="203.0.113.4"),
        *series(12, every=2, start=2 * DAY, name="c", ip="198.51.100.9"),
    ]
    path.write_bytes(b"".join(wire.encode(event) + b"\n" for event in bursts))
    return path


def backdate(cwd: Path, hours: float) -> None:
    """Let the only line of the ledger be so old."""
    path = cwd / "h" / "governance" / FILE
    line = json.loads(path.read_text())
    line["at"] = (datetime.now(tz=UTC) - timedelta(hours=hours)).isoformat()
    path.write_text(json.dumps(line) + "\n")


def test_list_names_every_detection(tmp_path: Path) -> None:
    """Mode, version, owner, limits, checklist item and attack ids; nothing is made by looking."""
    found = told(tmp_path, "list")
    text = rules(tmp_path, "list").stdout

    assert [row["id"] for row in found["rules"]] == [rule.id for rule in RULES]
    first = found["rules"][0]
    assert {*first} >= {"mode", "version", "owner", "limits", "checklist_item", "attack_ids"}
    assert all(row["version"] in text for row in found["rules"])
    assert not (tmp_path / "h").exists()


def test_show_says_all_of_one_in_both_languages(tmp_path: Path) -> None:
    """Limits, reason, known gaps, where the runbook lies, and its meaning in zh-TW and English."""
    text = rules(tmp_path, "show", "ip_fail_burst").stdout
    found = told(tmp_path, "show", "ip_fail_burst")

    for said in ("failures = 10", "window = 2m", "Item 14", "gap ", "ip_fail_burst.md"):
        assert said in text
    assert {"zh-TW", "en"} == set(found["meaning"])
    assert "同一個來源位址" in text
    assert Path(found["runbook"]).is_file()
    wrong = rules(tmp_path, "show", "ip_fail_brust")
    assert (wrong.returncode, "did you mean ip_fail_burst?" in wrong.stderr) == (2, True)


def test_a_change_takes_two_persons(tmp_path: Path, book: Path) -> None:
    """Adopted it judges nobody; approved by another it is in force; the history says all of it."""
    adopted = rules(tmp_path, "adopt", book, "--by", "alice", "--reason", "too many misses")
    assert adopted.returncode == 0, adopted.stderr
    assert "ip_fail_burst.limits.failures: 10 -> 7" in adopted.stdout
    assert burst(tmp_path)["failures"] == "10"

    assert rules(tmp_path, "approve", "C1", "--by", "Alice").returncode == 2
    approved = told(tmp_path, "approve", "C1", "--by", "bob")

    effective = approved["what"]["effective"]
    assert burst(tmp_path, "--at", effective)["failures"] == "7"
    assert burst(tmp_path, "--at", "2026-01-01T00:00:00Z")["failures"] == "10"
    history = rules(tmp_path, "history", "ip_fail_burst").stdout
    for said in ("alice adopted", "too many misses", "failures: 10 -> 7", "bob approved C1"):
        assert said in history
    assert "nothing was decided here about" in rules(tmp_path, "history", "ip_fail_daily").stdout


def test_an_emergency_that_nobody_approves_is_a_finding(tmp_path: Path, book: Path) -> None:
    """In force within seconds; after 24 hours list and doctor name it, list with exit code 1."""
    ran = rules(tmp_path, "adopt", book, "--by", "alice", "--reason", "attack", "--emergency")
    assert ran.returncode == 0, ran.stderr
    assert soon(tmp_path) == "7"
    assert rules(tmp_path, "list").returncode == 0

    backdate(tmp_path, 25)

    late = rules(tmp_path, "list")
    assert late.returncode == 1
    assert "MEND C1 of alice (attack): an emergency change that nobody approved" in late.stdout
    rules(tmp_path, "withdraw", "C1", "--by", "bob", "--reason", "not needed")
    assert soon(tmp_path) == "10"
    assert rules(tmp_path, "list").returncode == 0


def test_a_damaged_ledger_is_a_finding(tmp_path: Path, book: Path) -> None:
    """History and list say the place and exit with 1; nothing more can be decided."""
    rules(tmp_path, "adopt", book, "--by", "alice", "--reason", "x")
    path = tmp_path / "h" / "governance" / FILE
    path.write_text(path.read_text() + "nonsense\n")

    for command in ("list", "history"):
        ran = rules(tmp_path, command)
        assert (ran.returncode, f"MEND {path}:2: " in ran.stdout) == (1, True)
    assert rules(tmp_path, "approve", "C1", "--by", "bob").returncode == 2


def test_mutes_and_allow_list_entries(tmp_path: Path) -> None:
    """Made, listed, approved, taken back; overdue mutes are exit code 1."""
    muted = told(
        tmp_path,
        *("mute", "ip_fail_burst", "203.0.113.7", "--for", "2h", "--by", "alice"),
        *("--reason", "load test, ticket 42"),
    )
    assert muted["id"] == "M1"
    assert "203.0.113.7" in rules(tmp_path, "mutes").stdout
    backdate(tmp_path, 25)
    late = rules(tmp_path, "mutes")
    assert (late.returncode, "OVERDUE" in late.stdout) == (1, True)
    assert rules(tmp_path, "approve", "M1", "--by", "bob").returncode == 0
    assert rules(tmp_path, "mutes").stdout == "none in force; --all shows what was\n"
    assert "ticket 42" in rules(tmp_path, "mutes", "--all").stdout

    until = (datetime.now(tz=UTC) + timedelta(days=9)).isoformat()
    allowed = told(
        tmp_path,
        *("allow", "203.0.113.0/28", "--owner", "IT", "--until", until, "--by", "alice"),
        *("--reason", "annual test"),
    )
    assert allowed["id"] == "A3"
    assert rules(tmp_path, "approve", "A3", "--by", "bob").returncode == 0
    assert told(tmp_path, "allowed")["allowed"][0]["state"] == "in force"
    assert rules(tmp_path, "disallow", "A3", "--by", "bob", "--reason", "over").returncode == 0
    assert told(tmp_path, "allowed")["allowed"] == []


def test_test_judges_a_small_file(tmp_path: Path, events: Path, book: Path) -> None:
    """What fires is printed, by the book in force or another."""
    by_force = rules(tmp_path, "test", "ip_fail_burst", events)
    by_other = told(tmp_path, "test", "ip_fail_burst", events, "--rules", book)

    assert by_force.stdout.splitlines()[-1] == "32 events judged, 2 alerts of ip_fail_burst"
    assert (by_other["judged"], len(by_other["alerts"])) == (32, 3)


def test_diff_names_what_is_gained_and_lost(tmp_path: Path, events: Path, book: Path) -> None:
    """By detection with ids; only alerts that open in the period count, windows full before it."""
    found = told(tmp_path, "diff", "--with", book, events)
    burst = found["rules"]["ip_fail_burst"]
    assert (burst["same"], burst["lost"], found["judged"]) == (2, [], 32)
    (gained,) = burst["gained"]
    assert gained["subject"]["value"] == "203.0.113.4"

    book.write_text(rulebook(13), encoding="utf-8")
    text = rules(tmp_path, "diff", "--with", book, events, "--since", "2026-11-24T00:00:00Z").stdout
    assert [line[:2] for line in text.splitlines() if line.startswith(("+ ", "- "))] == ["- "]
    assert "198.51.100.9" in text
    assert gained["alert_id"] not in text


def test_diff_reads_the_archive(tmp_path: Path, book: Path) -> None:
    """Without files the sealed logins are judged, their accounts decrypted in memory alone."""
    (tmp_path / "h").mkdir()
    where = archived.store(tmp_path / "h")
    bursts = [*series(8, every=2, name="a"), *series(8, every=2, start=DAY, name="b")]
    sealed = [archived.record(n, wire.encode(event)) for n, event in enumerate(bursts)]
    archived.seal(where, sealed)

    found = told(tmp_path, "diff", "--with", book, "--since", "2026-11-24T00:00:00Z")

    (gained,) = found["rules"]["ip_fail_burst"]["gained"]
    assert (gained["opened_at"][:10], found["judged"]) == ("2026-11-24", 16)


def test_diff_of_staging_a_rule_is_another_weight(tmp_path: Path, events: Path, book: Path) -> None:
    """The alerts stay, and page nobody."""
    book.write_text(rulebook(10, "staged"), encoding="utf-8")

    found = told(tmp_path, "diff", "--with", book, events)

    assert len(found["rules"]["ip_fail_burst"]["changed"]) == 2
    assert found["rules"]["ip_fail_burst"]["gained"] == []


def test_an_exported_book_is_a_rule_book(tmp_path: Path, book: Path, events: Path) -> None:
    """What `export` writes can be adopted, judged by and compared; it says the same as in force."""
    rules(tmp_path, "adopt", book, "--by", "alice", "--reason", "x", "--emergency")
    ran = rules(tmp_path, "export", "-o", "all.toml")
    assert ran.returncode == 0, ran.stderr

    found = told(tmp_path, "diff", "--with", "all.toml", events)

    assert all(not r["gained"] + r["lost"] + r["changed"] for r in found["rules"].values())


@pytest.mark.parametrize(
    ("args", "says"),
    [
        pytest.param(["adopt", "gone.toml", "--by", "a", "--reason", "x"], "gone.toml", id="file"),
        pytest.param(["adopt", "my.toml", "--by", " ", "--reason", "x"], "--by", id="nobody"),
        pytest.param(["adopt", "my.toml", "--by", "a"], "--reason", id="no reason"),
        pytest.param(["approve", "C1", "--by", "a"], "C1: no such change", id="no change"),
        pytest.param(["list", "--at", "now"], "--at: 'now'", id="time"),
        pytest.param(["diff", "--with", "my.toml"], "--since", id="archive without since"),
        pytest.param(
            ["diff", "--with", "my.toml", "--since", "2026-11-01T00:00:00Z"],
            "archive.directory",
            id="no archive",
        ),
        pytest.param(["test", "nonsense"], "nonsense: is no detection", id="no detection"),
        pytest.param(["test", "ip_fail_burst", "gone"], "gone: no such file", id="no events"),
        pytest.param(
            ["mute", "ip_fail_burst", "x", "--by", "a", "--reason", "x"], "no subject", id="subject"
        ),
        pytest.param(
            ["mute", "ip_fail_burst", "192.0.2.1", "--for", "9h", "--by", "a", "--reason", "x"],
            "at most 8h",
            id="too long",
        ),
    ],
)
def test_a_wrong_argument_is_told_and_exits_with_2(
    tmp_path: Path, book: Path, args: list[str], says: str
) -> None:
    """The sentence names the value; no line is written."""
    ran = rules(tmp_path, *args)

    assert ran.returncode == 2, ran.stderr
    assert says in ran.stderr
    assert "Traceback" not in ran.stderr
    ledger = tmp_path / "h" / "governance" / FILE
    assert not ledger.exists() or ledger.read_bytes() == b""


def test_adopting_what_is_in_force_is_refused(tmp_path: Path, book: Path) -> None:
    """A change that changes nothing is a mistake."""
    book.write_text("")
    rules(tmp_path, "adopt", book, "--by", "a", "--reason", "x", "--emergency")

    again = rules(tmp_path, "adopt", book, "--by", "a", "--reason", "x")

    assert (again.returncode, "says the same" in again.stderr) == (2, True)


def test_a_meaning_is_told_to_its_end(tmp_path: Path) -> None:
    """Where the first paragraph announces a list, the list comes along."""
    found = told(tmp_path, "show", "asn_attack")
    text = rules(tmp_path, "show", "asn_attack").stdout

    for meaning in found["meaning"].values():
        assert "\n- `severity` high" in meaning
        assert all(f"            {line}\n" in text for line in meaning.splitlines())
