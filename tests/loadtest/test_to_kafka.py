"""A run into a real Kafka: what was acknowledged is there, where the ledger says, no more."""

from __future__ import annotations

import asyncio
import base64
import io
from collections import Counter
from dataclasses import replace

import msgspec
import pytest
from kafka import KafkaConsumer, TopicPartition

from config.sections import KafkaSettings
from config.settings import load
from detectors import wire
from detectors.errors import LoginwardError
from detectors.pseudonyms import Pseudonyms
from loadtest.ledger import LedgerLine
from loadtest.pacing import Pace, WallClock
from loadtest.run import deliveries
from loadtest.to_kafka import Target, send
from tests.conftest import TopicFactory

from .conftest import MONDAY_MS, Make

PARTITIONS = 3
_PSEUDONYMS = Pseudonyms(b"k" * 32)


@pytest.fixture
def kafka(kafka_bootstrap: str) -> KafkaSettings:
    """Give settings that reach the session's Kafka."""
    return replace(load(environ={}).kafka, bootstrap=kafka_bootstrap)


def _send(make: Make, target: Target, **options: object) -> list[LedgerLine]:
    out = io.BytesIO()
    run = deliveries(make.request("A+G", **options))
    pace = Pace(start_ms=MONDAY_MS, speedup=None, clock=WallClock())
    asyncio.run(send(run, target, pace, out))
    decode = msgspec.json.Decoder(LedgerLine).decode
    return [decode(line) for line in out.getvalue().splitlines()]


def read(kafka: KafkaSettings, topic: str) -> dict[tuple[int, int], tuple[bytes, bytes | None]]:
    """Every record of a topic: (partition, offset) -> (key, value)."""
    consumer = KafkaConsumer(bootstrap_servers=kafka.bootstrap, enable_auto_commit=False)
    partitions = [TopicPartition(topic, n) for n in range(PARTITIONS)]
    consumer.assign(partitions)
    consumer.seek_to_beginning()
    ends = consumer.end_offsets(partitions)
    found = {}
    for _ in range(1_000):
        for partition, records in consumer.poll(timeout_ms=500).items():
            for record in records:
                found[partition.partition, record.offset] = (record.key, record.value)
        if all(consumer.position(p) >= ends[p] for p in partitions):
            break
    consumer.close()
    return found


def test_the_ledger_names_every_record_by_offset(
    make: Make, kafka: KafkaSettings, fresh_topic: TopicFactory
) -> None:
    """Read back, the topic holds exactly the ledger: events, duplicates and bad ones, by offset.

    The values are those of the same run into a file, the keys pseudonyms, the partition one per
    account.
    """
    topic = fresh_topic("logins", partitions=PARTITIONS)
    options = {"events": 20_000, "disorder_ms": 60_000, "duplicates": 0.02, "bad": 50}

    told = _send(make, Target(kafka=kafka, topic=topic, pseudonyms=_PSEUDONYMS), **options)

    found = read(kafka, topic)
    assert {(line.partition, line.offset) for line in told} == set(found)
    assert len(told) == len(found) > 20_050
    homes: dict[str | None, set[int]] = {}
    for line in told:
        assert line.partition is not None
        assert line.offset is not None
        key, value = found[line.partition, line.offset]
        if line.bad:
            assert value == base64.b64decode(line.bytes or "")
            continue
        event = wire.decode(value)
        assert event.event_id == line.event_id
        named = event.emitter if event.account is None else _PSEUDONYMS.account(event.account)
        assert key == named.encode()
        homes.setdefault(line.account, set()).add(line.partition)
    assert {len(partitions) for partitions in homes.values()} == {1}
    assert set(Counter(line.partition for line in told)) == set(range(PARTITIONS))
    values = Counter(value for _, value in found.values())
    assert values == Counter(make("A+G", **options).lines)


def test_a_paced_run_arrives_whole(
    make: Make, kafka: KafkaSettings, fresh_topic: TopicFactory
) -> None:
    """With a pace every record is sent and awaited too (a minute in the time it takes)."""
    topic = fresh_topic("logins", partitions=PARTITIONS)
    run = deliveries(make.request("A+G", rate=20.0, duration_ms=60_000))
    pace = Pace(start_ms=MONDAY_MS, speedup=600.0, clock=WallClock())

    tally = asyncio.run(send(run, Target(kafka=kafka, topic=topic, pseudonyms=_PSEUDONYMS), pace))

    assert len(read(kafka, topic)) == tally.records > 1_000


def test_a_topic_that_is_not_there_is_told(make: Make, kafka: KafkaSettings) -> None:
    """A missing topic ends the run with a sentence that names it and the way out."""
    target = Target(kafka=kafka, topic="no-such-topic", pseudonyms=_PSEUDONYMS)

    with pytest.raises(LoginwardError, match=r"no-such-topic.*doctor"):
        _send(make, target, events=10)


def test_a_broker_that_is_not_there_is_told(make: Make, kafka: KafkaSettings) -> None:
    """Nobody listening ends the run with a sentence that names the address."""
    target = Target(
        kafka=replace(kafka, bootstrap="127.0.0.1:1"), topic="logins", pseudonyms=_PSEUDONYMS
    )

    with pytest.raises(LoginwardError, match=r"127\.0\.0\.1:1"):
        _send(make, target, events=10)
