"""The doctor says where alerts go, what is stuck, and when nobody would be woken."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from config.settings import load
from loginward_cli.doctor.check import Check, Visit
from loginward_cli.doctor.soc import soc
from tests.config.test_roster import ROSTER
from tests.notifier.soc.made import MINUTE, OPENED, START_MS, Clock, item, queue


def asked(folder: Path, after: int = 0, /, **environ: str) -> dict[str, Check]:
    """The answers by code, so many milliseconds after START, with these outputs and roster."""
    said = {f"LOGINWARD_{name.upper()}": value for name, value in environ.items()}
    settings = load(environ={"LOGINWARD_HOME": str(folder), **said})
    now = datetime.fromtimestamp((START_MS + after) / 1000, tz=UTC)
    return {check.code: check for check in soc(Visit(settings=settings, now=now))}


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """Give an installation with a secret, a roster and one alert that waits."""
    (tmp_path / "secret").write_text("s\n")
    (tmp_path / "roster.toml").write_text(
        ROSTER.replace(', "push:chen.token"', "").replace(
            "sms:+886900000001", "webhook:https://pager.example/c"
        )
    )
    (tmp_path / "roster.toml").chmod(0o600)
    waiting = queue(tmp_path / "outputs", Clock(), "webhook", "syslog")
    waiting.put([item(1)])
    waiting.sent("syslog", [item(1)])
    OPENED.pop().close()
    return tmp_path


HOOK = {
    "outputs_webhook_url": "https://siem.example/alerts",
    "outputs_webhook_secret_file": "secret",
}


def test_without_an_output_it_is_only_said(tmp_path: Path) -> None:
    """A trial installation has none."""
    (check,) = asked(tmp_path).values()

    assert (check.code, check.state) == ("outputs", "note")


def test_what_waits_too_long_is_to_be_mended(home: Path) -> None:
    """Not before the time that the settings name."""
    assert asked(home, 4 * MINUTE, **HOOK)["outputs.webhook"].state == "ok"
    late = asked(home, 6 * MINUTE, **HOOK)

    assert late["outputs.webhook"].state == "finding"
    assert "1 alerts wait, the oldest for 6 min" in late["outputs.webhook"].message
    assert late["outputs.syslog"].state == "ok"


def test_a_secret_that_cannot_be_read_is_named(home: Path) -> None:
    """Before the night on which the service would not start."""
    (home / "secret").unlink()

    assert "outputs.webhook_secret_file" in asked(home, **HOOK)["outputs"].message


def test_a_roster_with_holes_or_for_all_to_read_is_to_be_mended(home: Path) -> None:
    """From Friday evening to Sunday evening nobody is there; numbers are for us alone."""
    found = asked(home, **HOOK, roster_file="roster.toml")
    assert found["roster.analyst"].state == "finding"
    assert "nobody from Fri 20:00 to Sun 20:00" in found["roster.analyst"].message
    assert "roster.file" not in found

    (home / "roster.toml").chmod(0o644)
    assert asked(home, **HOOK, roster_file="roster.toml")["roster.file"].state == "finding"


def test_a_channel_that_nothing_serves_is_to_be_mended(home: Path) -> None:
    """SMS without an account would be found out on the night it is needed."""
    (home / "roster.toml").write_text(ROSTER)

    told = asked(home, **HOOK, roster_file="roster.toml")["roster"]
    assert told.state == "finding"
    assert "chen is to be told by sms, but roster.twilio_account is empty" in told.message
