"""What cannot be done is refused by a sentence with place, value and way out, and exit code 2."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from deploy.embedded.ports import free_port
from detectors.errors import LoginwardError
from loginward_cli.commands.incidents import _read

from .running import loginward


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (
            ("run", "detect", "--workers", "2"),
            "error: --workers 2: goes with `run all`; else start `run detect` once a worker\n",
        ),
        (
            ("soak", "--every", "5mn"),
            "error: --every 5mn: is not a duration; write a whole number and ms, s, m, h or d",
        ),
        (("rules", "show", "nothing"), "is no detection; see `loginward rules list`\n"),
    ],
)
def test_what_makes_no_sense_is_refused_at_once(
    tmp_path: Path, args: tuple[str, ...], said: str
) -> None:
    """Nothing is started, and nothing that was asked for is left out without a word."""
    ran = loginward(*args, cwd=tmp_path, environ={"LOGINWARD_HOME": str(tmp_path / "h")})

    assert ran.returncode == 2
    assert said in ran.stderr


def test_incidents_without_kafka_are_no_fault_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    """A broker that does not answer is told as everywhere else, as bad input: no traceback."""
    nobody = f"127.0.0.1:{free_port()}"
    monkeypatch.setenv("KAFKA_BOOTSTRAP", nobody)

    with pytest.raises(LoginwardError) as told:
        _read(timedelta(milliseconds=200))

    assert str(told.value).startswith(f"kafka.bootstrap: {nobody} (PLAINTEXT): no answer: ")
    assert "set KAFKA_BOOTSTRAP" in str(told.value)
