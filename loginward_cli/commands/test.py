"""`loginward test`: every check and test of this checkout, side by side where they do not wait."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO, Annotated

import msgspec
import typer

from deploy import chromium
from deploy.embedded import Console, quicken_starts
from loginward_cli.embedded import told
from loginward_cli.lane import Lane
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
)
_TYPES = (*_PYTHON, "mypy")
_LOOK_S, _STOP_S = 0.2, 30.0
_CORE = "detectors"
_CORE_PERCENT = 95.0  # of its branches, and of its lines and branches together
# Two for each core, since most of them wait for a server; a Kafka takes no more than eight.
_WORKERS = min(8, max(4, 2 * len(os.sched_getaffinity(0))))
# Those of the core run beside them, under coverage. A file stays with one worker, for what its
# tests share; tests/order.py brings the long ones first.
_ALL_TESTS = (
    *(*_PYTHON, "pytest", f"--numprocesses={_WORKERS}"),
    *("--dist=loadfile", "--no-loadscope-reorder", f"--ignore=tests/{_CORE}"),
)
THOROUGH_VARIABLE = "LOGINWARD_TEST_THOROUGH"
"""Set to 1 for tests/effort.py where `--thorough` is given."""
_NEEDED = ("coverage", "importlinter", "mypy", "pytest", "ruff")

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)


@app.command("test", context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def command(
    context: typer.Context,
    thorough: Annotated[
        bool,
        typer.Option("--thorough", help="Repeat 5 to 10 times as often what draws its cases."),
    ] = False,
) -> None:
    """Set up and run every check and test of this checkout.

    Other arguments go to pytest, which then runs alone. Examples: `./loginward test -k spray`, or,
    with 5 to 10 times the drawn cases, `./loginward test --thorough tests/contracts`.
    """
    if thorough:
        os.environ[THOROUGH_VARIABLE] = "1"
    if missing := [name for name in _NEEDED if find_spec(name) is None]:
        fail(f"{', '.join(missing)}: not installed: start this as ./loginward test in a checkout")
    if context.args:
        raise typer.Exit(_run((*_PYTHON, "pytest", *context.args)))
    for name, argv in _CHECKS:
        _step(name, argv)
    # Types and coverage keep one core busy while the other tests wait for their servers.
    with Lane([_types, _core]) as lane:
        with told():
            quicken_starts(Console())
        chromium.provide(lambda line: note(f"== {line}"))
        code = _beside(lane)
    raise typer.Exit(code)


def _beside(lane: Lane) -> int:
    """Run all other tests until they end or the lane fails; the exit code of both."""
    note(f"== all other tests, {_WORKERS} at once; beside them types and core")
    with subprocess.Popen(_ALL_TESTS, cwd=ROOT, stdin=subprocess.DEVNULL) as tests:
        while tests.poll() is None and not lane.code:
            time.sleep(_LOOK_S)
        if lane.code and tests.poll() is None:
            _stop(tests)
    code = lane.wait()
    note(lane.said)
    note(f"== types and core: {'failed' if code else 'fine'}")
    return code or tests.returncode


def _stop(tests: subprocess.Popen[bytes]) -> None:
    tests.send_signal(signal.SIGINT)  # it ends its workers and says what failed so far
    try:
        tests.wait(_STOP_S)
    except subprocess.TimeoutExpired:
        tests.terminate()  # started where SIGINT is ignored, as in the background of a script


def _step(name: str, argv: Sequence[str]) -> None:
    note(f"== {name}")
    started = time.monotonic()
    if code := _run(argv):
        note(f"== {name}: failed")
        raise typer.Exit(code)
    note(f"== {name}: fine, {time.monotonic() - started:.0f} s")


def _types(out: IO[bytes]) -> int:
    return _run(_TYPES, out=out)


def _core(out: IO[bytes] | None = None) -> int:
    """Run the core's own tests under coverage: they alone must take its branches."""
    note("== core")
    with TemporaryDirectory(prefix="loginward-coverage-") as folder:
        environ = {**os.environ, "COVERAGE_FILE": str(Path(folder) / "coverage")}
        measured = (*_PYTHON, "coverage", "run", f"--source={_CORE}", "-m")
        pytest = (*measured, "pytest", "-q", f"tests/{_CORE}")
        return _run(pytest, environ, out) or _judge_coverage(Path(folder), environ, out)


def _judge_coverage(folder: Path, environ: dict[str, str], out: IO[bytes] | None) -> int:
    report = folder / "coverage.json"
    steps = (
        (*_PYTHON, "coverage", "combine", "--quiet"),
        (*_PYTHON, "coverage", "report", f"--include={_CORE}/*"),
        (*_PYTHON, "coverage", "json", "--quiet", f"--include={_CORE}/*", f"-o{report}"),
    )
    for argv in steps:
        if code := _run(argv, environ, out):
            return code
    totals = msgspec.json.decode(report.read_bytes())["totals"]
    branches = 100.0 * totals["covered_branches"] / max(1, totals["num_branches"])
    together = totals["percent_covered"]
    note(f"== coverage of detectors: {branches:.1f} % of branches, {together:.1f} % in all")
    if min(branches, together) < _CORE_PERCENT:
        note(f"== coverage: failed: at least {_CORE_PERCENT:.0f} % are wanted")
        return 1
    return 0


def _run(
    argv: Sequence[str], environ: dict[str, str] | None = None, out: IO[bytes] | None = None
) -> int:
    done = subprocess.run(
        argv,
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stdout=out,
        stderr=out and subprocess.STDOUT,
        env=environ,
        check=False,
    )
    return done.returncode
