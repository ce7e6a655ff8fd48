"""Real servers for tests: one Kafka for all workers of a run, one Valkey for each of them."""

import itertools
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any, Protocol

import hypothesis
import pytest
import redis
from kafka.admin import KafkaAdminClient, NewTopic
from kafka.errors import TopicAlreadyExistsError

from config.kafka import answered
from deploy.embedded import KafkaServer, Stack, ValkeyServer
from tests.order import in_turn

_DATABASES = 4096  # logical databases of the session's Valkey: one a test


# A Kafka of the tests lives for seconds: what Java compiles a second time never pays. Measured:
# 1.2 instead of 2.1 s of CPU for a start, and 40 % less for what follows.
os.environ.setdefault("JDK_JAVA_OPTIONS", "-XX:TieredStopAtLevel=1")

# How long an example takes says what else the machine does, nothing about the code.
hypothesis.settings.register_profile(
    "any machine", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("any machine")

PATIENCE = timedelta(minutes=2)
"""How long a broker may say "not yet": two cores, four test processes, a start of Java."""

_kafka: list[KafkaServer] = []  # of the process that starts the workers


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Bring the tests into the order of tests/order.py."""
    items[:] = in_turn(items)


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Before a worker starts: one Kafka for all of them. A second one only warms up once more."""
    if not _kafka:
        folder = Path(tempfile.mkdtemp(prefix="loginward-tests-"))
        _kafka.append(KafkaServer(folder / "kafka", owner=os.getpid()))
        _kafka[0].start()
    node.workerinput["kafka"] = _kafka[0].address


def pytest_unconfigure() -> None:
    """After the last worker: the Kafka ends."""
    while _kafka:
        server = _kafka.pop()
        server.stop()
        shutil.rmtree(server.directory.parent)


class TopicFactory(Protocol):
    """Makes topics that no other test uses."""

    def __call__(self, name: str = "topic", /, *, partitions: int = 1, **config: str | int) -> str:
        """Make a topic; give its name. Config keys have `_` for `.`: `cleanup_policy`."""


@pytest.fixture(scope="session")
def _session_stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Describe the session's stack; nothing runs yet."""
    stack = Stack(
        tmp_path_factory.mktemp("stack"),
        owned=True,
        valkey_settings={"databases": str(_DATABASES)},
    )
    yield stack
    stack.down()


@pytest.fixture(scope="session")
def stack(_session_stack: Stack) -> Stack:
    """Give the session's running stack. Shared: a test that kills servers makes its own."""
    _session_stack.up()
    return _session_stack


@pytest.fixture(scope="session")
def kafka_bootstrap(request: pytest.FixtureRequest, _session_stack: Stack) -> str:
    """Give HOST:PORT of the run's Kafka, which other workers use too: name what is yours."""
    if shared := getattr(request.config, "workerinput", {}).get("kafka"):
        return str(shared)
    assert _session_stack.kafka is not None
    _session_stack.kafka.start()
    return _session_stack.kafka.address


@pytest.fixture(scope="session")
def redis_url(_session_stack: Stack) -> str:
    """Give the URL of the session's Valkey. Its databases are shared: see `fresh_redis_url`."""
    assert _session_stack.valkey is not None
    _session_stack.valkey.start()
    return _session_stack.valkey.url


@pytest.fixture(scope="session")
def kafka_admin(kafka_bootstrap: str) -> Iterator[KafkaAdminClient]:
    """Give an admin client of the session's Kafka."""
    admin = KafkaAdminClient(bootstrap_servers=kafka_bootstrap)
    yield admin
    admin.close()


_numbers = itertools.count(1)


@pytest.fixture
def fresh_topic(kafka_admin: KafkaAdminClient) -> TopicFactory:
    """Give a maker of topics that no other test uses."""

    def make(name: str = "topic", /, *, partitions: int = 1, **config: str | int) -> str:
        unique = f"{name}-{os.getpid()}-{next(_numbers)}"
        settings = {key.replace("_", "."): str(value) for key, value in config.items()}
        topic = NewTopic(
            name=unique, num_partitions=partitions, replication_factor=1, topic_configs=settings
        )
        answered(lambda: _create(kafka_admin, topic), PATIENCE)
        _wait_for_leaders(kafka_admin, unique, partitions)
        return unique

    return make


def _create(admin: KafkaAdminClient, topic: NewTopic) -> None:
    with suppress(TopicAlreadyExistsError):  # made by a request whose answer was lost
        admin.create_topics([topic])


def _wait_for_leaders(admin: KafkaAdminClient, topic: str, partitions: int) -> None:
    """Ask until the broker itself knows the topic: the controller answers a creation earlier."""
    deadline = time.monotonic() + PATIENCE.total_seconds()
    while time.monotonic() < deadline:
        (told,) = answered(lambda: admin.describe_topics([topic]), PATIENCE)
        found = told["partitions"]
        if sum(partition["leader_id"] >= 0 for partition in found) == partitions:
            return
        time.sleep(0.01)
    raise TimeoutError(f"{topic}: no leader for each of {partitions} partitions in {PATIENCE}")


@pytest.fixture
def fresh_redis_url(redis_url: str) -> str:
    """Give the URL of an empty logical database that no other test uses."""
    database = next(_numbers) % _DATABASES
    return f"{redis_url.rsplit('/', 1)[0]}/{database}"


@pytest.fixture
def fresh_redis(fresh_redis_url: str) -> Iterator[redis.Redis]:
    """Give a client (bytes in, bytes out) of an empty logical database."""
    with redis.Redis.from_url(fresh_redis_url) as client:
        client.flushdb()
        yield client
        client.flushdb()


@pytest.fixture
def valkey_factory(tmp_path: Path) -> Iterator[Callable[..., ValkeyServer]]:
    """Give a maker of running Valkeys of the test's own, to be killed, filled or configured."""
    made: list[ValkeyServer] = []

    def make(**options: Any) -> ValkeyServer:
        server = ValkeyServer(tmp_path / f"valkey-{len(made)}", **{"owner": os.getpid(), **options})
        made.append(server)
        server.start()
        return server

    yield make
    for server in made:
        server.stop()


@pytest.fixture
def stack_factory(tmp_path: Path) -> Iterator[Callable[..., Stack]]:
    """Give a maker of stacks of the test's own, not started, to be killed and broken."""
    made: list[Stack] = []

    def make(**options: Any) -> Stack:
        stack = Stack(tmp_path / f"stack-{len(made)}", **{"owned": True, **options})
        made.append(stack)
        return stack

    yield make
    for stack in made:
        stack.down()
