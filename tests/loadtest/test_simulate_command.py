"""`loginward simulate` as a user meets it: files, summaries, and sentences where it cannot."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from kafka.admin import KafkaAdminClient

from detectors.events import milliseconds
from detectors.wire import decode
from loadtest import ledger

_ROOT = Path(__file__).resolve().parents[2]


def _simulate(
    *options: str, cwd: Path = _ROOT, **environ: str
) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-m", "loginward_cli", "simulate", *options],
        cwd=cwd,
        env=os.environ | {"PYTHONPATH": str(_ROOT)} | environ,
        capture_output=True,
        check=False,
        timeout=120,
    )


def test_a_file_its_ledger_and_its_summary_agree(tmp_path: Path) -> None:
    """Lines, ledger lines and the summary's last line say the same; default start is a Monday."""
    events, truths = tmp_path / "events.jsonl", tmp_path / "truths.jsonl"

    done = _simulate(
        *("--profile", "A:0.02+G", "--seed", "7", "--events", "3000", "--disorder", "60s"),
        *("--duplicates", "0.05", "--bad", "9", "-o", str(events), "--ledger", str(truths)),
        "--json",
    )

    assert done.returncode == 0, done.stderr.decode()
    told = json.loads(done.stdout.splitlines()[-1])
    lines = events.read_bytes().splitlines()
    assert told["events"] == 3_000
    assert told["bad"] == 9
    assert told["records"] == len(lines) == len(list(ledger.read(truths)))
    assert told["records"] == 3_000 + 9 + told["duplicates"]
    first = min(line.at_ms for line in ledger.read(truths) if not line.bad)
    assert 0 <= first - 1_794_758_400_000 < 3_600_000


def test_standard_output_is_the_same_as_a_file(tmp_path: Path) -> None:
    """`-o -` writes the very bytes of a file, and the summary beside them on stderr."""
    options = ("--profile", "A", "--events", "500")

    piped = _simulate(*options, "-o", "-")
    filed = _simulate(*options, "-o", str(tmp_path / "events.jsonl"))

    assert piped.stdout == (tmp_path / "events.jsonl").read_bytes()
    assert b"500 events" in piped.stderr
    assert filed.stdout == b""


def test_a_run_into_kafka_is_now(
    kafka_bootstrap: str, kafka_admin: KafkaAdminClient, tmp_path: Path
) -> None:
    """Without --start a run into Kafka has just ended; topics are made, records have a place."""
    truths = tmp_path / "truths.jsonl.zst"
    prefix = f"sim{os.getpid()}-"

    done = _simulate(
        *("--profile", "A+G", "--events", "2000", "--duration", "1h", "--to-kafka"),
        *("--ledger", str(truths), "--bad", "5", "--json"),
        KAFKA_BOOTSTRAP=kafka_bootstrap,
        LOGINWARD_KAFKA_TOPIC_PREFIX=prefix,
        LOGINWARD_HOME=str(tmp_path / "home"),
    )

    assert done.returncode == 0, done.stderr.decode()
    lines = list(ledger.read(truths))
    assert len({(line.partition, line.offset) for line in lines}) == 2_005
    latest = max(line.at_ms for line in lines)
    assert abs(latest / 1000 - time.time()) < 1_800
    assert f"{prefix}logins" in kafka_admin.list_topics()


def test_separation_is_a_table_and_findings_are_exit_1(tmp_path: Path) -> None:
    """An attack that one field gives away ends with 1, and the last line names the fields."""
    mix = ("--profile", "A:0.1+G", "--scale", "0.02", "--duration", "6h")

    done = _simulate(*mix, "--separation", "--json", cwd=tmp_path)

    assert done.returncode == 1, done.stderr.decode()
    told = json.loads(done.stdout.splitlines()[-1])
    assert {"user_agent", "origin.asn"} <= set(told["beyond"])
    assert "outcome" not in told["beyond"]
    assert told["fields"]["user_agent"]["auc"] > 0.9
    assert b"beyond 0.7" in done.stdout
    assert not list(tmp_path.iterdir())


def test_the_customer_list_needs_no_run(tmp_path: Path) -> None:
    """`--customers-csv` alone writes who the customers are, and nothing else."""
    done = _simulate("--profile", "G", "--scale", "0.01", "--customers-csv", "c.csv", cwd=tmp_path)

    assert done.returncode == 0, done.stderr.decode()
    lines = (tmp_path / "c.csv").read_text().splitlines()
    assert lines[0] == "account,customer,class"
    assert len(lines) == 1 + 1_000 + 256
    assert b"1,256 customers" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["c.csv"]


def test_start_is_an_instant_with_an_offset(tmp_path: Path) -> None:
    """`--start` moves the run; the same second in another offset gives the same events."""
    runs = []
    for start in ("2026-11-17T09:00:00+08:00", "2026-11-17T01:00:00Z"):
        out = tmp_path / "events.jsonl"
        done = _simulate("--events", "50", "--rate", "10", "--start", start, "-o", str(out))
        assert done.returncode == 0
        runs.append(out.read_bytes())

    assert runs[0] == runs[1]
    first = decode(runs[0].splitlines()[0])
    assert 0 <= milliseconds(first.occurred_at) - 1_794_877_200_000 < 5_000


@pytest.mark.parametrize(
    ("options", "told"),
    [
        pytest.param((), "where to?", id="nowhere"),
        pytest.param(("-o", "x", "--to-kafka"), "where to?", id="twice"),
        pytest.param(("-o", "-", "--json"), "name a file", id="json and events"),
        pytest.param(("-o", "x", "--separation"), "--separation", id="measured and written"),
        pytest.param(("--separation", "--profile", "B"), "no benign", id="nothing to tell apart"),
        pytest.param(("-o", "x", "--profile", "Z"), "there are A", id="profile"),
        pytest.param(("-o", "x", "--duration", "5mn"), "--duration 5mn", id="duration"),
        pytest.param(("-o", "x", "--disorder", "1"), "--disorder 1", id="disorder"),
        pytest.param(("-o", "x", "--start", "yesterday"), "--start yesterday", id="start"),
        pytest.param(("-o", "x", "--start", "2026-11-17T09:00:00"), "offset", id="naive"),
        pytest.param(("-o", "x", "--fields", "password"), "password", id="fields"),
        pytest.param(("-o", "x", "--systems", "a,,b"), "--systems", id="systems"),
        pytest.param(("-o", "/nowhere/at/all", "--events", "1"), "/nowhere/at/all", id="no folder"),
    ],
)
def test_what_cannot_be_is_told(tmp_path: Path, options: tuple[str, ...], told: str) -> None:
    """Bad input ends with 2 and a sentence that names it; no file is left behind."""
    done = _simulate(*options, cwd=tmp_path)

    assert done.returncode == 2
    assert told in done.stderr.decode()
    assert b"Traceback" not in done.stderr
    assert not list(tmp_path.iterdir())
