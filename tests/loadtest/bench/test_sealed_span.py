"""Detect and archive are as fast as the slower of them: learnt from `judged` and from offsets."""

from __future__ import annotations

from collections.abc import Iterator
from time import monotonic

import pytest
from kafka import KafkaConsumer, OffsetAndMetadata, TopicPartition

from config.kafka import group_name, kafka_python_options, topic_name
from config.settings import Settings
from loadtest.bench.report import Span
from loadtest.bench.sealed_span import SealedSpan

from .test_judged_span import Judge, judge, settings

__all__ = ["judge", "settings"]


class Archive:
    """Commits ends of sealed segments, as the archive does."""

    def __init__(self, settings: Settings) -> None:
        self._place = TopicPartition(topic_name(settings.kafka, "logins"), 0)
        group = group_name(settings.kafka, "archive")
        self._consumer = KafkaConsumer(**kafka_python_options(settings.kafka), group_id=group)
        self._consumer.assign([self._place])

    def seals(self, end: int) -> None:
        """Everything below `end` is sealed."""
        self._consumer.commit({self._place: OffsetAndMetadata(end, "", -1)})

    def close(self) -> None:
        """Leave Kafka."""
        self._consumer.close(autocommit=False)


@pytest.fixture
def archive(settings: Settings) -> Iterator[Archive]:
    """Give an archive that has sealed nothing."""
    made = Archive(settings)
    yield made
    made.close()


def _looked(span: SealedSpan, *, until: bool) -> Span | None:
    """Look until there is a span; or, where none may come, ten times."""
    deadline = monotonic() + 120
    for _ in range(10) if not until else iter(int, 1):
        if (found := span.look()) is not None:
            return found
        assert monotonic() < deadline
    return None


def test_what_is_judged_must_be_sealed_as_well(
    settings: Settings, judge: Judge, archive: Archive
) -> None:
    """Judged alone is not done; the last segment ends the clock, the first batch is left out."""
    span = SealedSpan(settings, 3_000, float("inf"))
    judge.says(0, 500)
    judge.says(1_000, 2_500)
    archive.seals(2_000)
    assert _looked(span, until=False) is None

    archive.seals(3_000)

    found = _looked(span, until=True)
    span.close()
    assert found is not None
    assert found.events == 2_500
    assert found.ended > found.began + 1
