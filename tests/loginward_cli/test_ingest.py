"""`loginward ingest`: what cannot be done is told before anything is sent."""

from __future__ import annotations

from pathlib import Path

import pytest

from .running import loginward

LINE = "2026-11-22T10:00:00Z h sshd[1]: Failed password for root from 198.51.100.7 port 1 ssh2\n"


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["missing.log"], "missing.log: No such file or directory"),
        (["."], "is a folder"),
        (["--follow", "-"], "--follow: takes files"),
        (["--follow", "--year", "2016", "auth.log"], "--follow: takes files"),
        (["--position", "p.json", "auth.log"], "--position: goes with --follow"),
        (["--timezone", "Mars", "auth.log"], "--timezone: 'Mars': no such time zone"),
        (["--system", "", "auth.log"], "--system"),
        (["--year", "1", "auth.log"], "--year: 1"),
        (["--source", "telnet", "auth.log"], "there are jsonl, openssh"),
    ],
)
def test_a_wrong_command_line_is_one_sentence(tmp_path: Path, args: list[str], said: str) -> None:
    """Exit code 2, the option, its value and the way out; Kafka is not even asked."""
    (tmp_path / "auth.log").write_text(LINE)
    environ = {"KAFKA_BOOTSTRAP": "127.0.0.1:1", "LOGINWARD_HOME": str(tmp_path / "home")}
    source = [] if "--source" in args else ["--source", "openssh"]

    told = loginward("ingest", *source, *args, cwd=tmp_path, environ=environ)

    assert told.returncode == 2
    assert said in told.stderr
    assert "Traceback" not in told.stderr
