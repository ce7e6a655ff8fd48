"""Detect's speed is read from `judged` alone: from its present end, for this topic alone."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from time import monotonic

import pytest
from kafka import KafkaProducer

from config.kafka import ensure_topics, kafka_python_options, topic_name
from config.settings import Settings, load
from loadtest.bench.judged_span import JudgedSpan
from loadtest.bench.report import Span

_T0 = 1_795_340_000_000


@pytest.fixture
def settings(kafka_bootstrap: str) -> Settings:
    """Give settings with topics of the test's own."""
    prefix = f"t{uuid.uuid4().hex[:8]}-"
    environ = {"KAFKA_BOOTSTRAP": kafka_bootstrap, "LOGINWARD_KAFKA_TOPIC_PREFIX": prefix}
    settings = load(environ=environ)
    ensure_topics(settings.kafka)
    return settings


class Judge:
    """Writes records of `judged` with times of the test's choice."""

    def __init__(self, settings: Settings) -> None:
        self._kafka = settings.kafka
        self._producer = KafkaProducer(**kafka_python_options(settings.kafka))

    def says(self, at_ms: int, read: int, topic: str | None = None) -> None:
        """One batch of `read` records, durable at `_T0` + at_ms."""
        record = {"topic": topic or topic_name(self._kafka, "logins"), "read": read, "more": 1}
        self._producer.send(
            topic_name(self._kafka, "judged"),
            json.dumps(record).encode(),
            timestamp_ms=_T0 + at_ms,
        ).get(60)

    def close(self) -> None:
        """Leave Kafka."""
        self._producer.close()


@pytest.fixture
def judge(settings: Settings) -> Iterator[Judge]:
    """Give a writer of `judged`."""
    made = Judge(settings)
    yield made
    made.close()


def _look(span: JudgedSpan, covered: int) -> Span | None:
    """Look until so many records are covered; the span as it is then."""
    deadline = monotonic() + 120
    while True:
        found = span.look()
        if found is not None or span.covered >= covered:
            return found
        assert monotonic() < deadline, span.covered


def test_the_clock_runs_from_the_first_batch_to_the_last(settings: Settings, judge: Judge) -> None:
    """What stood there before, and other topics, do not count; the first batch starts the clock."""
    judge.says(-9_000, 1_000_000)
    span = JudgedSpan(settings, 3_000, 60.0)
    judge.says(0, 500)
    judge.says(100, 9_999, topic="another")
    judge.says(1_000, 1_500)
    assert _look(span, 2_000) is None
    assert span.covered == 2_000

    judge.says(2_000, 1_000)

    found = _look(span, 3_000)
    span.close()
    assert found == Span(events=2_500, began=_T0 / 1000, ended=_T0 / 1000 + 2)
    assert found.per_second == 1_250


def test_a_slow_detect_is_measured_on_what_it_did(settings: Settings, judge: Judge) -> None:
    """After its time the span covers what is judged, not everything."""
    span = JudgedSpan(settings, 1_000_000, 5.0)
    judge.says(0, 100)
    judge.says(5_000, 400)

    found = _look(span, 500)

    span.close()
    assert found is not None
    assert (found.events, found.per_second) == (400, 80)
