"""`loginward convert`: files in, events out, every line accounted for."""

from __future__ import annotations

import base64
import gzip
import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.checkout import ROOT

from .running import loginward

LINE = "Nov 22 10:00:0{n} h sshd[{n}]: Failed password for u{n} from 198.51.100.7 port 1 ssh2\n"
LOG = "".join(LINE.format(n=n) for n in range(1, 6))
INVALID = "Nov 22 10:00:06 h sshd[6]: Invalid user bob from 198.51.100.8 port 2\n"
BYE = "Nov 22 10:00:09 h sshd[6]: Connection closed by 198.51.100.8 port 2 [preauth]\n"


class Told:
    """What one run of `convert` said and wrote."""

    def __init__(self, folder: Path, *args: str, source: str = "openssh") -> None:
        year = ["--year", "2026"] if source == "openssh" and "--year" not in args else []
        done = loginward(
            *("convert", "--source", source, "-o", "out.jsonl", "--json", *year, *args),
            cwd=folder,
            environ={"LOGINWARD_HOME": str(folder / "home")},
        )
        self.exit, self.err, self.out = done.returncode, done.stderr, done.stdout
        self.counts: dict[str, Any] = json.loads(done.stdout) if done.stdout else {}
        self.events = _rows(folder / "out.jsonl")
        self.rejects = _rows(folder / "out.jsonl.rejects.jsonl")
        self.accounts = [event["account"] for event in self.events]


def _rows(path: Path) -> list[dict[str, Any]]:
    return list(map(json.loads, path.read_bytes().splitlines())) if path.exists() else []


def test_a_log_becomes_events_in_the_order_of_its_lines(tmp_path: Path) -> None:
    """A held line keeps its place; received_at is occurred_at; nothing private lies about."""
    (tmp_path / "a.log").write_text(INVALID + LOG + BYE)

    told = Told(tmp_path, "a.log")

    assert (told.exit, told.accounts) == (0, ["bob", "u1", "u2", "u3", "u4", "u5"])
    assert all(event["received_at"] == event["occurred_at"] for event in told.events)
    assert told.counts == {
        "source": "openssh",
        "system": "openssh",
        "lines": 7,
        "events": 6,
        "no_login": 1,
        "same_attempt": 0,
        "unparsable": 0,
        "rejects": None,
    }
    assert (tmp_path / "out.jsonl").stat().st_mode & 0o777 == 0o600


def test_two_runs_give_the_same_bytes(tmp_path: Path) -> None:
    """Same log, same key: same file."""
    (tmp_path / "a.log").write_text(LOG)
    Told(tmp_path, "a.log")
    first = (tmp_path / "out.jsonl").read_bytes()

    Told(tmp_path, "a.log")

    assert (tmp_path / "out.jsonl").read_bytes() == first
    assert first.count(b"\n") == 5


def test_several_files_gzip_and_stdin(tmp_path: Path) -> None:
    """In the order given, compressed or not; an unregistered system is a system."""
    (tmp_path / "a.log").write_text(LINE.format(n=1))
    (tmp_path / "b.log.gz").write_bytes(gzip.compress(LINE.format(n=2).encode()))

    told = Told(tmp_path, "b.log.gz", "a.log", "-", "--system", "bastion")

    assert told.accounts == ["u2", "u1"]
    assert {event["system"] for event in told.events} == {"bastion"}


def test_a_truncated_gzip_file_is_bad_input_and_what_was_read_is_kept(tmp_path: Path) -> None:
    """Exit code 2 with the place; the events before the damage are there."""
    lines = "".join(
        f"Nov 22 10:{n // 60 % 60:02}:{n % 60:02} h sshd[{n}]: Failed password for u{n * 7919} "
        f"from 198.51.{n % 256}.{n % 199} port {n} ssh2\n"
        for n in range(3000)
    )
    (tmp_path / "a.log.gz").write_bytes(gzip.compress(lines.encode())[:-5000])

    told = Told(tmp_path, "a.log.gz")

    assert told.exit == 2
    assert f"a.log.gz: after line {told.counts['lines']}: the gzip data" in told.err
    assert 500 < len(told.events) == told.counts["events"] < 3000


