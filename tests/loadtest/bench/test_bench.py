"""The whole benchmark once, small: the figures of the contract, from real processes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.long

_SMALL = ("--events", "6000", "--repetitions", "1", "--contenders", "detect,bare,stock_faust")
_ROOT = Path(__file__).resolve().parents[3]


@pytest.mark.timeout(600)
def test_the_contract_of_bench(tmp_path: Path) -> None:
    """`bench --json` ends with one line: what ran in `mixes`, the rest in `not_run` with reasons.

    All three contenders of the contract really read Kafka and leave plausible figures.
    """
    told = _bench(tmp_path)
    if any("/" in name for name in told["not_run"]):
        told = _bench(tmp_path)  # on a busy machine a contender may miss its time once

    assert set(told["mixes"]) == {"normal"}
    assert set(told["mixes"]["normal"]) == {"detect", "bare", "stock_faust"}, told["not_run"]
    for figures in told["mixes"]["normal"].values():
        assert figures["events_per_s"] > 0
        assert figures["cpu_s"] > 0
        assert figures["rss_mb"] > 10
    assert {"flink", "everything", "heavy", "attack", "flood"} <= set(told["not_run"])
    assert all(told["not_run"].values())
    assert told["machine"]["cores"] >= 1


def _bench(home: Path) -> dict[str, Any]:
    """The last line of a small benchmark in a folder of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "loginward_cli", "bench", "--quick", "--json", *_SMALL],
        cwd=_ROOT,
        env={**os.environ, "LOGINWARD_HOME": str(home)},
        capture_output=True,
        check=False,
        timeout=280,
    )
    # 1: the guard spoke, as it may of so few events.
    assert done.returncode in {0, 1}, done.stderr.decode()
    told: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return told


def test_an_unknown_mix_is_refused() -> None:
    """A wrong name ends with 2 and the right names, before any server is started."""
    done = subprocess.run(
        [sys.executable, "-m", "loginward_cli", "bench", "--mixes", "nromal"],
        cwd=_ROOT,
        capture_output=True,
        check=False,
        timeout=120,
    )

    assert done.returncode == 2
    assert b"normal, heavy, attack, flood" in done.stderr
