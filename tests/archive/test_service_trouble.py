"""The archiver when Kafka, the disk or the operator does what it should not."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest
from kafka import KafkaProducer, TopicPartition
from kafka.admin import KafkaAdminClient

from archive.read import segments
from config.kafka import ensure_topics, kafka_python_options, topic_ids, topic_name
from deploy.embedded import Stack

from .builders import login
from .conftest import make_corner
from .corner import PATIENCE, Corner, wait_until
from .test_service import assert_complete, decodable

pytestmark = pytest.mark.long


def topic_made_anew(corner: Corner, admin: KafkaAdminClient) -> str:
    """Delete `logins` and make it again; its new id."""
    kafka = corner.settings.kafka
    name = topic_name(kafka, "logins")
    old = topic_ids(kafka, [name])[name]
    admin.delete_topics([name])

    def anew() -> bool:
        ensure_topics(kafka)
        return topic_ids(kafka, [name])[name] != old

    wait_until(anew, "the topic made anew")
    corner.ledger.pop("logins", None)
    return topic_ids(kafka, [name])[name]


def archived_and_stopped(corner: Corner, count: int) -> None:
    """Send `count` logins, archive them, and stop the archiver."""
    corner.send("logins", [login(number) for number in range(count)])
    process = corner.archiver()
    corner.wait_sealed("logins")
    assert corner.stop(process) == 0


def test_a_full_disk_is_waited_out(corner: Corner) -> None:
    """A refused write leaves nothing, and it goes on by itself when there is space again."""
    corner.send("logins", [login(number) for number in range(600)])

    process = corner.archiver(
        "archive.parquet_half=raise:ENOSPC@1,archive.key_written=raise:EDQUOT@2,"
        "archive.seal_half=raise:ENOSPC@2"
    )
    corner.wait_sealed("logins")

    assert corner.stop(process) == 0
    assert corner.log(0).count("refuses to be written") == 3
    assert "can be written again" in corner.log(0)
    assert_complete(corner)
    assert corner.verify().leftovers == 0


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """Give a folder on a disk of 1 MiB."""
    folder = tmp_path / "small"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m,mode=700", "tmpfs", str(folder)]
    if os.geteuid() != 0 or subprocess.run(mount, check=False, capture_output=True).returncode:
        pytest.skip("mounting a small disk needs root; the failpoints above show the same")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def fill(path: Path) -> None:
    """Leave no block free on the disk of `path`."""
    with suppress(OSError), path.open("wb", buffering=0) as file:
        while file.write(bytes(4096)):
            continue


def test_a_really_full_disk_is_waited_out(corner: Corner, small_disk: Path) -> None:
    """With no byte left the archiver stays up, says where and why, and recovers by itself."""
    archive = replace(corner.settings.archive, directory=small_disk / "archive")
    corner.settings = replace(corner.settings, archive=archive)
    corner.root = archive.directory
    corner.send("logins", [login(number) for number in range(600)])
    archive.directory.mkdir(mode=0o700)
    filler = small_disk / "filler"
    fill(filler)

    process = corner.archiver(LOGINWARD_ARCHIVE_DIRECTORY=str(archive.directory))
    wait_until(lambda: corner.log(0).count("refuses to be written") > 1, "the disk refused twice")
    assert process.poll() is None
    filler.unlink()
    corner.wait_sealed("logins")

    assert corner.stop(process) == 0
    assert f'"{archive.directory}"' in corner.log(0)
    assert_complete(corner)


def test_a_topic_made_anew_has_a_chain_of_its_own(
    corner: Corner, kafka_admin: KafkaAdminClient
) -> None:
    """Equal offsets of a deleted topic and of its successor are two records, both archived."""
    corner.send("logins", [login(number) for number in range(300)])
    before = decodable(corner.ledger["logins"])
    process = corner.archiver()
    corner.wait_sealed("logins")

    new = topic_made_anew(corner, kafka_admin)
    corner.send("logins", [login(number) for number in range(1000, 1100)])
    after = decodable(corner.ledger["logins"])
    wait_until(
        lambda: sum(s.rows for p, s in segments(corner.root, "logins") if p.topic_id == new) == 100,
        "the new topic archived",
    )

    assert corner.stop(process) == 0
    found = corner.logins_in_full()
    assert {
        (one.part.partition, one.offset): one.event for one in found if one.part.topic_id == new
    } == after
    assert {
        (one.part.partition, one.offset): one.event for one in found if one.part.topic_id != new
    } == before
    assert corner.verify().findings == []


@pytest.mark.parametrize(
    ("anew", "said"),
    [
        pytest.param(50, "lost records it had acknowledged", id="shorter log"),
        pytest.param(700, "gave their offsets anew", id="grown past our end again"),
    ],
)
def test_a_broker_that_lost_its_tail_is_not_believed(
    corner: Corner, kafka_admin: KafkaAdminClient, anew: int, said: str
) -> None:
    """Other records at archived offsets are never archived under the same identity."""
    archived_and_stopped(corner, 300)
    before = [seal for _, seal in segments(corner.root, "logins")]
    new = topic_made_anew(corner, kafka_admin)
    topic_folder = corner.root / "logins"
    (old,) = topic_folder.iterdir()
    old.rename(topic_folder / new)  # as if it were the same topic with another content
    corner.send("logins", [login(number) for number in range(5000, 5000 + anew)])

    process = corner.archiver()
    wait_until(lambda: corner.log(1).count(said) == 2, "both partitions halted")

    assert corner.stop(process) == 0
    assert [seal for _, seal in segments(corner.root, "logins")] == before


def test_what_kafka_deleted_before_us_is_named(
    corner: Corner, kafka_admin: KafkaAdminClient
) -> None:
    """Offsets that retention took are sealed as expired: the loss stands in the evidence."""
    corner.send("logins", [login(number) for number in range(400)])
    name = topic_name(corner.settings.kafka, "logins")
    kafka_admin.delete_records({TopicPartition(name, 0): 150})

    process = corner.archiver()
    wait_until(
        lambda: sum(seal.rows for _, seal in segments(corner.root, "logins")) == 250,
        "the rest archived",
    )

    assert corner.stop(process) == 0
    expired = [seal.expired for _, seal in segments(corner.root, "logins") if seal.expired]
    assert expired == [((0, 149),)]
    assert corner.verify().expired == 150
    assert corner.verify().findings == []


def test_offsets_of_transaction_marks_are_named(corner: Corner) -> None:
    """Kafka's own marks take offsets and hold no record; the seals name them as absent."""
    name = topic_name(corner.settings.kafka, "logins")
    producer = KafkaProducer(
        **kafka_python_options(corner.settings.kafka), transactional_id=f"{name}-test"
    )
    producer.init_transactions()
    for start in range(0, 40, 10):
        producer.begin_transaction()
        for number in range(start, start + 10):
            producer.send(name, login(number), partition=0)
        producer.commit_transaction()
    producer.close(timeout=PATIENCE)

    process = corner.archiver()
    wait_until(
        lambda: sum(seal.rows for _, seal in segments(corner.root, "logins")) == 40,
        "all logins archived",
    )

    assert corner.stop(process) == 0
    absent = [part for _, seal in segments(corner.root, "logins") for part in seal.absent]
    assert absent == [(10, 10), (21, 21), (32, 32)]  # the last mark has no record behind it yet
    assert corner.verify().findings == []