def test_unparsable_lines_are_named_counted_and_kept(tmp_path: Path) -> None:
    """Named on stderr up to a bound and escaped, kept byte for byte, and no error."""
    bad = [b"no syslog \x1b[2J\x00\xff", *[f"bad {n}".encode() for n in range(20)]]
    (tmp_path / "a.log").write_bytes(b"\n".join(bad) + b"\n" + LOG.encode())

    told = Told(tmp_path, "a.log")

    assert (told.exit, told.counts["unparsable"], len(told.events)) == (0, 21, 5)
    assert "a.log:1: unparsable_line: no syslog line" in told.err
    assert "a.log: ... and 11 more unparsable lines" in told.err
    assert "\x1b" not in told.err
    assert [base64.b64decode(row["bytes"]) for row in told.rejects] == bad
    assert (told.rejects[0]["line"], told.rejects[0]["reason"]) == (1, "unparsable_line")


def test_rejects_of_an_earlier_run_do_not_stay(tmp_path: Path) -> None:
    """The rejects beside an output are those of the run that wrote it."""
    (tmp_path / "a.log").write_text("bad\n" + LOG)
    (tmp_path / "b.log").write_text(LOG)
    assert Told(tmp_path, "a.log").rejects

    assert Told(tmp_path, "b.log").rejects == []


def test_a_named_rejects_file_is_made_even_if_empty(tmp_path: Path) -> None:
    """Every output that was named is there."""
    (tmp_path / "a.log").write_text(LOG)

    Told(tmp_path, "a.log", "--rejects", "r.jsonl")

    assert (tmp_path / "r.jsonl").read_bytes() == b""


def test_a_10_mb_line_is_a_reject_with_its_hash(tmp_path: Path) -> None:
    """Its first 64 KiB, its length, its SHA-256; the lines around it are read."""
    (tmp_path / "a.log").write_bytes(LOG.encode() + b"y" * 10_000_000 + b"\n" + BYE.encode())

    told = Told(tmp_path, "a.log")

    (row,) = told.rejects
    assert (told.exit, len(told.events), row["reason"]) == (0, 5, "too_large")
    assert (row["length"], len(base64.b64decode(row["bytes"]))) == (10_000_000, 65536)


def test_nothing_that_fits_is_bad_input(tmp_path: Path) -> None:
    """A file of another kind is told with the way out; outputs are there all the same."""
    (tmp_path / "a.log").write_text('{"ts": 1}\n' * 3)

    told = Told(tmp_path, "a.log")

    assert (told.exit, told.events, len(told.rejects)) == (2, [], 3)
    assert "none of 3 lines fits the source openssh; name another --source" in told.err


@pytest.mark.parametrize("content", ["", "\n\n", "Nov 22 10:00:00 h cron[1]: job\n"])
def test_a_log_without_logins_is_no_error(tmp_path: Path, content: str) -> None:
    """A quiet log gives an empty file and exit code 0."""
    (tmp_path / "a.log").write_text(content)

    told = Told(tmp_path, "a.log")

    assert (told.exit, told.events) == (0, [])
    assert (tmp_path / "out.jsonl").exists()


def test_a_missing_file_leaves_nothing_half_done(tmp_path: Path) -> None:
    """All inputs are opened before the first is converted."""
    (tmp_path / "a.log").write_text(LOG)

    told = Told(tmp_path, "a.log", "b.log")

    assert told.exit == 2
    assert "b.log: No such file or directory" in told.err
    assert not (tmp_path / "out.jsonl").exists()


def test_json_lines_with_secrets_and_wrong_types(tmp_path: Path) -> None:
    """A password in a record loses its value; a wrong type and a missing field are named."""
    good = {"ts": "2026-11-22T10:00:00Z", "user": "a", "ip": "::ffff:192.0.2.1"}
    rows: list[object] = [
        good | {"outcome": "failure", "password": "hunter2"},
        good | {"outcome": 5},
        good,
        good | {"outcome": "success", "ts": "2099-01-01T00:00:00Z"},
        good | {"outcome": "success", "ts": "1970-01-01T00:00:00Z"},
    ]
    (tmp_path / "a.jsonl").write_text("\n".join(map(json.dumps, rows)))

    told = Told(tmp_path, "a.jsonl", source="jsonl")

    assert [event["occurred_at"][:4] for event in told.events] == ["2026", "2099", "1970"]
    assert told.events[0]["password"] == "removed:7"
    assert told.events[0]["ip"] == "192.0.2.1"
    assert [row["reason"] for row in told.rejects] == ["wrong_type", "missing_field"]
    assert "hunter2" not in (tmp_path / "out.jsonl").read_text() + told.err


