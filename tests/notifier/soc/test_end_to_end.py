"""`loginward run outputs` on a real Kafka: killed, its outputs down, and nothing is lost."""

from __future__ import annotations

import asyncio
import dataclasses
import itertools
import json
import os
import signal
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from aiokafka import AIOKafkaProducer

from config.kafka import aiokafka_options, ensure_topics, topic_name
from detectors import alerts
from notifier.soc import build, service
from notifier.soc.item import Item
from notifier.soc.queue import TOPIC, Queue
from notifier.soc.store import open_store
from notifier.soc.ticks import milliseconds
from tests.stream.pipeline import Pipeline

from .made import HOSTILE, item, made_metrics
from .receivers import PATIENCE_S, Http, Parsed, SyslogReceiver

pytestmark = pytest.mark.long

_numbers = itertools.count(1)


@pytest.fixture
def pipeline(kafka_bootstrap: str, tmp_path: Path) -> Pipeline:
    """Give settings of the test's own on the session's Kafka."""
    (tmp_path / "secret").write_text("a-shared-secret\n")
    return Pipeline(
        folder=tmp_path,
        prefix=f"soc{next(_numbers)}-{os.getpid()}-",
        bootstrap=kafka_bootstrap,
        redis_url="redis://127.0.0.1:1/0",
        extra={
            "LOGINWARD_KAFKA_SESSION_TIMEOUT": "6s",
            "LOGINWARD_METRICS_PORT": "0",
            "LOGINWARD_OUTPUTS_WEBHOOK_SECRET_FILE": "secret",
            "LOGINWARD_OUTPUTS_SYSLOG_TRANSPORT": "tcp",
            "LOGINWARD_OUTPUTS_TIMEOUT": "2s",
        },
    )


def publish(pipeline: Pipeline, items: Sequence[Item | bytes]) -> None:
    """Records into `alerts`, delivered when this returns."""
    kafka = pipeline.settings.kafka
    ensure_topics(kafka)

    async def send() -> None:
        producer = AIOKafkaProducer(**aiokafka_options(kafka))
        await producer.start()
        try:
            for one in items:
                raw, key = (one, b"x") if isinstance(one, bytes) else (one.body, one.id.encode())
                await producer.send_and_wait(topic_name(kafka, "alerts"), raw, key=key)
        finally:
            await producer.stop()

    asyncio.run(send())


def wait_until(true: Callable[[], bool], what: Callable[[], str]) -> None:
    """Look until it is so, within the tests' patience."""
    deadline = time.monotonic() + PATIENCE_S
    while not true():
        assert time.monotonic() < deadline, what()
        time.sleep(0.05)


def latest(keys: Sequence[str]) -> dict[str, int]:
    """The highest revision of each alert among idempotency keys; each alert's never go back."""
    found: dict[str, int] = {}
    for key in keys:
        alert, _, revision = key.partition(":")
        assert int(revision) >= found.get(alert, 0), keys
        found[alert] = int(revision)
    return found


def test_killed_at_every_step_and_with_an_output_down_everything_arrives(
    pipeline: Pipeline,
) -> None:
    """Both outputs end with the highest revision of every alert; the syslog one is never late."""
    http, syslog = Http(), SyslogReceiver()
    syslog.start()
    with http.running():
        pass  # its port is known now, and nobody listens
    pipeline.extra |= {
        "LOGINWARD_OUTPUTS_WEBHOOK_URL": f"{http.url}/alerts",
        "LOGINWARD_OUTPUTS_SYSLOG_ADDRESS": f"127.0.0.1:{syslog.port}",
    }
    sent = [item(number, 1, accounts=[HOSTILE]) for number in range(60)]
    sent += [item(number, 2) for number in range(0, 60, 2)] + [item(0, 1), item(1, 1)]
    publish(pipeline, [*sent[:40], b"no alert", *sent[40:]])
    wanted = latest(sorted(one.key for one in sent))
    points = ["after_commit", "syslog_before_sent"]

    def said() -> list[str]:
        return [f"{one.params['alert']}:{one.params['revision']}" for one in syslog.messages]

    for point in points:
        pipeline.extra["LOGINWARD_FAILPOINTS"] = f"soc.{point}=kill@1"
        with pipeline.running("outputs") as process:
            assert process.wait(PATIENCE_S) == -signal.SIGKILL, pipeline.log("outputs")[-2000:]
    pipeline.extra["LOGINWARD_FAILPOINTS"] = ""
    with pipeline.running("outputs"):
        wait_until(
            lambda: set(wanted.items()) <= {(k, r) for k, r in latest(said()).items()},
            lambda: pipeline.log("outputs")[-3000:],
        )
    assert http.requests == []
    assert latest(said()) == wanted

    pipeline.extra["LOGINWARD_FAILPOINTS"] = "soc.webhook_before_sent=kill@3"
    with http.running():
        with pipeline.running("outputs") as process:
            assert process.wait(PATIENCE_S) == -signal.SIGKILL, pipeline.log("outputs")[-2000:]
        pipeline.extra["LOGINWARD_FAILPOINTS"] = ""
        with pipeline.running("outputs"):
            wait_until(
                lambda: latest(keys(http)) == wanted, lambda: pipeline.log("outputs")[-3000:]
            )
        sent_once = list(http.requests)
        assert len(sent_once) <= len(wanted) + 3 * 8

        # The queue is lost, and Kafka's offsets stand at the end: twice instead of never.
        for file in pipeline.folder.glob("outputs/queue.db*"):
            file.unlink()
        http.requests.clear()
        with pipeline.running("outputs"):
            wait_until(
                lambda: latest(keys(http)) == wanted, lambda: pipeline.log("outputs")[-3000:]
            )
    syslog.stop()

    bodies: dict[str, set[bytes]] = {}
    for request in [*sent_once, *http.requests]:
        bodies.setdefault(request.headers["idempotency-key"], set()).add(request.body)
    assert all(len(same) == 1 for same in bodies.values())
    assert '"record is not what its topic holds"' in pipeline.log("outputs")


