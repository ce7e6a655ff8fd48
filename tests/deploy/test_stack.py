"""The stack comes up, goes down, survives crashes, and keeps its data and its addresses."""

import os
import socket
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
import redis
from kafka import KafkaConsumer, KafkaProducer, TopicPartition
from kafka.admin import KafkaAdminClient, NewTopic
from kafka.errors import KafkaError

from deploy.embedded import KafkaServer, Stack, StackError, ValkeyServer, running_endpoints
from deploy.embedded.ports import LOOPBACK
from deploy.embedded.record import FILE_NAME

pytestmark = pytest.mark.long

Factory = Callable[..., Stack]


def states(stack: Stack) -> list[str]:
    """Give the state of each server."""
    return [server.state for server in stack.status()]


def test_up_and_down(stack_factory: Factory) -> None:
    """After up all answer, another up starts nothing, after down no process is left."""
    stack = stack_factory()
    assert states(stack) == ["down", "down"]
    assert running_endpoints(stack.data_dir) is None

    first = stack.up()
    pids = [server.pid for server in stack.status()]
    assert states(stack) == ["up", "up"]
    assert running_endpoints(stack.data_dir) == first
    assert stack.up() == first
    assert [server.pid for server in stack.status()] == pids

    stack.down()
    assert states(stack) == ["down", "down"]
    assert not any(psutil.pid_exists(pid) for pid in pids if pid)


def test_another_up_keeps_the_address(stack_factory: Factory) -> None:
    """Programs that were told an address need not be told again."""
    stack = stack_factory(kafka=False)
    first = stack.up()
    stack.down()

    assert stack.up() == first


def test_killed_servers_come_back_with_their_data(stack_factory: Factory) -> None:
    """What was answered before a kill -9 is there after it, at the same address."""
    stack = stack_factory()
    endpoints = stack.up()
    _produce(endpoints.kafka_bootstrap, "kept", [b"1", b"2"])
    with redis.Redis.from_url(endpoints.redis_url) as client:
        client.set("kept", "1")

    stack.kill_kafka()
    stack.kill_valkey()
    assert states(stack) == ["crashed", "crashed"]
    assert "Server started" in stack.status()[1].log
    stack.start_valkey()
    stack.start_kafka()

    assert stack.endpoints == endpoints
    assert _consume(endpoints.kafka_bootstrap, "kept") == [b"1", b"2"]
    with redis.Redis.from_url(endpoints.redis_url) as client:
        assert client.get("kept") == b"1"


def test_an_interrupted_format_is_done_again(tmp_path: Path) -> None:
    """Half a data folder, left by a crash, is replaced by a whole one before Kafka starts."""
    unfinished = tmp_path / "data.unfinished"
    unfinished.mkdir()
    (unfinished / "meta.properties").write_text("node.", encoding="utf-8")
    (tmp_path / "data" / "__cluster_metadata-0").mkdir(parents=True)

    KafkaServer(tmp_path).command({"CLIENT": 1, "CONTROLLER": 2})

    assert "node.id=1" in (tmp_path / "data/meta.properties").read_text(encoding="utf-8")
    assert list((tmp_path / "data/__cluster_metadata-0").iterdir())
    assert not unfinished.exists()


def test_topics_without_kafkas_own_description_are_not_thrown_away(tmp_path: Path) -> None:
    """A data folder that something else has touched is refused, not formatted."""
    segment = tmp_path / "data" / "logins-0" / "00000000000000000000.log"
    segment.parent.mkdir(parents=True)
    segment.write_bytes(b"records")

    with pytest.raises(StackError, match=r"holds 1 partitions but no meta\.properties"):
        KafkaServer(tmp_path).start()

    assert segment.read_bytes() == b"records"


def test_another_process_with_the_old_pid_is_left_alone(tmp_path: Path) -> None:
    """A record whose pid now belongs to somebody else means: down; nobody is signalled."""
    server = ValkeyServer(tmp_path, owner=os.getpid())
    server.start()
    record = (tmp_path / FILE_NAME).read_text(encoding="utf-8")
    server.kill()
    foreign = record.replace(str(server.record.pid if server.record else 0), str(os.getpid()))
    (tmp_path / FILE_NAME).write_text(foreign, encoding="utf-8")

    assert server.pid is None
    server.kill()  # would end this very test
    server.start()
    assert server.pid != os.getpid()
    server.stop()


@pytest.mark.parametrize("left", ["", '{"pid": 12', '{"pid": 1, "ports": {}, "other": 1}'])
def test_a_lost_record_does_not_start_a_second_server(tmp_path: Path, left: str) -> None:
    """Two servers never write the same files: a running one is found by its command line."""
    server = ValkeyServer(tmp_path, owner=os.getpid())
    first = server.start().pid
    (tmp_path / FILE_NAME).write_text(left, encoding="utf-8")

    assert server.pid == first
    second = server.start().pid

    assert second != first
    assert not psutil.pid_exists(first)
    assert server.pid == second
    server.stop()


