"""What a batch holds: every codec, every gap of the log, small when idle and large when behind."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path

import aiokafka
import pytest
from kafka import TopicPartition
from kafka.admin import KafkaAdminClient

from tests.conftest import TopicFactory

from .workers import Handled, Worker, committed, eventually, produce

CODECS = ("gzip", "snappy", "lz4", "zstd")
Start = Callable[..., Worker]


async def send(bootstrap: str, topic: str, codec: str | None, *records: tuple[int, str]) -> None:
    """Append records by aiokafka's producer: (partition, value)."""
    async with aiokafka.AIOKafkaProducer(
        bootstrap_servers=bootstrap, compression_type=codec
    ) as producer:
        for partition, value in records:
            await producer.send_and_wait(topic, value.encode(), partition=partition)


def test_every_codec_of_both_clients_is_read(
    start: Start,
    fresh_topic: TopicFactory,
    kafka_bootstrap: str,
    kafka_admin: KafkaAdminClient,
    group: str,
    tmp_path: Path,
) -> None:
    """gzip, snappy, lz4 and zstd, from kafka-python and from aiokafka, come out as they went in."""
    topic = fresh_topic("logins", partitions=len(CODECS))
    for partition, codec in enumerate(CODECS):
        counts = [0] * partition + [10]
        produce(kafka_bootstrap, topic, counts, frame=5, compression_type=codec)
        text = f"{codec} by aiokafka"
        asyncio.run(send(kafka_bootstrap, topic, codec, (partition, text)))

    worker = start(topic, with_values=True)
    eventually(lambda: committed(kafka_admin, group, topic), dict.fromkeys(range(4), 11))
    assert worker.terminate() == 0

    expected = {f"{p}:{i}".ljust(20) for p in range(4) for i in range(10)}
    assert set(Handled(tmp_path / "journal").values()) == expected | {
        f"{codec} by aiokafka" for codec in CODECS
    }


def test_transaction_markers_are_covered_though_they_are_no_records(
    start: Start,
    fresh_topic: TopicFactory,
    kafka_bootstrap: str,
    kafka_admin: KafkaAdminClient,
    group: str,
    tmp_path: Path,
) -> None:
    """The commit reaches the end of the log, not the last record; an aborted record is read too."""
    topic = fresh_topic("logins")

    async def transactions() -> None:
        producer = aiokafka.AIOKafkaProducer(
            bootstrap_servers=kafka_bootstrap, transactional_id=group
        )
        async with producer:
            async with producer.transaction():
                await producer.send_and_wait(topic, b"kept")
            await producer.begin_transaction()
            await producer.send_and_wait(topic, b"aborted")
            await producer.abort_transaction()

    asyncio.run(transactions())
    worker = start(topic, with_values=True)

    eventually(lambda: committed(kafka_admin, group, topic), {0: 4})
    assert worker.terminate() == 0
    assert Handled(tmp_path / "journal").values() == ["kept", "aborted"]


def test_a_frame_larger_than_a_batch_is_cut(
    start: Start,
    fresh_topic: TopicFactory,
    kafka_bootstrap: str,
    kafka_admin: KafkaAdminClient,
    group: str,
    tmp_path: Path,
) -> None:
    """No batch holds more records than asked for, and the cuts lose and double nothing."""
    topic = fresh_topic("logins")
    produce(kafka_bootstrap, topic, [1000], batch_size=1_000_000, linger_ms=500)

    worker = start(topic, options={"batch_records": 64})
    eventually(lambda: committed(kafka_admin, group, topic), {0: 1000})
    assert worker.terminate() == 0

    handled = Handled(tmp_path / "journal")
    assert handled.offsets(0) == list(range(1000))
    assert max(len(line["offsets"]) for line in handled.lines) == 64
    starts = [line["start"] for line in handled.lines]
    assert starts[1:] == [line["end"] for line in handled.lines][:-1]


def test_a_batch_tells_keys_times_and_the_end_of_the_log_and_trusts_no_content(
    start: Start, fresh_topic: TopicFactory, kafka_bootstrap: str, tmp_path: Path
) -> None:
    """Keys, values and log-append times are parallel; what Faust would obey is only bytes."""
    topic = fresh_topic("logins", message_timestamp_type="LogAppendTime")

    evil = b'{"__faust": {"ns": "os.system"}}'

    async def two() -> None:
        async with aiokafka.AIOKafkaProducer(bootstrap_servers=kafka_bootstrap) as producer:
            await producer.send_and_wait(topic, evil, headers=[("Faust-Ag-ReplyTo", b"t")])
            await producer.send_and_wait(topic, None, key=b"k", timestamp_ms=1_000)

    asyncio.run(two())
    worker = start(topic, with_values=True)
    eventually(lambda: Handled(tmp_path / "journal").below(0), 2)
    assert worker.terminate() == 0

    lines = [json.loads(line) for line in (tmp_path / "journal").read_text().splitlines()]
    values, keys, times = ([x for line in lines for x in line[k]] for k in ("values", "keys", "ms"))
    assert (values, keys) == ([evil.decode(), None], [None, "k"])
    assert all(time > 1_600_000_000_000 for time in times)  # the broker's clock, not 1970
    assert {line["highwater"] for line in lines} == {2}


@pytest.mark.parametrize("limit", [1, 4])
def test_no_more_batches_are_handed_over_than_may_be_open(
    start: Start,
    fresh_topic: TopicFactory,
    kafka_bootstrap: str,
    group: str,
    kafka_admin: KafkaAdminClient,
    limit: int,
) -> None:
    """While the agent hangs, fetching stops at the limit and the worker stays in its group."""
    topic = fresh_topic("logins", partitions=3)
    produce(kafka_bootstrap, topic, [50, 50, 50], frame=5)
    worker = start(
        topic, hang_at=0, watch=True, options={"batch_records": 5, "buffered_batches": limit}
    )
    worker.wait_for("hanging", f"open {limit}")

    worker.wait_for_silence(6)  # one and a half session timeouts

    opened = {int(line.split()[1]) for line in worker.said if line.startswith("open")}
    assert max(opened) == limit
    assert [line for line in worker.said if line.startswith("revoked ")] == []
    assert not worker.ended


def test_records_deleted_before_they_were_read_are_told(
    start: Start,
    fresh_topic: TopicFactory,
    kafka_bootstrap: str,
    kafka_admin: KafkaAdminClient,
    group: str,
    tmp_path: Path,
) -> None:
    """Retention that overtakes a stopped worker is a loss: an error and a hook tell it."""
    topic = fresh_topic("logins")
    produce(kafka_bootstrap, topic, [10])
    worker = start(topic)
    worker.wait_for("handled 0 0 10")
    assert worker.terminate() == 0
    produce(kafka_bootstrap, topic, [20], first=10)
    kafka_admin.delete_records({TopicPartition(topic, 0): 25})

    worker = start(topic)
    worker.wait_for("jump 0 10 25")
    eventually(lambda: committed(kafka_admin, group, topic), {0: 30})
    assert worker.terminate() == 0
    assert "the broker deleted 15 before they were read" in worker.complaints()
    offsets = Handled(tmp_path / "journal").offsets(0)
    assert offsets == [*range(10), *range(25, 30)]
