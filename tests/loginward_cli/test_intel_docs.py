"""Whoever types what docs/intel.md shows sees what it says."""

from __future__ import annotations

import json
import re
import shlex
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from config.settings import load
from detectors import alerts, wire
from detectors.events import rfc3339
from tests.archive.builders import ALERTS, record, seal, store
from tests.archive.builders import login as archived
from tests.builders import login
from tests.checkout import ROOT
from tests.config.intel.test_sharing import alert

from .running import loginward

PAGE = (ROOT / "docs" / "intel.md").read_text(encoding="utf-8")
NAMED_FILE = re.compile(r"^`([\w.-]+)`:\n```\w+\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SHELL = re.compile(r"^```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SETTINGS = re.compile(r"^```toml\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """Give the files of the page, an archive with a hit, and an alert of the day."""
    for name, content in NAMED_FILE.findall(PAGE):
        (tmp_path / name).write_text(content, encoding="utf-8")
    (tmp_path / "events.jsonl").write_bytes(wire.encode(login(0, "e")) + b"\n")
    home = tmp_path / ".loginward"
    home.mkdir()
    where = store(home)
    day_ago = datetime.now(tz=UTC).replace(microsecond=0) - timedelta(days=1)
    told = {"occurred_at": rfc3339(day_ago), "ip": "203.0.113.7", "outcome": "success"}
    seal(where, [record(0, archived(0, **told))])
    times = {"opened_at": rfc3339(day_ago), "updated_at": rfc3339(day_ago)}
    seal(where, [record(0, alerts.encode(alert("198.51.100.77", **times)))], ALERTS)
    return tmp_path


def test_what_the_page_shows_can_be_typed(place: Path) -> None:
    """Every command works, in the order of the page, and the ledger has the whole way."""
    lines = [line for block in SHELL.findall(PAGE) for line in block.splitlines()]
    said: dict[str, str] = {}
    for line in lines:
        program, *args = shlex.split(line)
        assert program == "./loginward"
        ran = loginward(*args, cwd=place, environ={"LOGINWARD_HOME": str(place / ".loginward")})
        assert ran.returncode == (args[1] == "hunt"), (line, ran.stderr)
        said[line] = ran.stdout

    told = "".join(said.values())
    assert len(said) == 13
    assert "10.1.2.3/32 is private or reserved" in told
    assert "8.8.8.8/32 is on the warning list public DNS resolvers" in told
    assert re.search(
        r"^B1 +1 +1 +0 +1 ", said[next(line for line in lines if "hunt" in line)], re.MULTILINE
    )
    shared = json.loads((place / "ours.json").read_text())
    assert [one["pattern"] for one in shared["objects"]] == ["[ipv4-addr:value = '198.51.100.77']"]
    assert "198.51.100.77/32" in (place / "ours.csv").read_text()
    history = (place / ".loginward" / "intel" / "ledger.jsonl").read_text().splitlines()
    kinds = [json.loads(line)["what"]["kind"] for line in history]
    assert kinds == ["received"] * 3 + ["revoked"] + ["hunted"] * 3 + ["exported"] * 2


def test_the_settings_of_the_page_are_settings(tmp_path: Path) -> None:
    """Its table is read as written."""
    (shown,) = SETTINGS.findall(PAGE)
    (tmp_path / "my.toml").write_text(shown)

    intel = load(tmp_path / "my.toml", {"LOGINWARD_HOME": str(tmp_path)}).intel

    assert (intel.host, intel.validity) == ("taxii.example", timedelta(days=30))
