"""`loginward rejects` on a real topic, and a worker that stops instead of draining one."""

from __future__ import annotations

import asyncio
import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from config.kafka import ensure_topics, topic_name
from detectors.errors import Rejected
from stream.rejects import rejected
from stream.sending import Outgoing, Sender
from tests.stream.pipeline import PATIENCE_S, Pipeline
from tests.stream.test_bad_input import login

from .running import loginward

pytestmark = pytest.mark.long

HOSTILE = b'{"schema": 1, "account": "\x1b[31m\xe2\x80\xae"}'


@pytest.fixture
def pipeline(tmp_path: Path, kafka_bootstrap: str, fresh_redis_url: str) -> Pipeline:
    """Topics of the test's own; nothing runs yet."""
    made = Pipeline(tmp_path, f"{tmp_path.name}.", kafka_bootstrap, fresh_redis_url)
    ensure_topics(made.settings.kafka)
    return made


def rejects(pipeline: Pipeline, *args: str) -> subprocess.CompletedProcess[str]:
    """`loginward rejects ARGS`."""
    return loginward("rejects", *args, cwd=pipeline.folder, environ=pipeline.environment)


def told(pipeline: Pipeline, *args: str) -> Any:
    """Its last line with --json."""
    ran = rejects(pipeline, *args, "--json")
    assert ran.returncode == 0, ran.stderr
    return json.loads(ran.stdout.splitlines()[-1])


def kept(pipeline: Pipeline, value: bytes, offset: int) -> Outgoing:
    """A reject of today's or an older detect."""
    return rejected(
        value,
        Rejected("wrong_type", f"detail {offset} \x1b[0m"),
        target=topic_name(pipeline.settings.kafka, "logins.rejected"),
        topic=topic_name(pipeline.settings.kafka, "logins"),
        topic_id="T",
        partition=1,
        offset=offset,
    )


def deliver(pipeline: Pipeline, *records: Outgoing) -> None:
    """Send these records as they are."""

    async def run() -> None:
        sender = Sender(pipeline.settings.kafka)
        await sender.deliver(records)
        await sender.close()

    asyncio.run(run())


def test_rejects_are_listed_shown_and_replayed_once(pipeline: Pipeline) -> None:
    """Counted with places, shown escaped, written raw; what decodes today reaches `logins` once."""
    deliver(
        pipeline,
        kept(pipeline, HOSTILE, 1),
        kept(pipeline, login("late"), 2),
        kept(pipeline, login("late"), 2),
    )

    listed = told(pipeline, "list", "--each", "9")
    assert listed["rejects"]["wrong_type"]["count"] == 3
    place = next(one["place"] for one in listed["each"] if one["size"] == len(HOSTILE))
    text = rejects(pipeline, "list", "--each", "9").stdout
    assert (place in text, "\x1b" in text) == (True, False)
    assert told(pipeline, "list", "--reason", "not_json")["rejects"] == {}

    shown = rejects(pipeline, "show", place, "--raw", "raw.bin").stdout
    assert r"\x1b[31m\u202e" in shown
    assert "detail 1" in shown
    assert (pipeline.folder / "raw.bin").read_bytes() == HOSTILE
    assert rejects(pipeline, "show", "9:9").returncode == 2

    dry = told(pipeline, "replay", "--dry-run")
    assert (dry["fates"], pipeline.records("logins")) == (
        {"sent": 1, "still rejected": 1},
        [],
    )
    assert told(pipeline, "replay")["fates"] == {"sent": 1, "still rejected": 1}
    assert told(pipeline, "replay")["fates"] == {"sent before": 1, "still rejected": 1}
    (record,) = pipeline.records("logins")
    assert record.value == login("late")
    assert dict(record.headers) == {"replayed_from": b"T:1:2"}


def test_a_worker_stops_instead_of_draining_the_topic(pipeline: Pipeline) -> None:
    """Exit code 70, the reason in the log, the rest uncommitted; below the limit it goes on."""
    pipeline.extra |= {
        "LOGINWARD_DETECT_REJECTS_OVER": "100",
        "LOGINWARD_DETECT_BATCH_RECORDS": "100",
    }
    pipeline.send([login(f"good{n}") for n in range(60)] + [b"{"] * 40)
    with pipeline.running("detect") as worker:
        pipeline.wait_until_read(100)
        pipeline.send([b"{"] * 500)
        assert worker.wait(timeout=PATIENCE_S) == 70

    assert "of the last" in pipeline.log("detect")
    assert "detect.rejects_percent = 50" in pipeline.log("detect")
    assert len(pipeline.records("logins.rejected")) < 540


def test_a_topic_that_is_away_is_told(tmp_path: Path) -> None:
    """A sentence, exit code 2, at once."""
    environ = {"KAFKA_BOOTSTRAP": "127.0.0.1:9", "LOGINWARD_HOME": str(tmp_path)}

    ran = loginward("rejects", "list", cwd=tmp_path, environ=environ)

    assert (ran.returncode, "Traceback" in ran.stderr) == (2, False)
    assert "127.0.0.1:9" in ran.stderr
