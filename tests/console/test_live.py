"""The live feed reads real topics beside the pipeline and joins nothing."""

from __future__ import annotations

import asyncio
import itertools
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta

import msgspec
import pytest
from aiokafka import AIOKafkaProducer
from kafka.admin import KafkaAdminClient

from config.kafka import answered, ensure_topics, producer_options, topic_name
from config.settings import KafkaSettings, load
from config.topics import TopicName
from console.live import LiveFeed
from deploy.embedded import Stack
from detectors import alerts, incidents, wire
from detectors.pseudonyms import Pseudonyms

from .builders import alert, batch, incident, login

Record = tuple[TopicName, bytes | None]
_numbers = itertools.count(1)
_PATIENCE_S = 120.0


@pytest.fixture
def kafka(kafka_bootstrap: str) -> KafkaSettings:
    """Settings with topics of this test's own."""
    return _settings(kafka_bootstrap)


def _settings(bootstrap: str) -> KafkaSettings:
    settings = replace(
        load(environ={}).kafka,
        bootstrap=bootstrap,
        topic_prefix=f"live{os.getpid()}-{next(_numbers)}.",
        partitions=2,
    )
    ensure_topics(settings)
    return settings


def send(kafka: KafkaSettings, records: Sequence[Record]) -> None:
    """Deliver records to partition 0 of their topics, in order."""

    async def deliver() -> None:
        async with AIOKafkaProducer(**producer_options(kafka)) as producer:
            for topic, value in records:
                name = topic_name(kafka, topic)
                await producer.send_and_wait(name, value=value, key=b"k", partition=0)

    asyncio.run(deliver())


def until(done: Callable[[], bool]) -> None:
    """Wait for the feed's next look; a feed that never sees it fails the test."""
    deadline = time.monotonic() + _PATIENCE_S
    while not done():
        assert time.monotonic() < deadline, "the feed has not seen it"
        time.sleep(0.05)


def test_the_feed_shows_what_the_topics_hold(kafka: KafkaSettings) -> None:
    """What was there before it started and what comes later, unreadable records left out."""
    names = Pseudonyms(bytes(32))
    send(
        kafka,
        [
            ("logins", wire.encode(login())),
            ("logins", b"\xff not a login"),
            ("alerts", alerts.encode(alert(revision=1))),
            ("alerts", b"{}"),
            ("alerts", None),
            ("incidents", incidents.encode(incident())),
            ("incidents", incidents.encode(incident(incident_id="0c" * 16, status="merged"))),
            ("judged", msgspec.json.encode(batch(0, 2, judged=1, rejected=1))),
        ],
    )

    with LiveFeed(kafka, pseudonyms=names) as feed:
        until(lambda: feed.counts().read == 2)
        send(kafka, [("alerts", alerts.encode(alert(revision=2)))])
        until(lambda: feed.current_alerts().get("a1") == alert(revision=2))
        until(lambda: feed.picture().in_kafka == 2)
        until(lambda: feed.incidents() == (incident(),))
        shown = feed.picture()

    assert (shown.counts.judged, shown.counts.rejected, shown.lag) == (1, 1, 0)
    assert [row.account for row in shown.logins] == [names.account("A000000001")]
    assert [found for found, _ in feed.told()] == [alert(revision=2)]
    assert shown.problem == ""


def test_the_feed_joins_no_group(stack_factory: Callable[..., Stack]) -> None:
    """Nobody's partitions move when a console opens: Kafka knows no group because of it."""
    # A Kafka of its own: on the shared one others' groups come and go.
    kafka = _settings(stack_factory(valkey=False).up().kafka_bootstrap)
    send(kafka, [("logins", wire.encode(login()))])

    with LiveFeed(kafka) as feed:
        until(lambda: len(feed.picture().logins) == 1)
        with KafkaAdminClient(bootstrap_servers=kafka.bootstrap) as admin:
            assert answered(admin.list_groups, timedelta(seconds=_PATIENCE_S)) == []
