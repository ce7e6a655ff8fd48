"""How fast detect was, learnt through Kafka alone: from the records of the topic `judged`."""

from __future__ import annotations

import msgspec
from kafka import KafkaConsumer, TopicPartition

from config.kafka import kafka_python_options, topic_name
from config.settings import Settings

from .report import Span


class _Judged(msgspec.Struct, frozen=True):
    """The part of a record of `judged` that is counted."""

    topic: str
    read: int


class JudgedSpan:
    """Reads `judged` from its present end until `events` records of `logins` are covered, or
    `seconds` have passed between the first and the last record of `judged`.

    A record of `judged` is written when all effects of its batch are durable. The clock starts when
    the first is written, so that the start of the process is left out and the first batch with it.
    """

    def __init__(self, settings: Settings, events: int, seconds: float) -> None:
        self._events = events
        self._longest_ms = seconds * 1000
        self._logins = topic_name(settings.kafka, "logins")
        self._consumer = KafkaConsumer(
            **kafka_python_options(settings.kafka), enable_auto_commit=False
        )
        topic = topic_name(settings.kafka, "judged")
        numbers = self._consumer.partitions_for_topic(topic) or set()
        partitions = [TopicPartition(topic, number) for number in sorted(numbers)]
        self._consumer.assign(partitions)
        self._consumer.seek_to_end()
        for partition in partitions:
            self._consumer.position(partition)  # now, not when first polled
        self._seen: list[tuple[int, int]] = []

    @property
    def covered(self) -> int:
        """Records of `logins` that are judged so far."""
        return sum(read for _, read in self._seen)

    @property
    def began(self) -> tuple[float, int]:
        """When the first batch was judged (seconds since 1970, 0 before it), and its records."""
        at, read = min(self._seen, default=(0, 0))
        return at / 1000, read

    @property
    def last(self) -> float:
        """When the last batch was judged, seconds since 1970."""
        return max(self._seen, default=(0, 0))[0] / 1000

    def look(self) -> Span | None:
        """Read what is new; the span once everything is covered or the time is over."""
        for records in self._consumer.poll(timeout_ms=50).values():
            for record in records:
                judged = msgspec.json.decode(record.value, type=_Judged)
                if judged.topic == self._logins:
                    self._seen.append((record.timestamp, judged.read))
        return self._span() if self._enough() else None

    def close(self) -> None:
        """Leave Kafka."""
        self._consumer.close()

    def _enough(self) -> bool:
        if self.covered >= self._events:
            return True
        moments = [moment for moment, _ in self._seen]
        return bool(moments) and max(moments) - min(moments) >= self._longest_ms

    def _span(self) -> Span:
        batches = sorted(self._seen)
        return Span(
            events=sum(read for _, read in batches[1:]),
            began=batches[0][0] / 1000,
            ended=batches[-1][0] / 1000,
        )
