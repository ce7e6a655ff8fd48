"""The wheel holds all of ours and only ours, and nobody else holds our names."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from importlib.metadata import packages_distributions, version
from itertools import chain
from pathlib import Path
from zipfile import ZipFile

import pytest

from loginward_cli.home import OUR_PACKAGES

from .checkout import ROOT, copy_checkout, tracked_files

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
EXTRAS: dict[str, list[str]] = PROJECT["optional-dependencies"]
PINS = [*PROJECT["dependencies"], *chain.from_iterable(EXTRAS.values())]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> ZipFile:
    """The wheel, built from a copy: building writes beside the sources."""
    folder = tmp_path_factory.mktemp("wheel")
    copy = copy_checkout(folder / "checkout")
    build = "import sys; from setuptools import build_meta; build_meta.build_wheel(sys.argv[1])"
    subprocess.run(
        [sys.executable, "-c", build, str(folder)],
        cwd=copy,
        check=True,
        capture_output=True,
        timeout=280,
    )
    (built,) = folder.glob("*.whl")
    return ZipFile(built)


def test_every_tracked_file_of_our_packages_is_in_the_wheel(wheel: ZipFile) -> None:
    """Sub-packages, Lua scripts, settings and templates all travel; none is silently missing."""
    assert wheel.filename is not None
    copy = Path(wheel.filename).with_name("checkout")
    wanted = {
        str(file)
        for file in tracked_files()
        if file.parts[0] in OUR_PACKAGES and (copy / file).exists()
    }

    assert wanted - set(wheel.namelist()) == set()


def test_nothing_else_is_in_the_wheel(wheel: ZipFile) -> None:
    """No tests, and no top-level name that is not ours."""
    tops = {name.split("/")[0] for name in wheel.namelist()}

    assert {top for top in tops if not top.endswith(".dist-info")} == set(OUR_PACKAGES)


def test_the_command_is_installed_and_never_uploaded(wheel: ZipFile) -> None:
    """`loginward` starts our main; a classifier keeps the wheel out of public indexes."""
    (entries,) = [name for name in wheel.namelist() if name.endswith("entry_points.txt")]
    (metadata,) = [name for name in wheel.namelist() if name.endswith("METADATA")]

    assert "loginward = loginward_cli.__main__:main" in wheel.read(entries).decode()
    assert "Classifier: Private :: Do Not Upload" in wheel.read(metadata).decode()


@pytest.mark.parametrize("name", [*OUR_PACKAGES, "tests"])
def test_nobody_else_owns_our_names(name: str) -> None:
    """An installer overwrites same names without a word, so none of our pins may bring one."""
    owners = set(packages_distributions().get(name, []))

    assert owners <= {"loginward"}


@pytest.mark.parametrize("pin", PINS)
def test_every_dependency_is_pinned_and_installed_as_pinned(pin: str) -> None:
    """Tests run on exactly the versions that are named."""
    name, exact, wanted = pin.partition("==")

    assert exact, pin
    assert version(name) == wanted


def test_the_list_of_our_packages_is_complete() -> None:
    """Every folder of the root that is a package is one of ours, and checked as one."""
    found = {path.parent.name for path in ROOT.glob("*/__init__.py")}

    assert found - {"tests"} == set(OUR_PACKAGES)


def test_text_files_of_the_wheel_are_utf8(wheel: ZipFile) -> None:
    """A stray byte in a template would only fail on the machine that reads it."""
    for name in wheel.namelist():
        if Path(name).suffix in {".py", ".toml", ".lua", ".json", ".md", ".html"}:
            wheel.read(name).decode("utf-8")
