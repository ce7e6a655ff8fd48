"""`loginward report`: files out, exit codes, two persons, and what is due."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from detectors import wire
from loginward_cli.__main__ import main
from loginward_cli.report import options
from tests.archive.daily.archives import MONDAY, Shelf, at, attempt, steady

NOW = datetime(2026, 11, 24, 1, 0, tzinfo=UTC)
"""Tuesday morning in Taipei: Monday is yesterday."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """How a command ended and what it printed."""

    returncode: int
    stdout: str
    stderr: str

    @property
    def json(self) -> Any:
        """The last line."""
        return json.loads(self.stdout.splitlines()[-1])


class Cli:
    """Runs the command line in this process; `now` is what its clock says."""

    def __init__(self, home: Path, captured: pytest.CaptureFixture[str]) -> None:
        self.home = home
        self.now = NOW
        self._captured = captured
        self.shelf = Shelf(home)
        key = home / "keys" / "pseudonym.key"
        key.write_text(bytes(range(32)).hex())
        key.chmod(0o600)

    @property
    def reports(self) -> Path:
        """Where the records go."""
        return self.home / "reports"

    def __call__(self, *arguments: str) -> Answer:
        """Run `loginward report ARGUMENTS`."""
        return self.run("report", *arguments)

    def run(self, *arguments: str) -> Answer:
        """Run any command."""
        self._captured.readouterr()
        with pytest.raises(SystemExit) as ended:
            main([*arguments])
        said = self._captured.readouterr()
        assert isinstance(ended.value.code, int)
        return Answer(returncode=ended.value.code, stdout=said.out, stderr=said.err)


@pytest.fixture
def cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Cli:
    """Give a command line with an archive of Sunday, Monday and the first logins of Tuesday."""
    monkeypatch.setenv("LOGINWARD_HOME", str(tmp_path))
    made = Cli(tmp_path, capsys)
    monkeypatch.setattr(options, "now", lambda: made.now)
    for day in (MONDAY - timedelta(days=1), MONDAY):
        made.shelf.logins(steady(day))
    made.shelf.logins([attempt(at(MONDAY + timedelta(days=1), "00:10:00"), "next")])
    return made


def test_yesterday_is_written_in_the_usual_language(cli: Cli) -> None:
    """Without options: yesterday, report.language, JSON beside the page, both said."""
    ran = cli("daily")

    assert (ran.returncode, ran.stderr) == (0, "")
    assert sorted(path.name for path in cli.reports.iterdir()) == [
        "2026-11-23.json",
        "2026-11-23.zh-TW.html",
    ]
    assert "trading-web: 20 attempts, 5 failed, 0 on non-customer accounts, 0 alerts" in ran.stdout
    assert "phone-desk: 0 attempts" in ran.stdout


def test_twice_the_same_bytes(cli: Cli, tmp_path: Path) -> None:
    """Tomorrow, elsewhere, in both languages: the same input gives the same files."""
    first = cli("daily", "--day", "2026-11-23", "--language", "all", "--json").json
    cli.now += timedelta(days=1)
    second = cli(
        "daily", "--day", "2026-11-23", "--language", "all", "-o", str(tmp_path / "b"), "--json"
    ).json

    assert [file["sha256"] for file in first["files"]] == [f["sha256"] for f in second["files"]]
    assert len(first["files"]) == 3
    assert (first["complete"], first["whole_day"]) == (True, True)


def test_rows_are_those_of_replay(cli: Cli, tmp_path: Path) -> None:
    """`report daily --json` and `replay --daily` count the same logins alike."""
    events = tmp_path / "events.jsonl"
    events.write_bytes(b"".join(wire.encode(event) + b"\n" for event in steady(MONDAY)))
    out = tmp_path / "daily.json"
    replayed = cli.run(
        "replay", str(events), "--alerts", str(tmp_path / "a.jsonl"), "--daily", str(out)
    )
    assert replayed.returncode == 0

    rows = cli("daily", "--day", "2026-11-23", "--json").json["days"]

    assert rows[:1] == json.loads(out.read_text())["days"]
    assert [row["system"] for row in rows[1:]] == ["trading-app", "dma-gateway", "phone-desk"]


def test_customers_tell_who_is_none(cli: Cli, tmp_path: Path) -> None:
    """With a list of customers, attempts on accounts it does not hold are counted."""
    customers = tmp_path / "customers.csv"
    lines = [f"A{n:09d},C{n},customer" for n in range(15)]
    customers.write_text("\n".join(["account,customer,class", *lines]) + "\n")

    row = cli("daily", "--customers", str(customers), "--json").json["days"][0]

    assert (row["unknown_account_attempts"], row["distinct_unknown_accounts"]) == (5, 5)


def test_a_part_has_a_name_of_its_own(cli: Cli) -> None:
    """One system, or another zone's day, never takes the place of the day's record."""
    one = cli("daily", "--system", "trading-web", "--timezone", "UTC", "--json")

    names = sorted(path.name for path in cli.reports.iterdir())
    assert one.returncode == 0
    assert all(name.startswith("2026-11-23.trading-web-") for name in names)
    assert all(".UTC." in name for name in names)
    assert cli("sign", "--day", "2026-11-23", "--as", "author", "--by", "Lin").returncode == 2


def sign(cli: Cli, role: str, by: str, *more: str) -> Answer:
    """Sign Monday."""
    return cli("sign", "--day", "2026-11-23", "--as", role, "--by", by, *more)


def test_a_day_is_judged_and_reviewed(cli: Cli) -> None:
    """Author, then another person; then nothing is due any more."""
    for day in ("2026-11-22", "2026-11-23"):
        cli("daily", "--day", day)
    for role, by in (("author", "林"), ("reviewer", "陳")):
        for day in ("2026-11-22", "2026-11-23"):
            ran = cli("sign", "--day", day, "--as", role, "--by", by, "--note", "x", "--json")
            assert (ran.returncode, ran.json["by"]) == (0, by)

    cli.now = datetime(2026, 11, 24, 20, tzinfo=UTC)
    listed = cli("list", "--all", "--json")

    assert listed.returncode == 0  # Tuesday, which is yesterday now, is not due yet
    assert [(d["day"], d["status"], d["late"]) for d in listed.json["days"]] == [
        ("2026-11-22", "signed", True),  # Sunday's was due on Monday
        ("2026-11-23", "signed", False),
        ("2026-11-24", "not_produced", False),
    ]


def test_what_is_overdue_is_found(cli: Cli) -> None:
    """Unproduced and unsigned days after the next trading day: listed, exit 1."""
    cli.now = datetime(2026, 11, 23, 15, 59, tzinfo=UTC)
    in_time = cli("list", "--json")
    cli.now = NOW
    cli("daily", "--day", "2026-11-23")
    cli.now = datetime(2026, 11, 24, 17, tzinfo=UTC)
    late = cli("list")

    assert [day["status"] for day in in_time.json["days"]] == ["not_produced"]
    assert (in_time.returncode, in_time.json["overdue"]) == (0, 0)
    assert late.returncode == 1
    assert "2026-11-22  weekend  not_produced  late" in late.stdout
    assert "2026-11-23  trading  unsigned      late" in late.stdout


def test_a_page_changed_after_signing_is_found(cli: Cli) -> None:
    """Exit 1 at once, due or not, with the file named in the JSON."""
    cli("daily", "--day", "2026-11-23")
    sign(cli, "author", "Lin", "--note", "quiet")
    page = cli.reports / "2026-11-23.zh-TW.html"
    page.write_bytes(page.read_bytes().replace(b"trading-web", b"trading-wep", 1))

    listed = cli("list", "--since", "2026-11-23", "--json")

    assert listed.returncode == 1
    [day] = listed.json["days"]
    assert (day["status"], day["changed"]) == ("changed", ["2026-11-23.zh-TW.html"])


def test_a_signed_page_is_not_replaced_unasked(cli: Cli, tmp_path: Path) -> None:
    """A late login changes what the archive says: the signed page stays until --replace."""
    cli("daily", "--day", "2026-11-23")
    sign(cli, "author", "Lin", "--note", "quiet")
    page = cli.reports / "2026-11-23.zh-TW.html"
    signed = page.read_bytes()
    same = cli("daily", "--day", "2026-11-23")
    cli.shelf.logins([attempt(at(MONDAY, "23:00:00"), "late")])

    refused = cli("daily", "--day", "2026-11-23")
    elsewhere = cli("daily", "--day", "2026-11-23", "-o", str(tmp_path / "other"))

    assert same.returncode == 0
    assert refused.returncode == 2
    assert "was signed by 'Lin'" in refused.stderr
    assert page.read_bytes() == signed
    assert elsewhere.returncode == 0
    assert cli("daily", "--day", "2026-11-23", "--replace").returncode == 0
    assert page.read_bytes() != signed
    assert cli("list", "--since", "2026-11-23", "--json").json["days"][0]["status"] == "changed"


def test_who_said_what_is_shown(cli: Cli) -> None:
    """Role, name, time and notes; a changed file is named, exit 1."""
    cli("daily", "--day", "2026-11-23")
    sign(cli, "author", "Lin", "--note", "office NAT, case 7")
    sign(cli, "reviewer", "Chen")

    shown = cli("show", "--day", "2026-11-23")
    (cli.reports / "2026-11-23.json").unlink()
    gone = cli("show", "--day", "2026-11-23", "--json")

    assert shown.returncode == 0
    assert "2026-11-24T01:00:00Z  author  Lin" in shown.stdout
    assert "  all: office NAT, case 7" in shown.stdout
    assert "2026-11-24T01:00:00Z  reviewer  Chen" in shown.stdout
    assert (gone.returncode, gone.json["changed"]) == (1, ["2026-11-23.json"])
    assert "nobody has signed it" in cli("show", "--day", "2026-11-22").stdout


def test_a_folder_that_refuses_is_named(cli: Cli) -> None:
    """A file where the folder should be: the place and the way out, no traceback."""
    cli.reports.write_text("in the way")

    ran = cli("daily")

    assert ran.returncode == 2
    assert str(cli.reports) in ran.stderr
    assert "-o" in ran.stderr


def test_a_broken_chain_is_found(cli: Cli) -> None:
    """A line altered in the chain of signatures: exit 1, file and line named."""
    cli("daily", "--day", "2026-11-23")
    sign(cli, "author", "Lin", "--note", "quiet")
    chain = cli.reports / "signatures.jsonl"
    chain.write_bytes(chain.read_bytes().replace(b"quiet", b"quite"))

    listed = cli("list")

    assert listed.returncode == 1
    assert f"{chain}:1 was altered" in listed.stdout


def test_an_empty_archive_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing archived: nothing is due, and the first day can be named."""
    monkeypatch.setenv("LOGINWARD_HOME", str(tmp_path))
    cli = Cli(tmp_path, capsys)
    monkeypatch.setattr(options, "now", lambda: cli.now)

    bare, named = cli("list"), cli("list", "--since", "2026-11-20", "--json")

    assert bare.returncode == 0
    assert "--since" in bare.stderr
    assert len(named.json["days"]) == 4


