"""How fast detect and archive were together: until what is judged is sealed as well."""

from __future__ import annotations

import time

from kafka import KafkaConsumer, TopicPartition
from kafka.errors import KafkaError

from config.kafka import group_name, kafka_python_options, topic_name
from config.settings import Settings

from .judged_span import JudgedSpan
from .report import Span

_LOOK_EVERY_S = 0.2


class SealedSpan:
    """From the first batch judged until every record is judged and lies in a sealed segment, or
    `seconds` have passed; then it covers what both have done.

    The archive commits the ends of its sealed segments, so its group's offsets tell.
    """

    def __init__(self, settings: Settings, events: int, seconds: float) -> None:
        self._events, self._seconds = events, seconds
        self._judged = JudgedSpan(settings, events, seconds)
        self._consumer = KafkaConsumer(
            **kafka_python_options(settings.kafka),
            group_id=group_name(settings.kafka, "archive"),  # only asked for: nothing is joined
            enable_auto_commit=False,
        )
        topic = topic_name(settings.kafka, "logins")
        self._places = [TopicPartition(topic, n) for n in range(settings.kafka.partitions)]
        self._looked = 0.0
        self._sealed = 0
        self._sealed_at = 0.0

    def look(self) -> Span | None:
        """Read what is new; the span once everything is covered or the time is over."""
        judged = self._judged.look()
        began, first = self._judged.began
        if not began:
            return None
        if time.time() - self._looked > _LOOK_EVERY_S:
            self._ask()
        over = time.time() - began > self._seconds
        if not over and (judged is None or self._sealed < self._events):
            return None
        ended = max(self._judged.last, self._sealed_at)
        done = min(self._judged.covered, self._sealed)
        return Span(events=max(0, done - first), began=began, ended=max(ended, began))

    def close(self) -> None:
        """Let go of both."""
        self._judged.close()
        self._consumer.close()

    def _ask(self) -> None:
        self._looked = time.time()
        try:
            found = [self._consumer.committed(place) or 0 for place in self._places]
        except KafkaError as failure:
            if not failure.retriable:
                raise
            return
        if sum(found) > self._sealed:
            self._sealed, self._sealed_at = sum(found), time.time()
