"""The broker dies, comes back, asks for a password: the same worker goes on, over TLS and SASL."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from kafka.admin import KafkaAdminClient, NewTopic

from config.kafka import kafka_python_options
from config.settings import load
from deploy.embedded import Endpoints, KafkaServer

from .workers import Handled, Worker, committed, eventually, produce

pytestmark = pytest.mark.long

Start = Callable[..., Worker]


class Broker:
    """A broker that these tests may kill, and how to reach it."""

    def __init__(self, directory: Path) -> None:
        self.server = KafkaServer(directory, owner=os.getpid(), listeners="SASL_SSL")
        self.server.start()
        self.environ = Endpoints(
            kafka_bootstrap=self.server.address, kafka_security=self.server.security
        ).environ()

    @property
    def options(self) -> dict[str, Any]:
        """What kafka-python needs to connect."""
        return kafka_python_options(load(environ=self.environ).kafka)

    def produce(self, topic: str, counts: list[int], first: int = 0) -> None:
        """Append records."""
        produce("", topic, counts, first=first, **self.options)

    def commits(self, group: str, topic: str) -> dict[int, int]:
        """Committed offsets, asked for with a new client: the broker comes and goes."""
        admin = KafkaAdminClient(**self.options)
        try:
            return committed(admin, group, topic)
        finally:
            admin.close()


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    """Give the broker of these tests."""
    broker = Broker(tmp_path_factory.mktemp("kafka"))
    yield broker
    broker.server.stop()


@pytest.fixture
def topic(broker: Broker, group: str) -> str:
    """Give an empty topic of two partitions."""
    admin = KafkaAdminClient(**broker.options)
    admin.create_topics([NewTopic(f"logins-{group}", 2, 1)])
    admin.close()
    return f"logins-{group}"


def test_after_a_broker_was_killed_the_same_worker_goes_on(
    start: Start, broker: Broker, topic: str, group: str, tmp_path: Path
) -> None:
    """Kill -9 and restart of the broker: the worker reads on by itself, nothing is lost."""
    worker = start(topic, environ=broker.environ)
    broker.produce(topic, [100, 100])
    eventually(lambda: broker.commits(group, topic), {0: 100, 1: 100})
    broker.server.kill()
    broker.server.start(same_ports=True)
    broker.produce(topic, [100, 100], first=100)

    eventually(lambda: broker.commits(group, topic), {0: 200, 1: 200})
    assert worker.terminate() == 0
    handled = Handled(tmp_path / "journal")
    assert [set(handled.offsets(p)) for p in (0, 1)] == [set(range(200))] * 2


def test_a_broker_that_stands_still_is_reported_and_forgiven(
    start: Start, broker: Broker, topic: str, group: str
) -> None:
    """No answer to fetches is told for each partition, and that it is over as well."""
    worker = start(topic, environ=broker.environ, watch=True, spans={"stall_after": 1})
    worker.wait_for("assigned 0 1")
    pid = broker.server.pid
    assert pid is not None
    os.kill(pid, signal.SIGSTOP)
    try:
        worker.wait_for("stalled 2")
    finally:
        os.kill(pid, signal.SIGCONT)

    worker.wait_for("stalled 0")
    broker.produce(topic, [10, 10])
    eventually(lambda: broker.commits(group, topic), {0: 10, 1: 10})
    assert f"{topic}[0]: no answer to a fetch for" in worker.complaints()
    assert worker.terminate() == 0


def test_sigterm_while_the_broker_is_away_ends_the_worker_all_the_same(
    start: Start, broker: Broker, topic: str, group: str
) -> None:
    """No answer to the last commit: it is given up, and the end comes within its bounds."""
    broker.produce(topic, [10, 10])
    spans = {"commit_interval": 3600, "commit_timeout": 1, "exit_grace": 20}
    worker = start(topic, environ=broker.environ, spans=spans)
    worker.wait_for("handled 0 0 10", "handled 1 0 10")
    broker.server.kill()

    code = worker.terminate()
    broker.server.start(same_ports=True)
    assert code in (0, 70)
    assert broker.commits(group, topic) == {}


def test_a_refused_password_ends_the_worker_at_once(
    start: Start, broker: Broker, topic: str, tmp_path: Path
) -> None:
    """Exit 70 with the broker's reason, no silent waiting, and no password in the log."""
    secret = tmp_path / "password"
    secret.write_text("Wrong-Password-0")
    environ = {**broker.environ, "LOGINWARD_KAFKA_SASL_PASSWORD_FILE": str(secret)}
    worker = start(topic, environ=environ)

    assert worker.exit_code() == 70
    assert "Authentication failed" in worker.complaints()
    assert "Wrong-Password-0" not in worker.complaints()
