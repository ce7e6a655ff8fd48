"""Servers away at start or later, ports that are taken: waited for, or told; nothing lost."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from config.kafka import ask, group_name
from deploy.embedded import Stack, ValkeyServer
from tests.stream.pipeline import PATIENCE_S, Pipeline
from tests.stream.test_bad_input import login

pytestmark = pytest.mark.long


def wait_for(what: Callable[[], bool]) -> None:
    """Wait until something has happened, bounded."""
    deadline = time.monotonic() + PATIENCE_S
    while not what():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_valkey_down_at_start_and_later(
    tmp_path: Path, kafka_bootstrap: str, valkey_factory: Callable[..., ValkeyServer]
) -> None:
    """While Valkey is away nothing is acknowledged; when it is back everything is judged."""
    valkey = valkey_factory()
    pipeline = Pipeline(tmp_path, "valkey-down.", kafka_bootstrap, valkey.url)
    valkey.kill()
    pipeline.send([login(f"a{n}") for n in range(50)])
    with pipeline.running("detect") as worker:
        wait_for(lambda: "retrying" in pipeline.log("detect"))
        assert (pipeline.judged()["read"], pipeline.committed()) == (0, 0)

        valkey.start(same_ports=True)
        pipeline.wait_until_read(50)
        valkey.kill()
        pipeline.send([login(f"b{n}") for n in range(50)])
        valkey.start(same_ports=True)
        total = pipeline.wait_until_read(100)
        assert worker.poll() is None

    assert (total["judged"], pipeline.committed()) == (100, 100)


def test_kafka_down_at_start_and_later(
    tmp_path: Path, stack_factory: Callable[..., Stack], fresh_redis_url: str
) -> None:
    """A worker waits for its Kafka, says so, and reads on after the broker was killed."""
    stack = stack_factory(valkey=False)
    bootstrap = stack.up().kafka_bootstrap
    pipeline = Pipeline(tmp_path, "kafka-down.", bootstrap, fresh_redis_url)
    pipeline.send([login(f"a{n}") for n in range(20)])
    stack.kill_kafka()
    with pipeline.running("detect") as worker:
        wait_for(lambda: "kafka does not answer" in pipeline.log("detect"))
        stack.start_kafka()
        pipeline.wait_until_read(20)
        stack.kill_kafka()
        stack.start_kafka()
        pipeline.send([login(f"b{n}") for n in range(20)])
        total = pipeline.wait_until_read(40)
        assert worker.poll() is None

    assert total["judged"] == 40


def test_a_taken_port_is_told_with_the_way_out(
    tmp_path: Path, kafka_bootstrap: str, fresh_redis_url: str
) -> None:
    """A metrics port in use ends the worker at once, naming setting, address and way out."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        pipeline = Pipeline(
            tmp_path,
            "port.",
            kafka_bootstrap,
            fresh_redis_url,
            {"LOGINWARD_METRICS_PORT": str(port)},
        )
        with pipeline.running("detect") as worker:
            assert worker.wait(timeout=PATIENCE_S) == 2

    assert f"metrics.port: 127.0.0.1:{port}: Address already in use" in pipeline.log("detect")


def members(pipeline: Pipeline) -> dict[str, int]:
    """How many partitions each member of the detect group has."""
    group = group_name(pipeline.settings.kafka, "detect")
    told = ask(pipeline.settings.kafka, lambda client: client.describe_groups([group])[group])
    if told["group_state"] != "Stable":
        return {}
    return {
        one["member_id"]: sum(
            len(topic["partitions"]) for topic in one["member_assignment"]["assigned_partitions"]
        )
        for one in told["members"]
    }


def test_partitions_change_hands_while_valkey_is_away(
    tmp_path: Path, kafka_bootstrap: str, valkey_factory: Callable[..., ValkeyServer]
) -> None:
    """A worker that is told to go, in a batch that cannot finish, leaves its partitions to the
    other one before Valkey is back; then all is judged.
    """
    valkey = valkey_factory()
    pipeline = Pipeline(tmp_path, "hand-over.", kafka_bootstrap, valkey.url)
    pipeline.send([login(f"a{n}") for n in range(20)])
    with pipeline.running("detect", "leaving") as leaving, pipeline.running("detect", "staying"):
        wait_for(lambda: sorted(members(pipeline).values()) == [1, 1])
        pipeline.wait_until_read(20)
        valkey.kill()
        pipeline.send([login(f"b{n}") for n in range(20)], partitions=2)
        wait_for(lambda: "retrying" in pipeline.log("leaving"))
        leaving.terminate()
        wait_for(lambda: list(members(pipeline).values()) == [2])
        assert leaving.wait() == 70

        assert pipeline.committed() == 20
        valkey.start(same_ports=True)
        wait_for(lambda: pipeline.committed() == 40)

    assert pipeline.judged()["judged"] >= 40


STEPS = (
    "store.after_claim",
    "store.after_record",
    "store.after_settle",
    "detect.before_rejects",
    "detect.before_judged",
    "detect.before_done",
)


@pytest.mark.timeout(300)
def test_a_kill_between_any_two_steps_loses_and_doubles_nothing(
    tmp_path: Path, kafka_bootstrap: str, fresh_redis_url: str
) -> None:
    """Killed after each step in turn, the next worker does it again: one alert, one reject."""
    # Each next worker waits until the killed one is given up.
    quick = {"LOGINWARD_KAFKA_SESSION_TIMEOUT": "6s"}
    pipeline = Pipeline(tmp_path, "steps.", kafka_bootstrap, fresh_redis_url, quick)
    values = [login(f"e{n}") for n in range(12)]
    pipeline.send([*values, b"bad", values[0]])
    for step in STEPS:
        pipeline.extra["LOGINWARD_FAILPOINTS"] = f"{step}=kill"
        with pipeline.running("detect") as worker:
            assert worker.wait(timeout=PATIENCE_S) == -9, step
        assert f"failpoint {step}: kill" in pipeline.log("detect")
        assert pipeline.committed() == 0
    del pipeline.extra["LOGINWARD_FAILPOINTS"]

    with pipeline.running("detect"), pipeline.running("relay"):
        wait_for(lambda: pipeline.committed() == 14)
        wait_for(lambda: bool(pipeline.records("alerts")))

    rejects = {record.key: record.value for record in pipeline.records("logins.rejected")}
    revisions = {(record.key, record.value) for record in pipeline.records("alerts")}
    assert list(rejects.values()) == [b"bad"]
    assert len({key for key, _ in revisions}) == len(revisions) == 1
