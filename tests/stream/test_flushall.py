"""Everything is gone from Redis, and 100,000 known devices with it: nobody is disturbed by that."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest
import redis
from aiokafka import AIOKafkaProducer
from kafka.admin import KafkaAdminClient
from kafka.structs import TopicPartition

from config.kafka import ensure_topics, producer_options, topic_name
from detectors import verdicts
from tests.stream.pipeline import Pipeline

pytestmark = [pytest.mark.long, pytest.mark.timeout(300)]

AGAIN = 1_000
"""Accounts that log in after the loss; each had three devices before it."""
OTHERS = 48_500
"""Accounts with two devices each."""
PATIENCE_S = 120.0


def success(number: int, device: int, at: datetime, *, away: bool = False) -> bytes:
    """A login of an account on one of its devices, at home or in another country."""
    place = {"country": "JP", "asn": 64501} if away else {"country": "TW", "asn": 64500}
    event = {
        "schema": 1,
        "event_id": f"{number}-{device}-{at.timestamp():.0f}",
        "occurred_at": at.isoformat(),
        "system": "web",
        "account": f"K{number:09d}",
        # Every tenth goes through one gateway: behind it all their devices would look new at once.
        "ip": "203.0.113.7" if away and number % 10 == 0 else f"2001:db8:{away:d}:{number:x}::1",
        "outcome": "success",
        "device_id": f"d{number}-{device}",
        "origin": place,
    }
    return msgspec.json.encode(event)


async def send(pipeline: Pipeline, values: Iterable[bytes]) -> None:
    """Records into `logins`, by account."""
    producer = AIOKafkaProducer(**producer_options(pipeline.settings.kafka))
    await producer.start()
    try:
        topic = topic_name(pipeline.settings.kafka, "logins")
        for number, value in enumerate(values):
            await producer.send(topic, value, partition=number % AGAIN % 2)
        await producer.flush()
    finally:
        await producer.stop()


def wait_for(what: Callable[[], bool]) -> None:
    """Wait until something has happened, bounded."""
    deadline = time.monotonic() + PATIENCE_S
    while not what():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def settled(server: redis.Redis) -> bool:
    """Whether nothing waits to be judged or told."""
    return not any(
        server.type(key) == b"zset" or server.xlen(key)
        for pattern in (b"u:{*", b"o:{*")
        for key in server.scan_iter(match=pattern)
    )


def test_a_total_loss_with_100_000_known_devices_tells_nobody_and_raises_nothing(
    tmp_path: Path,
    kafka_bootstrap: str,
    kafka_admin: KafkaAdminClient,
    fresh_redis: redis.Redis,
    fresh_redis_url: str,
) -> None:
    """Customers log in abroad on a device that was known before the loss, and Kafka has forgotten
    it too: no notice, no alert id.
    """
    pipeline = Pipeline(tmp_path, "flushall.", kafka_bootstrap, fresh_redis_url)
    ensure_topics(pipeline.settings.kafka)
    now = datetime.now(tz=UTC).replace(microsecond=0)
    known = [
        success(number, device, now - timedelta(days=6 - device))
        for device, accounts in enumerate((AGAIN + OTHERS, AGAIN + OTHERS, AGAIN))
        for number in range(accounts)
    ]
    total = len(known)
    assert total == 100_000
    asyncio.run(send(pipeline, known))
    with pipeline.running("detect"), pipeline.running("relay"):
        wait_for(lambda: pipeline.committed() == total)
        wait_for(lambda: settled(fresh_redis))
        before = {record.key for record in pipeline.records("alerts")}

        fresh_redis.flushdb()
        topic = topic_name(pipeline.settings.kafka, "logins")
        kafka_admin.delete_records({TopicPartition(topic, number): -1 for number in range(2)})
        home = [
            success(number, 0, now - timedelta(minutes=10 * ago))
            for ago in (4, 3, 2)
            for number in range(AGAIN)
        ]
        abroad = [success(number, 2, now, away=True) for number in range(AGAIN)]
        asyncio.run(send(pipeline, [*home, *abroad]))
        wait_for(lambda: pipeline.committed() == total + len(home) + len(abroad))
        wait_for(lambda: settled(fresh_redis))

    assert "memory is cold" in pipeline.log("detect")
    told = [verdicts.decode(record.value) for record in pipeline.records("verdicts")]
    assert [one for one in told if one.notice_risk in {"ask", "high"}] == []
    assert {record.key for record in pipeline.records("alerts")} == before == set()
