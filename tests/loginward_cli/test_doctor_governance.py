"""The doctor names approvals that are owed and a file of rules that nobody adopted."""

from __future__ import annotations

from pathlib import Path

import pytest

from config.governance.books import configured, folder_of, store
from config.governance.records import Approved
from config.settings import Settings, load
from loginward_cli.doctor.check import Check, Visit
from loginward_cli.doctor.governance import governance
from tests.config.governance.builders import adopted, at, say


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """An installation with a rule book of its own."""
    (tmp_path / "my.toml").write_text("")
    (tmp_path / "other.toml").write_text('[ip_fail_burst]\nmode = "live"\n')
    environ = {"LOGINWARD_HOME": str(tmp_path), "LOGINWARD_FILES_RULES": str(tmp_path / "my.toml")}
    return load(environ=environ)


def told(settings: Settings, minutes: float = 0) -> dict[str, Check]:
    """The checks by code."""
    visit = Visit(settings=settings, now=at(minutes))
    return {check.code: check for check in governance(visit)}


def put(settings: Settings, *, emergency: bool) -> None:
    """Adopt other.toml at NOON; where it is no emergency, approved."""
    folder = folder_of(settings)
    new = store(folder, settings.data_dir / "other.toml")
    say(folder, adopted(new, store(folder, configured(settings)), emergency=emergency))
    if not emergency:
        say(folder, Approved(id="C1", effective=at(1)), "bob")


def test_a_new_installation_is_told_that_nothing_was_adopted(settings: Settings) -> None:
    """A note, nothing to mend."""
    found = told(settings)

    assert (found["rules"].state, found["rules.adopted"].state) == ("ok", "note")


def test_an_overdue_emergency_is_a_finding(settings: Settings) -> None:
    """Within the day a note."""
    put(settings, emergency=True)

    assert told(settings, 10)["rules.owed"].state == "note"
    late = told(settings, 24 * 60 + 1)["rules.owed"]
    assert (late.state, "C1 of alice" in late.message) == ("finding", True)


def test_a_file_that_nobody_adopted_is_a_finding(settings: Settings, tmp_path: Path) -> None:
    """Once governed, files.rules must be what was approved, be empty or be adopted."""
    put(settings, emergency=False)

    found = told(settings)["rules.adopted"]
    assert (found.state, "it judges nobody" in found.message) == ("finding", True)
    (tmp_path / "my.toml").write_bytes((tmp_path / "other.toml").read_bytes())
    assert "rules.adopted" not in told(settings)
    (tmp_path / "my.toml").unlink()
    assert told(settings)["rules.adopted"].state == "finding"


def test_a_file_that_is_wrong_is_a_finding(settings: Settings, tmp_path: Path) -> None:
    """With its line."""
    (tmp_path / "my.toml").write_text("[nonsense]\n")

    found = told(settings)["rules"]

    assert (found.state, "my.toml:1 nonsense" in found.message) == ("finding", True)
