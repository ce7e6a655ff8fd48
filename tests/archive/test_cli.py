"""`loginward archive`: what a person and a script get to see."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import dataclass
from pathlib import Path

import pytest

from archive import show
from detectors.pseudonyms import Pseudonyms
from loginward_cli.__main__ import main

from .builders import PART, login, logins, record, seal, store


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """How a command ended and what it printed."""

    returncode: int
    stdout: str
    stderr: str


class Cli:
    """Runs `loginward archive` in this process, on an archive in `home`."""

    def __init__(self, home: Path, captured: pytest.CaptureFixture[str]) -> None:
        self.store = store(home)
        key = home / "keys" / "pseudonym.key"
        key.write_text(bytes(range(32)).hex())
        key.chmod(0o600)
        self._captured = captured

    def __call__(self, *arguments: str) -> Answer:
        """Run it with these arguments."""
        self._captured.readouterr()
        with pytest.raises(SystemExit) as ended:
            main(["archive", *arguments])
        said = self._captured.readouterr()
        assert isinstance(ended.value.code, int)
        return Answer(returncode=ended.value.code, stdout=said.out, stderr=said.err)


@pytest.fixture
def cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Cli:
    """Give a command line with an archive of 60 logins and one hostile record."""
    monkeypatch.setenv("LOGINWARD_HOME", str(tmp_path))
    made = Cli(tmp_path, capsys)
    seal(made.store, logins(0, 60))
    hostile = login(60, user_agent="=cmd|' /C calc'!A0", account="\x1b[31m\u202e", event_id="@x\ny")
    seal(made.store, [record(60, hostile)])
    return made


def test_verify_says_all_is_well(cli: Cli) -> None:
    """A clean archive: exit 0, and the last line of --json holds the counts."""
    plain, machine = cli("verify"), cli("verify", "--json")

    assert plain.returncode == 0
    assert "61 records" in plain.stdout
    assert machine.returncode == 0
    report = json.loads(machine.stdout.splitlines()[-1])
    assert (report["records"], report["findings"]) == (61, [])


def test_verify_names_the_place(cli: Cli) -> None:
    """A dropped seal: exit 1, the file named on a line of its own and in the JSON."""
    (PART.folder(cli.store.root) / f"{0:020d}.seal").unlink()

    run = cli("verify", "--json")

    assert run.returncode == 1
    name = f"{PART.topic}/{PART.topic_id}/0/{0:020d}.seal"
    assert f"{name}: missing_segment: expected offsets 0 to 59" in run.stdout
    assert name in {one["path"] for one in json.loads(run.stdout.splitlines()[-1])["findings"]}


def test_a_table_for_a_person(cli: Cli) -> None:
    """Pseudonyms instead of accounts, one line a login, nothing that moves a cursor."""
    run = cli("query", "--since", "2026-11-22T20:00:58+08:00")

    lines = run.stdout.splitlines()
    assert run.returncode == 0
    assert len(lines) == 4
    assert lines[0].split()[:2] == ["occurred_at", "system"]
    assert Pseudonyms(bytes(range(32))).account("\x1b[31m\u202e") in run.stdout
    assert run.stdout.replace("\n", "").isprintable()


def test_reveal_shows_the_account_escaped(cli: Cli) -> None:
    """As typed, but as text: a hostile account drives no terminal."""
    run = cli("query", "--since", "2026-11-22T12:01:00Z", "--reveal")

    assert "\\x1b[31m\\u202e" in run.stdout
    assert run.stdout.replace("\n", "").isprintable()


def test_json_lines_are_ascii_and_whole(cli: Cli) -> None:
    """One object a login; hostile text comes back equal after parsing."""
    run = cli("query", "--since", "2026-11-22T12:01:00Z", "--reveal", "--json")

    assert run.stdout.isascii()
    [row] = [json.loads(line) for line in run.stdout.splitlines()]
    assert row["account"] == "\x1b[31m\u202e"
    assert row["event_id"] == "@x\ny"


def test_csv_is_safe_in_a_spreadsheet(cli: Cli) -> None:
    """No cell begins as a formula; the header names every column."""
    run = cli("query", "--csv")

    rows = list(csv.DictReader(io.StringIO(run.stdout)))
    assert len(rows) == 61
    assert rows[-1]["user_agent"] == "'=cmd|' /C calc'!A0"
    assert rows[-1]["event_id"] == "'@x\\ny"
    assert not any(cell.startswith(show.FORMULA) for row in rows for cell in row.values())


def test_an_account_is_asked_as_typed(cli: Cli) -> None:
    """The command turns what was typed into the pseudonym itself."""
    run = cli("query", "--account", "A000000024", "--json", "--ip", "203.0.113.0/24")

    rows = [json.loads(line) for line in run.stdout.splitlines()]
    assert rows
    assert {row["account"] for row in rows} == {Pseudonyms(bytes(range(32))).account("A000000024")}


def test_a_limit_that_was_reached_is_said(cli: Cli) -> None:
    """An answer that may be incomplete says so, beside the result."""
    run = cli("query", "--limit", "2", "--json")

    assert len(run.stdout.splitlines()) == 2
    assert "there may be more" in run.stderr


@pytest.mark.parametrize(
    ("arguments", "place"),
    [
        (["--ip", "not-an-address"], "--ip: 'not-an-address'"),
        (["--since", "yesterday"], "--since: 'yesterday'"),
        (["--until", "2026-11-22T09:00:00"], "--until: '2026-11-22T09:00:00' has no offset"),
        (["--json", "--csv"], "--json and --csv"),
        (["--directory", "/nowhere"], "archive.directory: /nowhere"),
    ],
)
def test_bad_input_is_named(cli: Cli, arguments: list[str], place: str) -> None:
    """Exit 2 with the place, the value and a way out, and no traceback."""
    run = cli("query", *arguments)

    assert run.returncode == 2
    assert run.stderr.startswith(f"error: {place}")
    assert "Traceback" not in run.stderr


def test_a_folder_that_is_no_archive_proves_nothing(cli: Cli, tmp_path: Path) -> None:
    """A wrong name is neither "no such login" nor "all is well"; an empty archive says so."""
    other = tmp_path / "other"
    other.mkdir()

    for command in ("query", "verify"):
        run = cli(command, "--directory", str(other))
        assert run.returncode == 2
        assert run.stderr == (
            f"error: --directory {other}: holds no archive; name the folder that holds "
            "heads.jsonl\n"
        )
    (other / "heads.jsonl").touch()
    run = cli("verify", "--directory", str(other))
    assert run.returncode == 0
    assert "nothing was sealed here, so nothing is proven" in run.stderr


def test_what_was_taken_away_whole_is_found_by_a_copy_of_the_heads(
    cli: Cli, tmp_path: Path
) -> None:
    """An empty folder is refused for its name, but not where the heads say what it held."""
    emptied = tmp_path / "emptied"
    emptied.mkdir()

    run = cli(
        "verify", "--directory", str(emptied), "--heads", str(tmp_path / "archive" / "heads.jsonl")
    )

    assert run.returncode == 1
    assert "seal: truncated: expected seal" in run.stdout
