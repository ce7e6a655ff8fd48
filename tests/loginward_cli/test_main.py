"""The command line lists what is there, loads what is used, and tells failures in sentences."""

from __future__ import annotations

import importlib.util
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from loginward_cli.home import OUR_PACKAGES, check_home
from loginward_cli.lazy import load
from loginward_cli.table import COMMANDS, module_of, present

from .running import ROOT, loginward

PROBE = '''\
"""A sub-command that only this test has."""

from typing import Annotated

import typer

from detectors.errors import LoginwardError
from loginward_cli.output import done, emit_json, fail, say


def command(what: Annotated[str, typer.Argument()]) -> None:
    """Do what is asked."""
    if what == "expected":
        raise LoginwardError("x.toml:3 a: '\\x1b[31m': write b")
    if what == "input":
        fail("line 7: 'x': write y")
    if what == "file":
        open("/nonexistent/file")
    if what == "findings":
        say("two lines\\nof text")
        emit_json({"n": 1})
        done(findings=True)
    if what == "write":
        open("written", "w").close()
    if what == "bug":
        raise ZeroDivisionError("ours")
'''

ALIASES = {
    "loginward rules withdraw": "loginward rules unmute",
    "loginward rules disallow": "loginward rules unmute",
}
"""One function under several names has one example."""


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A copy of the packages with `demo` replaced by a probe and `doctor` broken at import."""
    root = tmp_path / "checkout"
    for name in OUR_PACKAGES:
        shutil.copytree(
            ROOT / name, root / name, ignore=shutil.ignore_patterns("__pycache__", "data")
        )
    commands = root / "loginward_cli" / "commands"
    (commands / "demo.py").write_text(PROBE)
    (commands / "doctor.py").write_text("raise ImportError('broken on purpose')\n")
    return root


def test_every_listed_module_is_in_the_table_and_the_other_way_round() -> None:
    """A module nobody listed would never be found; one that is missing is simply not shown."""
    folder = ROOT / "loginward_cli" / "commands"
    modules = {path.stem for path in folder.glob("[!_]*.py")}

    assert modules <= {module_of(name).rsplit(".", 1)[1] for name in COMMANDS}
    assert set(present()) == {n for n in COMMANDS if importlib.util.find_spec(module_of(n))}


@pytest.mark.parametrize("name", list(present()))
def test_each_sub_command_loads_and_says_what_it_does(name: str) -> None:
    """Every module that is there has a `command` or an `app`, with help of its own."""
    loaded = load(name)

    assert loaded.name == name
    assert loaded.help or loaded.short_help or hasattr(loaded, "commands")


def leaves(command: Any, path: str) -> Iterator[tuple[str, str]]:
    """Each command that does something, by what is typed, with its help."""
    below = getattr(command, "commands", None)
    if below is None:
        yield path, command.help or ""
        return
    for name, one in below.items():
        if not one.hidden:
            yield from leaves(one, f"{path} {name}")


@pytest.mark.parametrize("name", list(present()))
def test_each_command_has_an_example(name: str) -> None:
    """Its help shows a whole command line that begins as what was asked for."""
    for path, text in leaves(load(name), f"loginward {name}"):
        shown = " ".join(text.split()).partition("Example")[2]

        assert ALIASES.get(path, path) in shown


def test_no_line_of_the_list_is_cut_off(tmp_path: Path) -> None:
    """All of what a command is for can be read on a terminal of 80 columns."""
    listed = loginward("--help", cwd=tmp_path, environ={"COLUMNS": "80"})

    for name, text in present().items():
        assert f"  {name:<9}  {text}\n" in listed.stdout


def test_a_name_near_the_wrong_one_is_told(tmp_path: Path) -> None:
    """A slip of the finger costs one look."""
    ran = loginward("simulat", cwd=tmp_path)

    assert ran.returncode == 2
    assert "No such command 'simulat'. Did you mean 'simulate'?" in ran.stderr


def test_help_lists_without_importing(checkout: Path, tmp_path: Path) -> None:
    """A sub-command that is broken harms neither --help nor its neighbours."""
    answer = loginward("--help", cwd=tmp_path, root=checkout)

    assert answer.returncode == 0, answer.stderr
    assert "doctor" in answer.stdout
    assert COMMANDS["demo"][:40] in answer.stdout


def test_what_is_not_there_is_not_listed(checkout: Path, tmp_path: Path) -> None:
    """A sub-command without a module is neither listed nor run."""
    (checkout / "loginward_cli" / "commands" / "demo.py").unlink()

    listed = loginward("--help", cwd=tmp_path, root=checkout)
    run = loginward("demo", cwd=tmp_path, root=checkout)

    assert "demo" not in listed.stdout
    assert run.returncode == 2
    assert "No such command 'demo'" in run.stderr


@pytest.mark.parametrize(
    ("what", "code", "out", "err"),
    [
        ("nothing", 0, "", ""),
        ("expected", 2, "", "error: x.toml:3 a: '\\x1b[31m': write b\n"),
        ("input", 2, "", "error: line 7: 'x': write y\n"),
        (
            "file",
            2,
            "",
            (
                "error: /nonexistent/file: No such file or directory; name one that is there "
                "(a folder to write into is made first)\n"
            ),
        ),
        ("findings", 1, 'two lines\nof text\n{"n":1}\n', ""),
    ],
)
def test_expected_failures_are_sentences_with_a_code(
    checkout: Path, tmp_path: Path, what: str, code: int, out: str, err: str
) -> None:
    """0 fine, 1 findings, 2 bad input; no traceback, no control character reaches the terminal."""
    answer = loginward("demo", what, cwd=tmp_path, root=checkout)

    assert (answer.returncode, answer.stdout, answer.stderr) == (code, out, err)


def test_what_a_command_writes_is_for_its_user_alone(checkout: Path, tmp_path: Path) -> None:
    """Evidence and keys are never open to others, not even for the moment before a chmod."""
    answer = loginward("demo", "write", cwd=tmp_path, root=checkout)

    assert answer.returncode == 0, answer.stderr
    assert (tmp_path / "written").stat().st_mode & 0o777 == 0o600


def test_our_own_bug_shows_its_traceback(checkout: Path, tmp_path: Path) -> None:
    """A fault of ours is told apart from findings and bad input, and can be reported."""
    answer = loginward("demo", "bug", cwd=tmp_path, root=checkout)

    assert answer.returncode == 70
    assert "ZeroDivisionError: ours" in answer.stderr
    assert answer.stderr.endswith("please report the lines above\n")


def test_wrong_usage_exits_with_2(checkout: Path, tmp_path: Path) -> None:
    """A missing argument and an unknown option are bad input."""
    assert loginward("demo", cwd=tmp_path, root=checkout).returncode == 2
    assert loginward("demo", "--no-such", cwd=tmp_path, root=checkout).returncode == 2


def test_a_strangers_package_is_noticed(checkout: Path, tmp_path: Path) -> None:
    """Where `config` would come from elsewhere nothing runs, and both paths are told."""
    (checkout / "config").rename(tmp_path / "config")

    answer = loginward("--help", cwd=tmp_path, root=checkout)

    assert answer.returncode == 2
    assert f"package config: would come from {tmp_path}, not from {checkout}" in answer.stderr


def test_our_packages_come_from_one_folder() -> None:
    """Here they do."""
    assert check_home() == ROOT
