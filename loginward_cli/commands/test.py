"""`loginward test`: every check and test of this checkout, in an order that fails early."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec
import typer

from deploy import chromium
from deploy.embedded import Console, quicken_starts
from loginward_cli.embedded import told
from loginward_cli.output import fail, note

ROOT = Path(__file__).resolve().parents[2]
_PYTHON = (sys.executable, "-m")
_CHECKS = (
    ("lint", (*_PYTHON, "ruff", "check", ".")),
    ("format", (*_PYTHON, "ruff", "format", "--check", ".")),
    (
        "imports",
        (sys.executable, "-c", "from importlinter.cli import lint_imports_command as c; c()"),
    ),
    ("types", (*_PYTHON, "mypy")),
)
_CORE = "detectors"
_CORE_PERCENT = 95.0  # of its branches, and of its lines and branches together
# Those of the core have just run, under coverage.
_ALL_TESTS = (
    *_PYTHON,
    *("pytest", "--numprocesses=2", "--dist=loadfile", f"--ignore=tests/{_CORE}"),
)
_NEEDED = ("coverage", "importlinter", "mypy", "pytest", "ruff")

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command("test", context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def command(context: typer.Context) -> None:
    """Set up and run every check and test of this checkout.

    Arguments go to pytest, which then runs alone: `loginward test -k spray`.
    """
    if missing := [name for name in _NEEDED if find_spec(name) is None]:
        fail(f"{', '.join(missing)}: not installed: start this as ./loginward test in a checkout")
    if context.args:
        raise typer.Exit(_run((*_PYTHON, "pytest", *context.args)))
    for name, argv in _CHECKS:
        _step(name, argv)
    if code := _core():
        raise typer.Exit(code)
    with told():
        quicken_starts(Console())
    chromium.provide(lambda line: note(f"== {line}"))
    note("== all other tests")
    raise typer.Exit(_run(_ALL_TESTS))


def _step(name: str, argv: Sequence[str]) -> None:
    note(f"== {name}")
    started = time.monotonic()
    if code := _run(argv):
        note(f"== {name}: failed")
        raise typer.Exit(code)
    note(f"== {name}: fine, {time.monotonic() - started:.0f} s")


def _core() -> int:
    """Run the core's own tests under coverage: they alone must take its branches."""
    note("== core")
    with TemporaryDirectory(prefix="loginward-coverage-") as folder:
        environ = {**os.environ, "COVERAGE_FILE": str(Path(folder) / "coverage")}
        measured = (*_PYTHON, "coverage", "run", f"--source={_CORE}", "-m")
        return _run((*measured, "pytest", "-q", f"tests/{_CORE}"), environ) or _judge_coverage(
            Path(folder), environ
        )


def _judge_coverage(folder: Path, environ: dict[str, str]) -> int:
    report = folder / "coverage.json"
    steps = (
        (*_PYTHON, "coverage", "combine", "--quiet"),
        (*_PYTHON, "coverage", "report", f"--include={_CORE}/*"),
        (*_PYTHON, "coverage", "json", "--quiet", f"--include={_CORE}/*", f"-o{report}"),
    )
    for argv in steps:
        if code := _run(argv, environ):
            return code
    totals = msgspec.json.decode(report.read_bytes())["totals"]
    branches = 100.0 * totals["covered_branches"] / max(1, totals["num_branches"])
    together = totals["percent_covered"]
    note(f"== coverage of detectors: {branches:.1f} % of branches, {together:.1f} % in all")
    if min(branches, together) < _CORE_PERCENT:
        note(f"== coverage: failed: at least {_CORE_PERCENT:.0f} % are wanted")
        return 1
    return 0


def _run(argv: Sequence[str], environ: dict[str, str] | None = None) -> int:
    done = subprocess.run(argv, cwd=ROOT, stdin=subprocess.DEVNULL, env=environ, check=False)
    return done.returncode