def feed_until_dead(corner: Corner, process: subprocess.Popen[bytes]) -> None:
    """Send logins, whoever archives them, until the failpoint of `process` has hit."""

    def dead() -> bool:
        corner.send("logins", [login(number) for number in range(40)])
        return process.poll() is not None

    wait_until(dead, "a killed archiver")


def test_archivers_that_come_and_go_lose_and_double_nothing(corner: Corner) -> None:
    """Archivers that join, leave and are killed in the middle of a write: each record once."""
    doomed = corner.archiver("archive.data_synced=kill@1")
    heir = corner.archiver()
    feed_until_dead(corner, doomed)
    doomed_too = corner.archiver("archive.seal_linked=kill@1")
    feed_until_dead(corner, doomed_too)
    corner.wait_sealed("logins")

    assert corner.stop(heir) == 0
    assert "data_synced: kill" in corner.log(0)
    assert "seal_linked: kill" in corner.log(2)
    assert_complete(corner)


def test_a_broker_that_is_killed_is_waited_for(
    stack_factory: Callable[..., Stack], tmp_path: Path
) -> None:
    """A kill -9 of Kafka stops nothing for good: the archiver stays up and goes on by itself."""
    stack = stack_factory(valkey=False)
    corner = make_corner(stack.up().kafka_bootstrap, tmp_path)
    corner.send("logins", [login(number) for number in range(300)])
    process = corner.archiver()
    corner.wait_sealed("logins")

    stack.kill_kafka()
    stack.start_kafka()
    corner.send("logins", [login(number) for number in range(300, 600)])
    corner.wait_sealed("logins")

    assert process.poll() is None
    assert_complete(corner)
    stack.kill_kafka()
    assert corner.stop(process) == 0
