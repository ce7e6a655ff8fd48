"""Planted defects: nowhere but in a self-test, and none that would silently not be planted."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from detectors.errors import LoginwardError
from loadtest.chaos.planted import DEFECTS, MARKER, main

ROOT = Path(__file__).resolve().parents[3]


@pytest.mark.parametrize(
    ("kafka", "redis", "marked"),
    [
        ("kafka1.example:9093", "redis://127.0.0.1:6379/0", True),
        ("127.0.0.1:9092", "rediss://redis.example:6379/0", True),
        ("127.0.0.1:9092", "redis://127.0.0.1:6379/0", False),
    ],
)
def test_it_refuses_outside_a_self_test(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kafka: str, redis: str, marked: bool
) -> None:
    """A server elsewhere or a home that no self-test made: nothing is planted, nothing starts."""
    for name, value in (
        ("LOGINWARD_HOME", str(tmp_path)),
        ("KAFKA_BOOTSTRAP", kafka),
        ("REDIS_URL", redis),
    ):
        monkeypatch.setenv(name, value)
    if marked:
        (tmp_path / MARKER).touch()

    with pytest.raises(LoginwardError, match="only in the home of a self-test"):
        main(["ack_early", "run", "detect"])


def test_every_defect_can_still_be_planted() -> None:
    """What a defect replaces exists; in a process of its own, for this one stays whole."""
    script = (
        "from loadtest.chaos.planted import DEFECTS\n"
        "from stream.redis_calls import _Script\n"
        "for name, defect in DEFECTS.items():\n"
        "    defect.plant()\n"
        "for name in ('claim', 'census'):\n"
        "    _Script(name)\n"
    )
    environ = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", script], env=environ, capture_output=True, text=True, check=False
    )

    assert (done.returncode, done.stderr) == (0, "")


def test_nothing_of_the_product_knows_of_them() -> None:
    """No file outside the trials names the launcher: production has no way to switch one on."""
    folders = ("stream", "archive", "notifier", "console", "config", "detectors", "deploy")
    naming = [
        file
        for folder in folders
        for file in (ROOT / folder).rglob("*.py")
        if "chaos.planted" in file.read_text(encoding="utf-8")
    ]

    assert naming == []
    assert len(DEFECTS) >= 5
