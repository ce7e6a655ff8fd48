"""A new detection is four files, as CONTRIBUTING says, and nothing else changes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from detectors import wire
from tests.builders import series
from tests.checkout import ROOT, tracked_files

pytestmark = pytest.mark.long

OLD, NEW = "lockout_attack", "doors_shut"
FILES = (
    "detectors/rules/{}.py",
    "tests/detectors/rules/test_{}.py",
    "deploy/runbooks/{}.md",
    "config/rules.toml",
)


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """This checkout with one detection more: a known one under a name of its own."""
    copy = tmp_path_factory.mktemp("checkout")
    for name in tracked_files():
        (copy / name).parent.mkdir(parents=True, exist_ok=True)
        (copy / name).write_bytes((ROOT / name).read_bytes())
    for pattern in FILES[:-1]:
        text = (copy / pattern.format(OLD)).read_text(encoding="utf-8").replace(OLD, NEW)
        (copy / pattern.format(NEW)).write_text(text, encoding="utf-8")
    limits = copy / FILES[-1]
    text = limits.read_text(encoding="utf-8")
    entry = text[text.index(f"[{OLD}]") :].split("\n\n")[0].replace(OLD, NEW)
    limits.write_text(f"{text}\n{entry}\n", encoding="utf-8")
    return copy


def _in(checkout: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environ = os.environ | {"PYTHONPATH": str(checkout), "LOGINWARD_HOME": str(checkout / "home")}
    return subprocess.run(
        [sys.executable, "-m", *arguments],
        cwd=checkout,
        env=environ,
        capture_output=True,
        text=True,
        check=False,
    )


def test_four_files_are_a_whole_detection(checkout: Path) -> None:
    """Its timelines hold, and its limits, metadata and runbook agree."""
    done = _in(
        checkout,
        *("pytest", "-q", "-p", "no:xdist", "-p", "no:cacheprovider", "-k", NEW),
        *("tests/test_all_rules.py", FILES[1].format(NEW)),
    )

    assert done.returncode == 0, done.stdout[-3000:]
    assert " passed" in done.stdout
    assert "skipped" not in done.stdout


def test_it_judges_from_then_on(checkout: Path) -> None:
    """Replay raises its alert beside that of the one it was made from."""
    events = checkout / "events.jsonl"
    locked = series(20, every=30, accounts=20, reason="locked")
    events.write_bytes(b"".join(wire.encode(event) + b"\n" for event in locked))

    done = _in(
        checkout, "loginward_cli", "replay", str(events), "--alerts", str(checkout / "alerts.jsonl")
    )

    assert done.returncode == 0, done.stderr
    lines = (checkout / "alerts.jsonl").read_text().splitlines()
    assert {OLD, NEW} <= {json.loads(line)["rule"] for line in lines}


def test_nothing_else_changes(checkout: Path) -> None:
    """Of what is tracked, only the limits differ; besides there are three new files."""
    changed = {
        name
        for name in tracked_files()
        if (checkout / name).read_bytes() != (ROOT / name).read_bytes()
    }
    new = {
        path.relative_to(checkout) for path in checkout.rglob(f"*{NEW}.*") if path.suffix != ".pyc"
    }

    assert changed | new == {Path(name.format(NEW)) for name in FILES}
