"""The doctor says which facts nobody can tell here, and what has grown old."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from config.settings import Settings, load
from loginward_cli.doctor.check import Check, Visit
from loginward_cli.doctor.known import known
from stream.directory import current_file, load_directory
from stream.directory_csv import Export
from stream.keys import load_pseudonyms
from tests.stream.mmdb import FLAT_COUNTRY, write

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """An installation of the test's own."""
    return load(environ={"LOGINWARD_HOME": str(tmp_path)})


def told(settings: Settings, now: datetime = NOW) -> dict[str, Check]:
    """What the doctor says, by code."""
    return {check.code: check for check in known(Visit(settings=settings, now=now))}


def customers(settings: Settings, *lines: str, at: datetime = NOW) -> Path:
    """Load a list exported at `at`; the file in force."""
    path = settings.data_dir / "c.csv"
    path.write_text("\n".join(("account,customer,class", *lines)) + "\n")
    os.utime(path, (at.timestamp(), at.timestamp()))
    load_directory(Export(file=path), settings.directory.folder, load_pseudonyms(settings), now=NOW)
    current = current_file(settings.directory.folder)
    assert current is not None
    return current


def test_a_new_installation_is_told_what_nobody_knows(settings: Settings, tmp_path: Path) -> None:
    """No directory and no geo data are notes: the pipeline runs without. Nothing is written."""
    found = told(settings)

    assert {check.code: check.state for check in found.values()} == {
        "directory": "note",
        "geo": "note",
        "networks": "ok",
        "networks.proxies": "note",
    }
    assert "customers load" in found["directory"].message
    assert "geo fetch" in found["geo"].message
    assert not list(tmp_path.iterdir())


def test_a_directory_in_order_is_counted(settings: Settings) -> None:
    """How many, which version, how old; shared aliases are worth knowing."""
    customers(settings, "a,C1,customer", "b,C1,customer", "b,C2,customer")

    found = told(settings)

    assert found["directory"].state == "ok"
    assert "2 customers, 2 aliases" in found["directory"].message
    assert found["directory.shared"].state == "note"


def test_a_stale_directory_is_found(settings: Settings) -> None:
    """Older than directory.stale_after has to be mended, and how is said."""
    customers(settings, "a,C1,customer", at=NOW - settings.directory.stale_after)
    assert "directory.stale" not in told(settings)

    check = told(settings, NOW + timedelta(seconds=1))["directory.stale"]

    assert check.state == "finding"
    assert "older than 2d" in check.message
    assert "customers load" in check.hint


def test_a_damaged_directory_and_one_of_another_key_are_found(settings: Settings) -> None:
    """Workers cannot use them, so every account is not known: to be mended."""
    path = customers(settings, "a,C1,customer")
    key = settings.keys.pseudonym_key_file
    key.write_text("00" * 32)
    assert told(settings)["directory"].state == "finding"
    assert "pseudonym key" in told(settings)["directory"].message

    key.unlink()
    assert told(settings)["directory"].state == "ok"

    path.write_bytes(path.read_bytes()[:-1])
    assert "damaged" in told(settings)["directory"].message
    assert not key.exists()


def test_geo_files_are_named_with_their_age(settings: Settings) -> None:
    """Old data is a note, a file that cannot be used a finding."""
    settings.geo.folder.mkdir()
    path = write(settings.geo.folder / "a.mmdb", FLAT_COUNTRY, "country ipvAll")
    made = datetime.now(tz=UTC)

    assert told(settings, made)["geo"].state == "ok"
    assert "country ipvAll" in told(settings, made)["geo"].message
    assert told(settings, made + timedelta(days=181))["geo.old"].state == "note"
    path.write_text("no")
    assert told(settings)["geo"].state == "finding"


def test_a_list_of_networks_is_read_and_its_age_told(settings: Settings, tmp_path: Path) -> None:
    """What is wrong in one's own is found by file and line; ours is still counted."""
    own = tmp_path / "n.toml"
    own.write_text("[[trusted]]\n")
    environ = {"LOGINWARD_HOME": str(tmp_path), "LOGINWARD_FILES_NETWORKS": str(own)}

    checks = list(known(Visit(settings=load(environ=environ), now=NOW)))
    by_state = {check.state: check for check in checks if check.code == "networks"}
    assert set(by_state) == {"finding", "ok"}
    assert by_state["finding"].message.startswith(f"{own}:1")
    own.write_text(
        '[[trusted_proxies]]\nsource = "web"\nnetworks = ["192.0.2.7"]\nowner = "Team"\n'
    )
    assert "networks.proxies" not in told(load(environ=environ))
    assert told(settings, NOW + timedelta(days=400))["networks.old"].state == "note"
