"""The doctor names a damaged ledger, half a login, unreadable lists, and hunts that are owed."""

from __future__ import annotations

from pathlib import Path

import pytest

from config.intel.bulletins import Came, Hand, content_of, receive
from config.intel.reading import read_feed
from config.intel.store import FILE, folder_of
from config.settings import Settings, load
from loginward_cli.doctor.check import Check, Visit
from loginward_cli.doctor.intel import intel
from tests.builders import DAY, time


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """An installation of the test's own."""
    return load(environ={"LOGINWARD_HOME": str(tmp_path)})


def take(settings: Settings) -> None:
    """Import an address at START."""
    came = Came(source="f", content=content_of(b"a"), feed=read_feed(b"192.0.2.7", "f"))
    receive(settings, came, Hand(by="amy", login="root", reason="", now=time(0)))


def told(settings: Settings, at: float = 60) -> dict[str, Check]:
    """The checks by code."""
    return {check.code: check for check in intel(Visit(settings=settings, now=time(at)))}


def test_a_new_installation_has_nothing_to_mend(settings: Settings) -> None:
    """A note that nothing was imported."""
    assert [(one.code, one.state) for one in told(settings).values()] == [("intel", "note")]


def test_what_is_in_force_is_counted_and_a_hunt_is_owed_after_a_day(settings: Settings) -> None:
    """Within the day nobody is reminded."""
    take(settings)

    assert "1 indicators in force of 1 bulletins" in told(settings)["intel"].message
    assert "intel.hunt" not in told(settings, DAY - 1)
    assert told(settings, DAY + 60)["intel.hunt"].state == "note"


def test_a_damaged_ledger_is_a_finding(settings: Settings) -> None:
    """With its line."""
    take(settings)
    file = folder_of(settings) / FILE
    file.write_bytes(file.read_bytes().replace(b'"number":1', b'"number":2'))

    found = told(settings)["intel.ledger"]
    assert (found.state, f"{FILE}:1" in found.message) == ("finding", True)


def test_half_a_login_and_a_missing_folder_are_findings(tmp_path: Path) -> None:
    """Each names its setting."""
    environ = {
        "LOGINWARD_HOME": str(tmp_path),
        "LOGINWARD_INTEL_USERNAME": "firm",
        "LOGINWARD_INTEL_WARNING_LISTS": "gone",
    }
    found = told(load(environ=environ))

    assert found["intel.access"].state == found["intel.warning_lists"].state == "finding"
    assert "intel.host" in found["intel.access"].message
