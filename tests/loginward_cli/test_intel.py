"""`loginward intel` as an analyst calls it: bulletins in, what holds, and what is on record."""

from __future__ import annotations

import json
import subprocess
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.builders import login
from tests.config.intel.feeds import RED, bundle, stix_indicator
from tests.config.intel.servers import COLLECTION, Server, serving

from .running import loginward
from .test_replay import lines, replay, write


def intel(cwd: Path, *args: str) -> subprocess.CompletedProcess[str]:
    """`loginward intel ARGS` on an installation in `cwd`."""
    return loginward("intel", *args, cwd=cwd, environ={"LOGINWARD_HOME": str(cwd / "home")})


def last(ran: subprocess.CompletedProcess[str]) -> Any:
    """The JSON of the last line."""
    return json.loads(ran.stdout.splitlines()[-1])


def test_a_bulletin_from_import_to_revocation(tmp_path: Path) -> None:
    """What was taken in, left out and unreadable is said; the ledger tells the whole way of it."""
    (tmp_path / "isac.txt").write_text("192.0.2.7\n10.0.0.1\nnonsense\x1b[31m\n")

    taken = intel(tmp_path, "import", "isac.txt", "--by", "amy", "--tlp", "red")

    assert taken.returncode == 1
    assert "B1: isac.txt (text, TLP:RED): 1 indicators in force from" in taken.stdout
    assert "isac.txt:2: 10.0.0.1/32 is private or reserved" in taken.stdout
    assert "isac.txt:3: 'nonsense\\x1b[31m' is no address" in taken.stderr

    gone = intel(tmp_path, "revoke", "B1", "--by", "bob", "--reason", "a branch", "--json")
    assert (gone.returncode, last(gone)["revoked"]) == (0, ["B1"])

    (row,) = last(intel(tmp_path, "ledger", "--json"))["bulletins"]
    assert (row["bulletin"], row["tlp"], row["applied"]) == ("B1", "red", 1)
    assert row["revoked"] is not None
    shown = last(intel(tmp_path, "show", "B1", "--json"))
    assert [(one["what"], one["by"]) for one in shown["history"]] == [
        ("received", "amy"),
        ("revoked", "bob"),
    ]
    assert shown["skipped"] == {"private or reserved": 1}
    (asked,) = last(intel(tmp_path, "show", "192.0.2.0/28", "--json"))["indicators"]
    assert (asked["network"], asked["bulletin"]) == ("192.0.2.7/32", "B1")
    assert "no bulletin ever named it" in intel(tmp_path, "show", "198.51.100.1").stdout


def test_several_files_and_one_of_them_is_none(tmp_path: Path) -> None:
    """The others are taken in; exit 2 names the file; the same again is no second bulletin."""
    (tmp_path / "a.json").write_bytes(bundle(stix_indicator(object_marking_refs=[RED])))
    (tmp_path / "b.csv").write_text("ip,name\n192.0.2.8,x\n")

    ran = intel(tmp_path, "import", "a.json", "none.json", "b.csv", "--by", "amy", "--json")

    assert ran.returncode == 2
    assert "none.json: No such file" in ran.stderr
    told = [(one["bulletin"], one["tlp"], one["new"]) for one in last(ran)["bulletins"]]
    assert told == [("B1", "red", True), ("B2", "amber", True)]
    again = last(intel(tmp_path, "import", "b.csv", "--by", "amy", "--json"))["bulletins"]
    assert [(one["bulletin"], one["new"]) for one in again] == [("B2", False)]


@pytest.mark.parametrize(
    ("args", "told"),
    [
        (("import", "f", "--by", "amy", "--tlp", "purple"), "--tlp: 'purple'"),
        (("import", "f", "--by", "amy", "--map", "x"), "--map: 'x'"),
        (("import", "f", "--by", " "), "--by"),
        (("show", "nothing"), "'nothing' is no address"),
        (("revoke", "B1", "--by", "amy", "--reason", "x"), "B1: no such bulletin"),
        (("list", "--at", "yesterday"), "--at: 'yesterday'"),
    ],
)
def test_a_slip_is_told_with_the_way_out(tmp_path: Path, args: tuple[str, ...], told: str) -> None:
    """Exit 2, one sentence."""
    ran = intel(tmp_path, *args)

    assert ran.returncode == 2
    assert told in ran.stderr


def test_a_list_shows_what_is_in_force_at_a_time(tmp_path: Path) -> None:
    """By address, one JSON object a line for scripts."""
    (tmp_path / "a.txt").write_text("198.51.100.0/24\n192.0.2.7\n")
    intel(tmp_path, "import", "a.txt", "--by", "amy")

    now = intel(tmp_path, "list")
    later = intel(tmp_path, "list", "--at", "2030-01-01T00:00:00Z", "--json")

    assert "0 indicators in force, 2 to come" in now.stdout
    assert later.stdout == ""
    ledger = tmp_path / "home" / "intel" / "ledger.jsonl"
    soon = datetime.fromisoformat(json.loads(ledger.read_text())["at"]) + timedelta(hours=1)
    at = intel(tmp_path, "list", "--json", "--at", soon.isoformat())
    found = [json.loads(line)["network"] for line in at.stdout.splitlines()]
    assert found == ["192.0.2.7/32", "198.51.100.0/24"]


def test_a_replay_judges_by_a_bulletin(tmp_path: Path) -> None:
    """Without --intel nothing is listed; with it a login from its address is of unknown origin."""
    events = write(tmp_path / "events.jsonl", [login(0, "in", outcome="success")])
    (tmp_path / "isac.txt").write_text("192.0.2.7\n")

    assert replay(tmp_path, events).returncode == 0
    assert lines(tmp_path / "alerts.jsonl") == []
    assert replay(tmp_path, events, "--intel", tmp_path / "isac.txt").returncode == 0

    (alert,) = lines(tmp_path / "alerts.jsonl")
    assert (alert["rule"], alert["event_ids"]) == ("unknown_origin_ip", ["in"])
    wrong = replay(tmp_path, events, "--intel", tmp_path / "none.json")
    assert (wrong.returncode, "--intel" in wrong.stderr) == (2, True)


def test_a_collection_is_polled_for_what_is_new(tmp_path: Path) -> None:
    """The first poll takes all, the next what was added since, the third finds nothing."""
    held = [
        ("2026-11-20T00:00:00Z", stix_indicator("[ipv4-addr:value = '192.0.2.7']")),
        ("2026-11-21T00:00:00Z", stix_indicator("[ipv4-addr:value = '192.0.2.8']")),
        ("2026-11-22T00:00:00Z", stix_indicator("[ipv4-addr:value = '192.0.2.9']")),
    ]
    with serving(Server(objects=held)) as server:
        url = f"{server.url}api1/collections/{COLLECTION}/"
        first = last(intel(tmp_path, "import", url, "--by", "cron", "--json"))
        held.append(("2026-11-23T00:00:00Z", stix_indicator("[ipv4-addr:value = '192.0.2.10']")))
        second = last(intel(tmp_path, "import", url, "--by", "cron", "--json"))
        third = intel(tmp_path, "import", url, "--by", "cron")

    assert [one["applied"] for one in first["bulletins"] + second["bulletins"]] == [3, 1]
    assert "nothing new since the last poll" in third.stdout
    rows = last(intel(tmp_path, "ledger", "--json"))["bulletins"]
    assert [(row["source"], row["title"]) for row in rows] == [(url, "F-ISAC")] * 2
