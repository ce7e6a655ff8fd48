"""`loginward customers`, and replay with customers and places, as a script calls them."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from detectors import wire
from detectors.events import LoginEvent, Origin
from tests.builders import login, series
from tests.stream.mmdb import FLAT_COUNTRY, write

from .running import loginward

LIST = (
    "account,customer,class\nA023456789,C1,customer\n9801-0012345,C1,customer\n"
    "account1,C2,customer\naccount2,C3,closed\nroot,S1,staff\n"
)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A folder with a list of customers."""
    (tmp_path / "customers.csv").write_text(LIST)
    return tmp_path


def run(home: Path, *args: object) -> subprocess.CompletedProcess[str]:
    """`loginward ARGS` with its data in `home`."""
    return loginward(*map(str, args), cwd=home, environ={"LOGINWARD_HOME": str(home / "data")})


def last(ran: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    """The JSON of the last line."""
    assert ran.returncode == 0, ran.stderr
    told: dict[str, Any] = json.loads(ran.stdout.splitlines()[-1])
    return told


def events(path: Path, *told: LoginEvent) -> Path:
    """A file of events."""
    path.write_bytes(b"".join(wire.encode(event) + b"\n" for event in told))
    return path


def test_load_show_and_check(home: Path) -> None:
    """What was loaded is shown; an account is answered by class and pseudonym, never repeated."""
    assert last(run(home, "customers", "show", "--json")) == {"loaded": False}

    made = last(run(home, "customers", "load", "customers.csv", "--json"))

    assert (made["customers"], made["aliases"], made["stale"]) == (2, 5, False)
    assert last(run(home, "customers", "show", "--json")) == made
    one = last(run(home, "customers", "check", "a023456789", "--json"))
    two = last(run(home, "customers", "check", "9801-0012345", "--json"))
    assert one["class"] == two["class"] == "customer"
    assert one["customer"] == two["customer"]
    assert one["pseudonym"] != two["pseudonym"]
    nobody = run(home, "customers", "check", "nobody-here")
    assert ": unknown\n" in nobody.stdout
    assert "nobody-here" not in nobody.stdout + nobody.stderr


def test_for_people_it_is_said_in_words(home: Path) -> None:
    """Counts, version and age; a stale list says so."""
    assert "no directory of customers" in run(home, "customers", "show").stdout
    ran = run(home, "customers", "load", "customers.csv", "--as-of", "2026-01-01T00:00:00+08:00")

    assert ran.returncode == 0, ran.stderr
    assert "2 customers, 5 aliases, version " in ran.stdout
    assert "exported 2025-12-31 16:00 UTC" in ran.stdout
    assert "STALE" in ran.stdout


@pytest.mark.parametrize(
    ("args", "says"),
    [
        pytest.param(["load", "gone.csv"], "gone.csv: no such file", id="missing"),
        pytest.param(["load", "customers.csv", "--column-map", "x=y"], "--column-map", id="map"),
        pytest.param(["load", "customers.csv", "--as-of", "today"], "--as-of: 'today'", id="time"),
        pytest.param(["load", "customers.csv", "--allow-shrink", " "], "say why", id="reason"),
        pytest.param(["load", "bad.csv"], "bad.csv:2 class: is none of", id="bad line"),
        pytest.param(["check", "alice"], "no directory of customers; load one", id="none"),
    ],
)
def test_bad_input_exits_with_2(home: Path, args: list[str], says: str) -> None:
    """The sentence names place and way out; nothing is loaded, no account is shown."""
    (home / "bad.csv").write_text("account,customer,class\nA023456789,C1,vip\n")

    ran = run(home, "customers", *args)

    assert ran.returncode == 2
    assert says in ran.stderr
    assert "A023456789" not in ran.stderr
    assert "Traceback" not in ran.stderr
    assert not (home / "data" / "directory").exists()


def daily(home: Path, file: Path, *args: object) -> dict[str, Any]:
    """The day's counts of a replay."""
    ran = run(home, "replay", file, "--alerts", "a.jsonl", "--daily", "d.json", *args)
    assert ran.returncode == 0, ran.stderr
    (day,) = json.loads((home / "d.json").read_text())["days"]
    counted: dict[str, Any] = day
    return counted


def test_replay_counts_by_the_customers_named(home: Path) -> None:
    """Without a list an unmarked account is not known; with it, in no list is no customer's.

    The list itself, the folder that `load` made and the file in it say the same.
    """
    file = events(
        home / "e.jsonl",
        *series(4, every=60, accounts=4),  # account1: customer, account2: closed
        login(300, "own word", account="account9", account_class="customer"),
        login(301, "none", account=None),
    )
    assert daily(home, file)["unknown_account_attempts"] == 0

    run(home, "customers", "load", "customers.csv")
    folder = home / "data" / "directory"
    (made,) = folder.glob("directory-*")

    for named in ("customers.csv", folder, made):
        day = daily(home, file, "--customers", named)
        assert (day["attempts"], day["unknown_account_attempts"]) == (6, 3), named
        assert day["distinct_unknown_accounts"] == 3


def test_replay_without_lists_is_the_same_whatever_is_loaded(home: Path) -> None:
    """Facts come from the command line alone: an installation's own lists change no byte."""
    file = events(home / "e.jsonl", *series(40, every=5, accounts=20))

    def told() -> tuple[bytes, bytes]:
        run(home, "replay", file, "--alerts", "a.jsonl", "--daily", "d.json")
        return (home / "a.jsonl").read_bytes(), (home / "d.json").read_bytes()

    before = told()
    assert before[0]
    run(home, "customers", "load", "customers.csv")
    (home / "data" / "geo").mkdir()
    write(home / "data" / "geo" / "a.mmdb", FLAT_COUNTRY)

    assert told() == before


def test_replay_takes_geo_as_file_and_folder(home: Path) -> None:
    """Places change no alert of an address, and the same input gives the same bytes."""
    file = events(home / "e.jsonl", *series(40, every=5, accounts=20, origin=Origin(country="TW")))
    geo = home / "geo"
    geo.mkdir()
    path = write(geo / "a.mmdb", FLAT_COUNTRY)

    outputs = []
    for args in ((), ("--geo", geo), ("--geo", path)):
        assert run(home, "replay", file, "--alerts", "a.jsonl", *args).returncode == 0
        outputs.append((home / "a.jsonl").read_bytes())

    assert outputs[0]
    assert outputs == [outputs[0]] * 3


def test_replay_leaves_out_the_proxies_named(home: Path) -> None:
    """A balancer's own address is nobody's: no alert on it, and it is no failing address."""
    file = events(home / "e.jsonl", *series(40, every=5, accounts=20))
    (home / "n.toml").write_text(
        '[[trusted_proxies]]\nsource = "web"\nnetworks = ["192.0.2.7"]\nowner = "Team"\n'
    )
    assert daily(home, file)["failing_ips"] == 1

    day = daily(home, file, "--networks", "n.toml")

    assert (day["failures"], day["failing_ips"], day["alerts"]) == (40, 0, 0)


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (["--customers", "gone"], "--customers: gone: no such file"),
        (["--geo", "gone"], "--geo: gone: no such file"),
        (["--geo", "empty"], "--geo: empty: holds no MMDB file"),
        (["--geo", "customers.csv"], "is no MMDB file"),
        (["--customers", "empty"], "empty: no directory was loaded here"),
        (["--customers", "e.jsonl"], "e.jsonl:1: is not CSV"),
        (["--networks", "gone"], "--networks: gone: no such file"),
    ],
)
def test_what_cannot_tell_facts_exits_with_2(home: Path, args: list[str], says: str) -> None:
    """A file that was named and cannot be used is an error, never "not known"."""
    file = events(home / "e.jsonl", *series(2, every=5))
    (home / "empty").mkdir()

    ran = run(home, "replay", file, "--alerts", "a.jsonl", *args)

    assert ran.returncode == 2
    assert says in ran.stderr
    assert not (home / "a.jsonl").exists()