def keys(http: Http) -> list[str]:
    """The idempotency keys a server has seen, in order."""
    return [request.headers["idempotency-key"] for request in http.requests]


def test_an_undelivered_alert_is_told_by_topic_syslog_and_roster(pipeline: Pipeline) -> None:
    """Webhook dead: our own alert reaches the topic, the other output and a person, never itself.

    With the webhook back, the last revision says so, and the topic's copy causes no echo.
    """
    http, pager, syslog = Http(), Http(), SyslogReceiver()
    syslog.start()
    with http.running():
        pass
    now = datetime.now(tz=UTC)
    with pager.running():
        (pipeline.folder / "roster.toml").write_text(
            f"""
            [[person]]
            name = "chen"
            channels = ["webhook:{pager.url}/page"]
            [[level]]
            name = "all"
            escalate_after = "10m"
            shift = [{{from = "00:00", to = "00:00", people = ["chen"]}}]
            [first]
            high = "all"
            critical = "all"
            """
        )
        pipeline.extra |= {
            "LOGINWARD_OUTPUTS_WEBHOOK_URL": f"{http.url}/alerts",
            "LOGINWARD_OUTPUTS_SYSLOG_ADDRESS": f"127.0.0.1:{syslog.port}",
            "LOGINWARD_ROSTER_FILE": "roster.toml",
        }
        publish(
            pipeline,
            [
                item(1, severity="low", opened_at=now.isoformat()),
                item(2, opened_at=(now - timedelta(days=2)).isoformat(), severity="critical"),
            ],
        )
        settings = pipeline.settings
        settings = dataclasses.replace(
            settings,
            outputs=dataclasses.replace(settings.outputs, undelivered_after=timedelta(seconds=1)),
        )

        async def run() -> None:
            stop = asyncio.Event()
            store = open_store(settings.outputs.queue)
            queue = Queue(store, build.names(settings), milliseconds)
            serving = asyncio.create_task(
                service.serve(settings, queue, build.outputs(settings), made_metrics(), stop)
            )
            try:
                await until(lambda: len(pager.requests) >= 1, serving)
                await until(lambda: len(syslog.messages) >= 3, serving)
                with http.running():
                    await until(lambda: len(http.requests) >= 2, serving)
                    await until(
                        lambda: any(one.said["counts"]["waiting"] == 0 for one in own(syslog)),
                        serving,
                    )
                    await until(lambda: queue.backlog(TOPIC) == (0, None), serving)
            finally:
                stop.set()
                await serving
                store.close()

        asyncio.run(run())
    syslog.stop()

    texts = [json.loads(request.body)["text"] for request in pager.requests]
    assert sum("alert_undelivered webhook on _loginward" in text for text in texts) == 1
    told = [alerts.decode(record.value) for record in pipeline.records("alerts")]
    ours = [alert for alert in told if alert.subject.value == "webhook"]
    assert {alert.system for alert in ours} == {"_loginward"}
    assert ours[-1].counts["waiting"] == 0
    assert len({alert.alert_id for alert in ours}) == 1
    seen = [json.loads(request.body)["alert"]["subject"]["value"] for request in http.requests]
    assert "webhook" not in seen


def own(syslog: SyslogReceiver) -> list[Parsed]:
    """Messages about the webhook."""
    return [one for one in syslog.messages if one.params["subject"] == "webhook"]


async def until(true: Callable[[], bool], serving: asyncio.Task[None]) -> None:
    """Look until it is so, or the service fails."""
    deadline = time.monotonic() + PATIENCE_S
    while not true():
        assert not serving.done(), serving.result()
        assert time.monotonic() < deadline
        await asyncio.sleep(0.05)
