"""Workers come, go and die: every record is handled at least once and no commit is ahead of it."""

from __future__ import annotations

import random
import signal
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from kafka.admin import KafkaAdminClient

from tests.conftest import TopicFactory

from .workers import Handled, Worker, committed, eventually, produce

PARTITIONS = 4
Start = Callable[..., Worker]
STEADY: dict[str, Any] = {"options": {"batch_records": 50}, "slow_s": 0.02}


@pytest.fixture
def topic(fresh_topic: TopicFactory) -> str:
    """Give an empty topic of four partitions."""
    return fresh_topic("logins", partitions=PARTITIONS)


@pytest.fixture
def auditor(
    kafka_admin: KafkaAdminClient, kafka_bootstrap: str, group: str, topic: str, tmp_path: Path
) -> Iterator[Auditor]:
    """Give an auditor that looks at commits all the while, and at the whole in the end."""
    auditor = Auditor(kafka_bootstrap, group, topic, tmp_path)
    auditor.start()
    yield auditor
    auditor.stop()


class Auditor(threading.Thread):
    """Compares each commit it sees with what the journals say was handled before it."""

    def __init__(self, bootstrap: str, group: str, topic: str, journals: Path) -> None:
        super().__init__()
        self.admin = KafkaAdminClient(bootstrap_servers=bootstrap)
        self.group, self.topic, self.journals = group, topic, journals
        self.ended = threading.Event()
        self.ahead: list[str] = []
        self.looks = 0

    def handled(self) -> Handled:
        """What all workers together have handled."""
        return Handled(*self.journals.glob("journal-?"))

    def run(self) -> None:
        """Look ten times a second."""
        while not self.ended.wait(0.1):
            self.look()

    def look(self) -> dict[int, int]:
        """Read the commits first and the journals after them: journals are written first."""
        offsets = committed(self.admin, self.group, self.topic)
        handled = self.handled()
        for partition, offset in offsets.items():
            if handled.below(partition) < offset:
                self.ahead.append(f"{partition}: {offset} > {handled.below(partition)}")
        self.looks += bool(offsets)
        return offsets

    def stop(self) -> None:
        """Stop looking."""
        self.ended.set()
        self.join()
        self.admin.close()

    def expect_all(self, count: int) -> None:
        """Wait until all is committed; then every record was handled and no commit was ahead."""
        eventually(self.look, dict.fromkeys(range(PARTITIONS), count))
        handled = self.handled()
        for partition in range(PARTITIONS):
            assert set(handled.offsets(partition)) == set(range(count))
        assert not self.ahead
        assert self.looks > 1


def test_one_of_two_workers_is_killed_and_a_third_joins(
    start: Start, topic: str, kafka_bootstrap: str, auditor: Auditor
) -> None:
    """Kill -9 in the middle of the work loses nothing and lets no commit run ahead."""
    produce(kafka_bootstrap, topic, [2000] * PARTITIONS)
    first = start(topic, name="journal-1", **STEADY)
    second = start(topic, name="journal-2", **STEADY)
    first.wait_for("handled")
    second.wait_for("handled")
    first.kill()
    third = start(topic, name="journal-3", **STEADY)

    auditor.expect_all(2000)
    third.wait_for("assigned")
    assert second.terminate() == 0
    assert third.terminate() == 0


def test_a_storm_of_rebalances(
    start: Start, topic: str, kafka_bootstrap: str, auditor: Auditor
) -> None:
    """Workers join, stop and die all the time while records arrive: progress, no loss, no lead."""
    chance = random.Random(7)
    workers: list[Worker] = []
    for step in range(6):
        produce(kafka_bootstrap, topic, [300] * PARTITIONS, first=step * 300)
        workers.append(start(topic, name=f"journal-{step}", **STEADY))
        workers[-1].wait_for("assigned")
        if len(workers) > 2:
            gone = workers.pop(chance.randrange(len(workers)))
            if chance.random() < 0.5:
                gone.kill()
            else:
                gone.signal(signal.SIGTERM)

    auditor.expect_all(6 * 300)
    for worker in workers:
        assert worker.terminate() == 0, worker.complaints()


def test_a_batch_that_outlasts_its_rebalance_marks_nothing(
    start: Start, topic: str, kafka_bootstrap: str, auditor: Auditor, tmp_path: Path
) -> None:
    """After the grace time the partition goes to another worker; the late done() is harmless."""
    produce(kafka_bootstrap, topic, [100] * PARTITIONS)
    gate = tmp_path / "gate"
    slow = start(
        topic,
        name="journal-1",
        wait_for_file=str(gate),
        options={"batch_records": 100},
        spans={"revoke_grace": 0.3},
    )
    slow.wait_for("begin")
    quick = start(topic, name="journal-2", **STEADY)
    quick.wait_for("assigned ")
    gate.touch()
    slow.wait_for("handled")

    auditor.expect_all(100)
    assert "unfinished" in slow.complaints()
    assert {line for line in slow.said if line.startswith("marks")} == {"marks 0"}
    assert not slow.ended
    assert quick.terminate() == 0


def test_a_worker_that_stood_still_beyond_its_session_comes_back_harmless(
    start: Start, topic: str, kafka_bootstrap: str, auditor: Auditor
) -> None:
    """SIGSTOP until another worker has taken over, then SIGCONT: no commit of the zombie counts."""
    produce(kafka_bootstrap, topic, [1000] * PARTITIONS)
    zombie = start(topic, name="journal-1", **STEADY)
    zombie.wait_for("handled")
    zombie.signal(signal.SIGSTOP)
    other = start(topic, name="journal-2", **STEADY)
    other.wait_for("assigned 0 1 2 3")
    zombie.signal(signal.SIGCONT)

    auditor.expect_all(1000)
    zombie.wait_for("assigned")
    produce(kafka_bootstrap, topic, [10] * PARTITIONS, first=1000)
    auditor.expect_all(1010)
    assert zombie.terminate() == 0
    assert other.terminate() == 0


def test_a_static_member_restarts_without_moving_a_partition(
    start: Start, topic: str, kafka_bootstrap: str, auditor: Auditor
) -> None:
    """With an instance id a restart within the session timeout revokes nothing from the others."""
    spans = {"session_timeout": 20.0}
    produce(kafka_bootstrap, topic, [10] * PARTITIONS)
    stays = start(topic, name="journal-1", options={"group_instance_id": "worker-1"}, spans=spans)
    stays.wait_for("assigned")
    goes = start(topic, name="journal-2", options={"group_instance_id": "worker-2"}, spans=spans)
    goes.wait_for("assigned")
    stays.wait_for("assigned")
    auditor.expect_all(10)
    stays.said.clear()
    assert goes.terminate() == 0
    back = start(topic, name="journal-3", options={"group_instance_id": "worker-2"}, spans=spans)
    back.wait_for("assigned")

    produce(kafka_bootstrap, topic, [10] * PARTITIONS, first=10)
    auditor.expect_all(20)
    assert stays.terminate() == 0
    assert not [line for line in stays.said if line.startswith("revoked")]
