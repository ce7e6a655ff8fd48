"""A full disk stops the servers with a message that says so, and costs no answered write."""

import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest
import redis
from kafka import KafkaProducer
from kafka.admin import KafkaAdminClient, NewTopic
from kafka.errors import KafkaError
from redis.backoff import NoBackoff
from redis.retry import Retry

from deploy.embedded import KafkaServer, StackError, ValkeyServer

_DISK_MB = 96  # a server asks for 64 at its start
_WRITE = b"x" * 500_000


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """Mount a small disk of memory."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={_DISK_MB}m", "tmpfs", str(disk)]
    if os.geteuid() or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("only root may mount a disk, and not in every container")
    yield disk
    subprocess.run(["umount", "--lazy", str(disk)], check=True)


def _fill(disk: Path) -> Path:
    """Take all room but 2 MB."""
    filler = disk / "filler"
    filler.write_bytes(b"\0" * (psutil.disk_usage(str(disk)).free - 2_000_000))
    return filler


def test_valkey_on_a_full_disk(small_disk: Path) -> None:
    """It ends rather than answer a write that is not on disk; what it answered is there later."""
    server = ValkeyServer(small_disk / "valkey", owner=os.getpid())
    server.start()
    filler = _fill(small_disk)
    answered = _set_until_refused(server.url)

    with pytest.raises(StackError, match=r"MB free, at least 64 MB are needed: free some space"):
        server.start()
    assert "AOF write error" in server.log_tail()

    filler.unlink()
    server.start()
    with redis.Redis.from_url(server.url) as client:
        assert answered > 0
        assert client.dbsize() >= answered
        assert client.get(f"key-{answered - 1}") == _WRITE
    server.stop()


def test_kafka_on_a_full_disk(small_disk: Path) -> None:
    """It ends rather than acknowledge a record it cannot write; it starts again with the room."""
    server = KafkaServer(small_disk / "kafka", owner=os.getpid())
    server.start()
    with KafkaAdminClient(bootstrap_servers=server.address) as admin:
        admin.create_topics([NewTopic(name="t", num_partitions=1, replication_factor=1)])
    filler = _fill(small_disk)

    producer = KafkaProducer(
        bootstrap_servers=server.address, request_timeout_ms=1000, delivery_timeout_ms=1500
    )
    acknowledged = _sent_until_it_ends(producer, server)
    assert acknowledged * len(_WRITE) < 2_500_000
    producer.close(timeout=0)
    server.stop()  # nothing is left to stop, and nothing can be written down

    with pytest.raises(StackError, match=r"MB free, at least 64 MB are needed: free some space"):
        server.start()
    assert "No space left on device" in server.logs[1].read_text(encoding="utf-8")
    filler.unlink()
    server.start()
    server.stop()


def _set_until_refused(url: str) -> int:
    """Give how many writes were answered."""
    with redis.Redis.from_url(url, retry=Retry(NoBackoff(), 0)) as client:
        for number in range(10):
            try:
                client.set(f"key-{number}", _WRITE)
            except redis.RedisError:
                return number
    raise AssertionError("10 writes of 0.5 MB went to a disk with 2 MB")


def _sent_until_it_ends(producer: KafkaProducer, server: KafkaServer) -> int:
    """Write until the broker's process is gone; give how many writes were answered."""
    answered = 0
    deadline = time.monotonic() + 120
    while server.pid is not None:
        assert time.monotonic() < deadline, server.log_tail()
        # A slow broker misses the producer's 1.5 s as well: that is no end.
        with suppress(KafkaError):
            producer.send("t", _WRITE, partition=0).get(timeout=30)
            answered += 1
    return answered