def test_the_year_follows_the_files_date(tmp_path: Path) -> None:
    """Without --year a line is of the newest year that is not after the file's last change."""
    first, second = LINE.format(n=1), LINE.format(n=2)
    (tmp_path / "a.log").write_text("Dec 31" + first[6:] + "Jan  1" + second[6:])
    os.utime(tmp_path / "a.log", (1_704_153_600, 1_704_153_600))  # 2 January 2024

    loginward(
        *("convert", "--source", "openssh", "a.log", "-o", "out.jsonl"),
        cwd=tmp_path,
        environ={"LOGINWARD_HOME": str(tmp_path / "home")},
    )

    assert [row["occurred_at"][:10] for row in _rows(tmp_path / "out.jsonl")] == [
        "2023-12-31",
        "2024-01-01",
    ]


def test_events_may_go_to_stdout(tmp_path: Path) -> None:
    """Then the counts go to stderr, and a pipe gets events alone."""
    (tmp_path / "a.log").write_text(LOG)

    done = loginward(
        *("convert", "--source", "openssh", "--year", "2026", "--json", "a.log"),
        cwd=tmp_path,
        environ={"LOGINWARD_HOME": str(tmp_path / "home")},
    )

    assert [json.loads(line)["account"] for line in done.stdout.splitlines()] == [
        f"u{n}" for n in range(1, 6)
    ]
    assert json.loads(done.stderr)["events"] == 5


@pytest.mark.parametrize(
    ("what", "said"),
    [
        ("1", "no event of its own: line 2 decides the same attempt"),
        ("2", "failure at 2026-11-22T10:00:07Z, account 'bob', ip 198.51.100.8"),
        ("3", "no event: not a decision of a login"),
        ("4", "held back until it was clear"),
        ("6", "cannot be read (unparsable_line)"),
        (LINE.format(n=7).strip(), "account 'u7'"),
        ("x\x1b[2J", "\\x1b"),
    ],
)
def test_explain_tells_what_became_of_a_line(tmp_path: Path, what: str, said: str) -> None:
    """By number in its file, with what other lines did to it; or by its text alone."""
    failed = INVALID.replace(":06", ":07").replace(
        "Invalid user bob from", "Failed password for invalid user bob from"
    )
    other = INVALID.replace("sshd[6]", "sshd[9]")
    (tmp_path / "a.log").write_text(INVALID + failed + BYE + other + BYE + "bad\n")
    files = ["a.log"] if what.isdigit() else []

    done = loginward(
        *("convert", "--source", "openssh", "--year", "2026", *files, "--explain", what),
        cwd=tmp_path,
        environ={"LOGINWARD_HOME": str(tmp_path / "home")},
    )

    assert done.returncode == 0
    assert said in done.stdout
    assert "\x1b" not in done.stdout


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["--source", "openssh"], "no input"),
        (["--source", "telnet", "a.log"], "there are jsonl, openssh"),
        (["--source", "openssh", "--explain", "99", "a.log"], "has fewer lines"),
        (["--source", "openssh", "--explain", "1"], "name the one file"),
        (["--source", "openssh", "--timezone", "../etc", "a.log"], "no such time zone"),
        (["--source", "openssh", "."], "is a folder"),
    ],
)
def test_a_wrong_command_line_is_one_sentence(tmp_path: Path, args: list[str], said: str) -> None:
    """Exit code 2 and a way out, never a traceback."""
    (tmp_path / "a.log").write_text(LOG)

    done = loginward(
        "convert", *args, cwd=tmp_path, environ={"LOGINWARD_HOME": str(tmp_path / "home")}
    )

    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("raw", "year", "events"),
    [
        ("loghub/raw/OpenSSH_OpenSSH_2k.log", "2016", 533),
        ("drillworkshop-auth/raw/auth.log", "2014", 1489),
    ],
)
def test_public_logs_convert_to_the_number_of_attempts_counted_in_them(
    tmp_path: Path, raw: str, year: str, events: int
) -> None:
    """The whole command on a real log (content: tests/stream/sources/test_data_sets.py)."""
    log = ROOT.parent / "shared" / "data" / raw
    if not log.is_file():
        pytest.skip(f"public data set not beside this checkout: ../shared/data/{raw}")
    shutil.copy(log, tmp_path / "a.log")

    told = Told(tmp_path, "a.log", "--year", year)

    assert (told.exit, len(told.events)) == (0, events)
