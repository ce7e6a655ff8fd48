"""The browser for the page tests: found, installed where that is ours to do, or said to be absent.

apt-get is a script of the test's own: no package of this machine is touched.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from deploy import chromium


def _tool(folder: Path, name: str, script: str) -> None:
    path = folder / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give a PATH with nothing on it, as root."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    return tmp_path


def test_one_that_is_there_is_taken(path: Path) -> None:
    """Where a browser is on PATH nothing is installed."""
    said: list[str] = []
    _tool(path, "chromium", "exit 0")
    _tool(path, "apt-get", f"touch {path}/asked")

    assert chromium.provide(said.append) == path / "chromium"
    assert said == [f"chromium: {path / 'chromium'}"]
    assert not (path / "asked").exists()


def test_root_gets_it_from_debian(path: Path) -> None:
    """As root with apt-get it is installed, and a line says so before and after."""
    said: list[str] = []
    _tool(path, "apt-get", f'[ "$1" = install ] && /bin/cp {path}/apt-get {path}/chromium; exit 0')

    assert chromium.provide(said.append) == path / "chromium"
    assert "installing Debian's" in said[0]


@pytest.mark.parametrize(
    ("user", "script"),
    [
        pytest.param(1000, "exit 0", id="not root"),
        pytest.param(0, "exit 100", id="apt-get fails"),
        pytest.param(0, "exit 0", id="apt-get brings none"),
    ],
)
def test_without_it_the_tests_go_on(
    path: Path, monkeypatch: pytest.MonkeyPatch, user: int, script: str
) -> None:
    """Where there is none the page tests are skipped, and a line says so."""
    said: list[str] = []
    monkeypatch.setattr(os, "geteuid", lambda: user)
    _tool(path, "apt-get", script)

    assert chromium.provide(said.append) is None
    assert "the tests of pages are skipped" in said[-1]
