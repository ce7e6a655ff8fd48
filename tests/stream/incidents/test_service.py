"""`loginward run incidents` on a real Kafka: killed between its steps, it tells each thing once."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from msgspec.structs import replace

from config.kafka import aiokafka_options, ensure_topics, topic_name
from detectors import alerts, incidents
from detectors.alerts import Alert
from detectors.events import rfc3339
from detectors.incidents import Incident
from stream.incidents.whole import to_the_end, told_so_far
from tests.detectors.incidents.made_alerts import alert, botnet, later, takeover
from tests.stream.pipeline import PATIENCE_S, Pipeline

pytestmark = pytest.mark.long

POINTS = ("read", "before_send", "before_commit", "after_commit")


@pytest.fixture
def pipeline(kafka_bootstrap: str, tmp_path: Path) -> Pipeline:
    """Give settings of the test's own on the session's Kafka."""
    return Pipeline(
        folder=tmp_path,
        prefix=f"incidents-{os.getpid()}-",
        bootstrap=kafka_bootstrap,
        redis_url="redis://127.0.0.1:1/0",
        extra={"LOGINWARD_METRICS_PORT": "0"},
    )


def test_killed_between_any_two_steps_nothing_is_lost_or_told_twice(pipeline: Pipeline) -> None:
    """In the end it stands as replay would have it; a revision has one content."""
    begun = datetime.now(UTC) - timedelta(hours=2)
    attack = [_moved(one, begun) for one in botnet()]
    hits = [_moved(takeover(f"t{n}", f"u{n}", at=60 + n, ip="10.1.0.9"), begun) for n in range(6)]
    publish(pipeline, [*attack, b"no alert", later(attack[0], 2, counts={"accounts": 9})])
    for number, point in enumerate(POINTS):
        pipeline.extra["LOGINWARD_FAILPOINTS"] = f"incidents.{point}=kill@1"
        with pipeline.running("incidents") as process:
            assert process.wait(PATIENCE_S) == -signal.SIGKILL, pipeline.log("incidents")[-2000:]
        publish(pipeline, [hits[number]])
    pipeline.extra["LOGINWARD_FAILPOINTS"] = ""
    with pipeline.running("incidents"):
        wait_until(lambda: len(_last(pipeline).accounts_hit) == len(POINTS), pipeline)
        publish(pipeline, hits[len(POINTS) :])
        wait_until(lambda: len(_last(pipeline).accounts_hit) == len(hits), pipeline)

    told = told_by(pipeline)
    (wanted,) = incidents.incidents([*attack, *hits])
    last = _last(pipeline)
    assert replace(last, revision=1, reasons=[]) == replace(wanted, reasons=[])
    assert {one.incident_id for one in told} == {wanted.incident_id}
    contents = {(one.revision, incidents.encode(one)) for one in told}
    assert len(contents) == len({revision for revision, _ in contents}) == last.revision
    listed = _command(pipeline, "list", "--open", "--json")["incidents"]
    assert [one["incident_id"] for one in listed] == [last.incident_id]
    shown = _command(pipeline, "show", last.incident_id[:8], "--json")
    assert shown["accounts_hit"] == last.accounts_hit


def _command(pipeline: Pipeline, *arguments: str) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-m", "loginward_cli", "incidents", *arguments],
        env=pipeline.environment,
        check=True,
        capture_output=True,
    )
    said: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return said


def _moved(one: Alert, begun: datetime) -> Alert:
    """As if it had happened lately: incidents of other days are closed."""
    start = datetime.fromisoformat(botnet()[0].opened_at)

    def at(text: str) -> str:
        return rfc3339(begun + (datetime.fromisoformat(text) - start))

    return later(one, 1, opened_at=at(one.opened_at), updated_at=at(one.updated_at))


def publish(pipeline: Pipeline, found: Sequence[Alert | bytes]) -> None:
    """Records into `alerts`, delivered when this returns."""
    kafka = pipeline.settings.kafka
    ensure_topics(kafka)

    async def send() -> None:
        producer = AIOKafkaProducer(**aiokafka_options(kafka))
        await producer.start()
        try:
            for one in found:
                raw, key = (
                    (one, "x") if isinstance(one, bytes) else (alerts.encode(one), one.alert_id)
                )
                await producer.send_and_wait(topic_name(kafka, "alerts"), raw, key=key.encode())
        finally:
            await producer.stop()

    asyncio.run(send())


def wait_until(true: Callable[[], bool], pipeline: Pipeline) -> None:
    """Look until it is so, within the tests' patience."""
    deadline = time.monotonic() + PATIENCE_S
    while not true():
        assert time.monotonic() < deadline, pipeline.log("incidents")[-3000:]
        time.sleep(0.2)


def _last(pipeline: Pipeline) -> Incident:
    told = asyncio.run(told_so_far(pipeline.settings.kafka))
    return next(iter(told.values()), replace(incidents.incidents(botnet())[0], revision=0))


def told_by(pipeline: Pipeline) -> list[Incident]:
    """Every revision in the topic, committed or not."""

    async def read() -> list[Incident]:
        kafka = pipeline.settings.kafka
        consumer = AIOKafkaConsumer(**aiokafka_options(kafka), enable_auto_commit=False)
        await consumer.start()
        try:
            batches = to_the_end(consumer, topic_name(kafka, "incidents"))
            return [incidents.decode(one.value) async for batch in batches for one in batch]
        finally:
            await consumer.stop()

    return asyncio.run(read())


def test_the_helper_moves_whole_attacks() -> None:
    """What is moved keeps its distances."""
    begun = datetime(2026, 1, 1, tzinfo=UTC)

    assert _moved(alert("x", at=60), begun).opened_at == "2026-01-01T00:01:00Z"