@pytest.mark.parametrize(
    ("arguments", "place"),
    [
        (["daily", "--day", "tomorrow"], "--day: 'tomorrow' is no day; write 2026-11-23"),
        (["daily", "--day", "2026-11-25"], "--day: 2026-11-25 lies in the future"),
        (["daily", "--timezone", "Mars/Base"], "--timezone: 'Mars/Base' is no time zone"),
        (["daily", "--system", "nowhere"], "--system: 'nowhere' is neither registered nor heard"),
        (["daily", "--customers", "/nowhere"], "--customers: /nowhere"),
        (
            ["sign", "--day", "2026-11-24", "--as", "author", "--by", "L"],
            "--day: 2026-11-24 is not",
        ),
        (["sign", "--day", "2026-11-20", "--as", "author", "--by", "L"], "report daily --day 2026"),
        (["sign", "--day", "2026-11-23", "--as", "author", "--by", " "], "--by: ' ' is no name"),
        (["sign", "--day", "2026-11-23", "--as", "reviewer", "--by", "L"], "nobody has signed"),
        (["list", "--since", "x"], "--since: 'x' is no day"),
    ],
)
def test_bad_input_is_named(cli: Cli, arguments: list[str], place: str) -> None:
    """Exit 2 with the place, the value and a way out, and no traceback."""
    cli("daily", "--day", "2026-11-23")

    ran = cli(*arguments)

    assert ran.returncode == 2
    assert ran.stderr.startswith("error: ")
    assert place in ran.stderr
    assert "Traceback" not in ran.stderr


def test_completeness_is_proved_and_signed(cli: Cli) -> None:
    """The record says that all adds up, and the archive's key has signed its bytes."""
    ran = cli("completeness", "--day", "2026-11-23", "--no-kafka", "--json")

    assert ran.returncode == 0, ran.stderr
    assert ran.json["record"]["adds_up"]
    name = "2026-11-23.completeness.json"
    cli.shelf.store.keys.public.verify(
        (cli.reports / f"{name}.sig").read_bytes(), (cli.reports / name).read_bytes()
    )


@pytest.mark.parametrize(("failures", "code"), [(5, 0), (6, 1)])
def test_totals_of_a_core_system_are_reconciled(
    cli: Cli, tmp_path: Path, failures: int, code: int
) -> None:
    """Equal totals agree; one failure more than anything explains is a finding."""
    file = tmp_path / "totals.csv"
    file.write_text(f"successes,failures\n15,{failures}\n")
    asked = ("--system", "trading-web", "--day", "2026-11-23", "--file", str(file))

    ran = cli.run("reconcile", *asked)

    assert ran.returncode == code, ran.stderr
    assert ("unexplained" in ran.stdout) is bool(code)
    assert len(list(cli.reports.glob("2026-11-23.reconciliation.*"))) == 2
