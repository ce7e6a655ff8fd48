"""The pseudonym key: made once, the same for all, no one else's to read."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from config.settings import Settings, load
from detectors.errors import LoginwardError
from stream.keys import load_pseudonyms
from tests.checkout import ROOT

ACCOUNT = "A123456789"


def _settings(folder: Path) -> Settings:
    return load(environ={"LOGINWARD_HOME": str(folder)})


def test_a_key_is_made_at_the_first_start_and_used_from_then_on(tmp_path: Path) -> None:
    """32 random bytes as one line of hexadecimal digits, for its owner alone."""
    settings = _settings(tmp_path / "new" / "home")

    first = load_pseudonyms(settings).account(ACCOUNT)
    path = settings.keys.pseudonym_key_file

    assert load_pseudonyms(settings).account(ACCOUNT) == first
    assert path.stat().st_mode & 0o777 == 0o600
    assert len(bytes.fromhex(path.read_text())) == 32
    assert [entry.name for entry in path.parent.iterdir()] == [path.name]


def test_two_installations_have_two_keys(tmp_path: Path) -> None:
    """Pseudonyms of one mean nothing in another."""
    names = {load_pseudonyms(_settings(tmp_path / n)).account(ACCOUNT) for n in ("a", "b")}

    assert len(names) == 2


def test_the_file_may_be_named_by_the_environment(tmp_path: Path) -> None:
    """LOGINWARD_PSEUDONYM_KEY_FILE wins over the place below the data folder."""
    named = tmp_path / "elsewhere.key"
    named.write_text("ab" * 32)
    named.chmod(0o600)
    environ = {"LOGINWARD_HOME": str(tmp_path), "LOGINWARD_PSEUDONYM_KEY_FILE": str(named)}

    assert load_pseudonyms(load(environ=environ)).key_id
    assert list(tmp_path.iterdir()) == [named]


def test_processes_that_start_at_once_agree_on_one_key(tmp_path: Path) -> None:
    """Whoever links first wins, and everybody uses that key."""
    program = (
        "import sys; from config.settings import load; from stream.keys import load_pseudonyms; "
        f"sys.stdin.read(); print(load_pseudonyms(load()).account({ACCOUNT!r}))"
    )
    started = [
        subprocess.Popen(
            [sys.executable, "-c", program],
            cwd=ROOT,
            env={"PYTHONPATH": str(ROOT), "LOGINWARD_HOME": str(tmp_path)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(4)
    ]
    for process in started:
        assert process.stdin is not None
        process.stdin.close()
        process.stdin = None

    told = {process.communicate(timeout=60)[0] for process in started}

    assert len(told) == 1
    assert told != {""}


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620])
def test_a_key_that_others_may_read_is_refused(tmp_path: Path, mode: int) -> None:
    """The message says how to mend it."""
    settings = _settings(tmp_path)
    load_pseudonyms(settings)
    settings.keys.pseudonym_key_file.chmod(mode)

    with pytest.raises(LoginwardError, match=r"chmod 600"):
        load_pseudonyms(settings)


@pytest.mark.parametrize("text", ["", "ab" * 31, "ab" * 33, "zz" * 32, "é" * 64, "ab" * 5000])
def test_a_malformed_key_is_refused_and_left_alone(tmp_path: Path, text: str) -> None:
    """A new key would cut the memory of every account, so nothing is replaced silently."""
    settings = _settings(tmp_path)
    path = settings.keys.pseudonym_key_file
    path.parent.mkdir(parents=True)
    path.write_text(text)
    path.chmod(0o600)

    with pytest.raises(LoginwardError, match="hexadecimal digits"):
        load_pseudonyms(settings)
    assert path.read_text() == text


def test_a_key_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    """A folder that cannot be one is named, with the way out."""
    blocked = tmp_path / "file"
    blocked.write_text("")

    with pytest.raises(LoginwardError, match="LOGINWARD_PSEUDONYM_KEY_FILE"):
        load_pseudonyms(_settings(blocked))