def test_a_port_taken_meanwhile_is_replaced(tmp_path: Path) -> None:
    """A stack that was down comes up beside whoever took its port."""
    server = ValkeyServer(tmp_path, owner=os.getpid())
    server.start()
    server.stop()
    old = server.port
    with socket.create_server((LOOPBACK, old)):
        with pytest.raises(StackError, match=f"{LOOPBACK}:{old} is in use"):
            server.start(same_ports=True)
        server.start()
        assert server.port != old
        server.stop()


def test_a_server_that_cannot_start_shows_its_log(tmp_path: Path) -> None:
    """The message holds what the server itself said, not only that it failed."""
    server = ValkeyServer(tmp_path, settings={"appendfsync": "\x1b[31mnever"}, owner=os.getpid())

    with pytest.raises(StackError, match="valkey: ended while starting") as failure:
        server.start()

    assert "appendfsync" in str(failure.value)
    assert "\x1b" not in str(failure.value)
    assert server.pid is None


def test_a_folder_that_kafka_would_misread_is_refused(tmp_path: Path) -> None:
    """A comma in the path would make two log folders of it."""
    with pytest.raises(StackError, match="choose another data folder"):
        Stack(tmp_path / "a,b").up()


def test_a_stack_without_kafka_says_so(stack_factory: Factory) -> None:
    """Killing what is not there is an error of the caller, told as one."""
    with pytest.raises(StackError, match="kafka: not part of this stack"):
        stack_factory(kafka=False).kill_kafka()


def test_the_secure_listener_answers_those_who_know_the_password(stack_factory: Factory) -> None:
    """SASL_SSL: the right password over the stack's own authority; nothing less gets in."""
    stack = stack_factory(valkey=False, listeners="SASL_SSL")
    endpoints = stack.up()
    security = endpoints.kafka_security
    assert security is not None
    options = {
        "bootstrap_servers": endpoints.kafka_bootstrap,
        "security_protocol": security.protocol,
        "sasl_mechanism": security.mechanism,
        "sasl_plain_username": security.username,
        "ssl_cafile": str(security.ca_file),
        "ssl_check_hostname": True,
    }

    with KafkaAdminClient(**options, sasl_plain_password=security.password) as admin:
        assert len(admin.describe_cluster()["brokers"]) == 1
    # In the broker's own words: a client may lose the answer with the connection, and on a busy
    # machine its time may be over before it has said its password.
    for _ in range(20):
        with pytest.raises(KafkaError):
            KafkaAdminClient(**options, sasl_plain_password="wrong", bootstrap_timeout_ms=4000)
        if _REFUSED in (said := _log_of_kafka(stack)):
            break
    assert _REFUSED in said
    assert security.password_file.stat().st_mode & 0o077 == 0
    assert endpoints.environ()["LOGINWARD_KAFKA_SECURITY_PROTOCOL"] == "SASL_SSL"
    with pytest.raises(StackError, match="runs with SASL_SSL, not PLAINTEXT"):
        Stack(stack.data_dir, valkey=False, listeners="PLAINTEXT").up()
    assert running_endpoints(stack.data_dir) is None  # its Valkey is down


_REFUSED = "due to invalid credentials"


def _log_of_kafka(stack: Stack) -> str:
    return "".join(path.read_text(errors="replace") for path in stack.data_dir.rglob("kafka.log*"))


def _produce(bootstrap: str, topic: str, values: list[bytes]) -> None:
    with KafkaAdminClient(bootstrap_servers=bootstrap) as admin:
        admin.create_topics([NewTopic(name=topic, num_partitions=1, replication_factor=1)])
    producer = KafkaProducer(bootstrap_servers=bootstrap, acks="all")
    for value in values:
        producer.send(topic, value, partition=0).get(timeout=60)
    producer.close()


def _consume(bootstrap: str, topic: str) -> list[bytes]:
    consumer = KafkaConsumer(bootstrap_servers=bootstrap, enable_auto_commit=False)
    partition = TopicPartition(topic, 0)
    consumer.assign([partition])
    consumer.seek_to_beginning(partition)
    end = consumer.end_offsets([partition])[partition]
    found: list[bytes] = []
    while consumer.position(partition) < end:
        found += [r.value for r in consumer.poll(timeout_ms=1000).get(partition, [])]
    consumer.close()
    return found


def test_only_the_owner_starts_what_it_owns(tmp_path: Path) -> None:
    """A forked child would start a server that nothing ends."""
    with pytest.raises(StackError, match="only the owner, process 1, can start it"):
        ValkeyServer(tmp_path, owner=1).start()
