"""Record batches that cannot be read: never in silence, never a neighbour lost with them."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import aiokafka
import pytest
from aiokafka.errors import CorruptRecordException
from kafka.admin import KafkaAdminClient, NewTopic

from deploy.embedded import KafkaServer

from .damage import broken_records, damage, lying_header, unknown_codec, wrong_checksum
from .workers import Handled, Worker, committed, eventually, produce

Damage = Callable[[bytearray], None]
ALL: list[tuple[str, int, Damage]] = [
    ("wrong checksum", 5, wrong_checksum),
    ("lying header", 5, lying_header),
    ("unknown codec", 5, unknown_codec),
    ("broken records", 5, broken_records),
    ("two in a row", 5, wrong_checksum),
    ("last frame", 15, wrong_checksum),
    ("first frame", 0, wrong_checksum),
]
"""Kinds of damage, and the first offset of the frame it is done to; the place is the partition."""
MANY = "damaged"
ALONE = {"bad-disk": wrong_checksum, "new-codec": unknown_codec}
Start = Callable[..., Worker]


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Give a broker whose topics have 20 records a partition, in frames of 5, some of them bad."""
    server = KafkaServer(tmp_path_factory.mktemp("poison"), owner=os.getpid())
    server.start()
    client = KafkaAdminClient(bootstrap_servers=server.address)
    sizes = {MANY: len(ALL), **dict.fromkeys(ALONE, 1)}
    client.create_topics([NewTopic(name, n, 1) for name, n in sizes.items()])
    client.close()
    for topic, partitions in sizes.items():
        produce(server.address, topic, [20] * partitions, frame=5)
    server.stop()
    for partition, (name, offset, how) in enumerate(ALL):
        damage(server.directory, f"{MANY}-{partition}", offset, how)
        if name == "two in a row":
            damage(server.directory, f"{MANY}-{partition}", offset + 5, unknown_codec)
    for topic, how in ALONE.items():
        damage(server.directory, f"{topic}-0", 5, how)
    server.start()
    yield server.address
    server.stop()


@pytest.fixture
def admin(broker: str) -> Iterator[KafkaAdminClient]:
    """Give an admin client of that broker."""
    client = KafkaAdminClient(bootstrap_servers=broker)
    yield client
    client.close()


def test_reported_damage_is_skipped_and_takes_no_neighbour_with_it(
    start: Start, broker: str, group: str, admin: KafkaAdminClient, tmp_path: Path
) -> None:
    """With a reporter every readable record is handled once, and damage is named by its offsets."""
    worker = start(MANY, bootstrap=broker, report_damage=True)

    eventually(lambda: committed(admin, group, MANY), dict.fromkeys(range(len(ALL)), 20))
    assert worker.terminate() == 0
    handled = Handled(tmp_path / "journal")
    for partition, (name, first, _) in enumerate(ALL):
        bad = range(first, first + (10 if name == "two in a row" else 5))
        assert handled.offsets(partition) == [i for i in range(20) if i not in bad], name
        assert handled.damaged(partition) == list(bad), name
        assert f"[{partition}]: cannot read records from offset {first} on" in worker.complaints()


@pytest.mark.parametrize("topic", ALONE)
def test_without_a_reporter_the_worker_stops_in_front_of_the_damage(
    start: Start, broker: str, topic: str, group: str, admin: KafkaAdminClient, tmp_path: Path
) -> None:
    """Nothing is skipped by itself: exit 70 names the offsets, no commit goes beyond them."""
    worker = start(topic, bootstrap=broker)

    assert worker.exit_code() == 70
    assert f"unreadable records in <Batch {topic}[0] 5..9, 0 records>" in worker.complaints()
    assert committed(admin, group, topic).get(0, 0) <= 5
    assert Handled(tmp_path / "journal").offsets(0) == [0, 1, 2, 3, 4]


def test_aiokafka_itself_loses_the_good_records_before_a_bad_checksum(broker: str) -> None:
    """Why the reader does not use getmany: offsets 0 to 4 are readable, and it never gives them."""

    async def read() -> tuple[list[int], int]:
        consumer = aiokafka.AIOKafkaConsumer(bootstrap_servers=broker)
        await consumer.start()
        partition = aiokafka.TopicPartition("bad-disk", 0)
        consumer.assign([partition])
        consumer.seek(partition, 0)
        got: list[int] = []
        errors = 0
        while errors < 3:
            try:
                found = await consumer.getmany(timeout_ms=1000)
                got += [record.offset for records in found.values() for record in records]
            except CorruptRecordException:
                errors += 1
        await consumer.stop()
        return got, errors

    assert asyncio.run(read()) == ([], 3)
