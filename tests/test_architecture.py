"""The arrows between folders point inward, the core stays pure, and importing does nothing."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from loginward_cli.home import OUR_PACKAGES

from .checkout import ROOT, copy_checkout

PURE = {
    "__future__", "abc", "array", "base64", "binascii", "bisect", "collections", "contextlib",
    "copy", "dataclasses", "datetime", "decimal", "enum", "fractions", "functools", "hashlib",
    "heapq", "hmac", "ipaddress", "itertools", "json", "math", "msgspec", "operator", "re",
    "statistics", "string", "struct", "textwrap", "types", "typing", "unicodedata", "zlib",
    "zoneinfo",
}  # fmt: skip
"""What the core may import: nothing of it reads a clock, a file, a socket or an environment."""

FINDS_ITS_FILES = {"detectors/rules/__init__.py": {"importlib", "pkgutil"}}
"""The one place of the core that looks for modules: its own, as any import does."""

CLOCKS = {"now", "utcnow", "today"}

WRONG_IMPORTS = {
    "detectors/a.py": ("import redis", "detectors are pure"),
    "detectors/b.py": ("import time", "detectors are pure"),
    "detectors/c.py": ("import config.settings", "the core never sees the shell"),
    "archive/d.py": ("import notifier", "the core never sees the shell"),
    "stream/e.py": ("import console", "the core never sees the shell"),
    "console/f.py": ("import loginward_cli", "the core never sees the shell"),
    "deploy/g.py": ("import detectors", "deploy knows the configuration"),
    "loadtest/h.py": ("import stream", "loadtest meets the pipeline only"),
    "loadtest/i.py": ("import detectors.rules", "loadtest does not know the rules"),
    "stream/j.py": ("import deploy", "what runs does not know how it was started"),
}
"""File, its wrong import, and the contract of pyproject.toml that must notice it."""

IMPORT_ALL = """
import importlib, pkgutil, sys

seen = []

def watch(event, arguments):
    if event in {"socket.connect", "socket.bind", "subprocess.Popen", "os.mkdir", "os.fork"}:
        seen.append((event, str(arguments)[:200]))
    if event == "open" and isinstance(arguments[1], str) and set("wax+") & set(arguments[1]):
        seen.append((event, str(arguments[0])))

names = []
for package in sys.argv[1:]:
    names.append(package)
    for module in pkgutil.walk_packages([package], package + "."):
        if not module.name.endswith("__main__"):
            names.append(module.name)
sys.addaudithook(watch)
before = dict(__import__("os").environ)
for name in names:
    importlib.import_module(name)
    if seen:
        sys.exit(f"importing {name} did {seen}")
if before != dict(__import__("os").environ):
    sys.exit("importing changed the environment")
print(len(names))
"""


def _lint_imports(folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"],
        cwd=folder,
        env={"PYTHONPATH": str(folder), "COLUMNS": "200"},
        capture_output=True,
        text=True,
        check=False,
        timeout=280,
    )


def test_the_arrows_hold() -> None:
    """Every contract of pyproject.toml is kept."""
    answer = _lint_imports(ROOT)

    assert answer.returncode == 0, answer.stdout


def test_each_contract_notices_a_wrong_arrow(tmp_path: Path) -> None:
    """In a copy with wrong imports planted, each of them is named under its contract."""
    copy = copy_checkout(tmp_path / "copy")
    for path, (line, _) in WRONG_IMPORTS.items():
        (copy / path).write_text(f'"""Planted."""\n\n{line}\n')

    told = _lint_imports(copy)

    broken = [line for line in told.stdout.splitlines() if line.endswith(" BROKEN")]
    assert told.returncode != 0
    for path, (line, contract) in WRONG_IMPORTS.items():
        module = path.removesuffix(".py").replace("/", ".")
        assert any(entry.startswith(contract) for entry in broken), contract
        assert f"{module} -> {line.removeprefix('import ')}" in told.stdout, told.stdout


def _imported(tree: ast.AST) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        if isinstance(node, ast.ImportFrom) and node.level == 0 and node.module is not None:
            found.add(node.module.split(".")[0])
    return found


def _clock_calls(tree: ast.AST) -> list[int]:
    return [
        node.lineno
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in CLOCKS
    ]


@pytest.mark.parametrize(
    "path", sorted((ROOT / "detectors").rglob("*.py")), ids=lambda path: str(path.relative_to(ROOT))
)
def test_the_core_imports_only_what_is_pure_and_reads_no_clock(path: Path) -> None:
    """An allow-list, since a list of what is forbidden is never complete."""
    tree = ast.parse(path.read_text())

    besides = FINDS_ITS_FILES.get(str(path.relative_to(ROOT)), set())
    assert _imported(tree) <= PURE | {"detectors"} | besides
    assert _clock_calls(tree) == []


def test_the_check_of_the_core_can_fail() -> None:
    """The two questions asked of each file of the core find what they ask for."""
    tree = ast.parse("import os.path\nfrom socket import socket\nx = datetime.now(tz=UTC)\n")

    assert _imported(tree) - PURE == {"os", "socket"}
    assert _clock_calls(tree) == [3]


def _import_all(folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-B", "-c", IMPORT_ALL, *OUR_PACKAGES],
        cwd=folder,
        env={"PYTHONPATH": str(folder)},
        capture_output=True,
        text=True,
        check=False,
        timeout=280,
    )


def test_importing_does_nothing() -> None:
    """No module of ours connects, binds, writes, starts or sets anything when it is imported."""
    answer = _import_all(ROOT)

    assert answer.returncode == 0, answer.stderr
    assert int(answer.stdout) > len(OUR_PACKAGES)


def test_work_at_import_is_noticed(tmp_path: Path) -> None:
    """A module that opens a file for writing at import is named."""
    copy = copy_checkout(tmp_path / "copy")
    (copy / "archive" / "busy.py").write_text(
        '"""Planted."""\n\nopen("left-behind", "w").close()\n'
    )

    answer = _import_all(copy)

    assert answer.returncode == 1
    assert "importing archive.busy did [('open', 'left-behind')]" in answer.stderr


def test_every_folder_with_python_says_what_it_is() -> None:
    """Each package has an `__init__.py` that starts with a docstring."""
    for name in (*OUR_PACKAGES, "tests"):
        for path in (ROOT / name).rglob("*.py"):
            init = path.parent / "__init__.py"
            assert init.is_file(), path.parent
            assert ast.get_docstring(ast.parse(init.read_text())), init
