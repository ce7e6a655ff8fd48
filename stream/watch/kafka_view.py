"""Kafka as the watchdog sees it: no group of its own, nothing committed, nothing assigned to it."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from kafka import KafkaConsumer, KafkaProducer, TopicPartition

from config.kafka import group_name, group_offsets, kafka_python_options, topic_ids, topic_name
from config.sections import KafkaSettings
from config.topics import TopicName

from .lag import Standing

_PATIENCE: Final = timedelta(seconds=3)
"""How long a round waits for a record that should be there: what is left is the next round's."""
_SEND_S: Final = 10.0
_AT_ONCE: Final = 20_000
"""Records of a topic in one round: what is more waits for the next."""


@dataclass(frozen=True, slots=True)
class Read:
    """One record, with Kafka's time of it (ms)."""

    partition: int
    offset: int
    at_ms: int
    value: bytes | None


class KafkaView:
    """Reads and writes with kafka-python; one thread. Raises KafkaError where brokers are away."""

    def __init__(self, kafka: KafkaSettings, patience: timedelta = _PATIENCE) -> None:
        self._kafka = kafka
        self._patience_s = patience.total_seconds()
        self._consumer: Any = None
        self._producer: Any = None

    def standings(self, part: str, topic: TopicName) -> list[Standing]:
        """Every partition of `topic` as `part` has read it."""
        full = topic_name(self._kafka, topic)
        found = group_offsets(self._kafka, group_name(self._kafka, part))
        committed = {number: offset for (name, number), offset in found.items() if name == full}
        places = self._places(full)
        begins, ends = self._reader().beginning_offsets(places), self._reader().end_offsets(places)
        unread = {
            place: max(begins[place], committed.get(place.partition, 0))
            for place in places
            if committed.get(place.partition, begins[place]) < ends[place]
        }
        oldest = self._times(unread)
        return [
            Standing(
                part=part,
                topic=topic,
                partition=place.partition,
                committed=committed.get(place.partition),
                begin=begins[place],
                end=ends[place],
                oldest_ms=oldest.get(place),
            )
            for place in places
        ]

    def topic_id(self, topic: TopicName) -> str:
        """Kafka's id of the topic: made anew, its offsets mean other records."""
        full = topic_name(self._kafka, topic)
        return topic_ids(self._kafka, [full])[full]

    def since(self, topic: TopicName, at_ms: int) -> dict[int, int]:
        """By partition the first offset whose record reached Kafka at `at_ms` or later."""
        places = self._places(topic_name(self._kafka, topic))
        ends = self._reader().end_offsets(places)
        found = self._reader().offsets_for_times(dict.fromkeys(places, at_ms))
        return {
            place.partition: ends[place] if found.get(place) is None else found[place].offset
            for place in places
        }

    def records(self, topic: TopicName, start: Mapping[int, int]) -> Iterator[Read]:
        """What stands in the topic from `start` (by partition) on; bounded, and it ends."""
        full = topic_name(self._kafka, topic)
        places = self._places(full)
        reader = self._reader()
        begins, ends = reader.beginning_offsets(places), reader.end_offsets(places)
        waiting = {
            place: ends[place]
            for place in places
            if max(begins[place], start.get(place.partition, 0)) < ends[place]
        }
        reader.assign(list(waiting))
        for place in waiting:
            reader.seek(place, max(begins[place], start.get(place.partition, 0)))
        given = 0
        deadline = time.monotonic() + self._patience_s
        while waiting and given < _AT_ONCE and time.monotonic() < deadline:
            for place, records in reader.poll(timeout_ms=500, max_records=2_000).items():
                deadline = time.monotonic() + self._patience_s
                for record in records:
                    given += 1
                    yield Read(place.partition, record.offset, record.timestamp, record.value)
            # A transaction's marks are no records: the position tells where reading stands.
            waiting = {p: end for p, end in waiting.items() if reader.position(p) < end}

    def send(self, topic: TopicName, records: Sequence[tuple[bytes, bytes | None]]) -> None:
        """Write (key, value) records; returns when the brokers have all of them."""
        if not records:
            return
        if self._producer is None:
            self._producer = KafkaProducer(
                **kafka_python_options(self._kafka), acks="all", compression_type="lz4"
            )
        full = topic_name(self._kafka, topic)
        sent = [self._producer.send(full, value=value, key=key) for key, value in records]
        self._producer.flush(timeout=_SEND_S)
        for one in sent:
            one.get(timeout=_SEND_S)

    def close(self) -> None:
        """Let go of the connections; the next call opens new ones."""
        consumer, producer = self._consumer, self._producer
        self._consumer = self._producer = None
        if consumer is not None:
            consumer.close()
        if producer is not None:
            producer.close(timeout=1)

    def _reader(self) -> Any:
        if self._consumer is None:
            self._consumer = KafkaConsumer(
                **kafka_python_options(self._kafka),
                enable_auto_commit=False,
                auto_offset_reset="earliest",
            )
        return self._consumer

    def _places(self, topic: str) -> list[TopicPartition]:
        numbers: Iterable[int] = self._reader().partitions_for_topic(topic) or ()
        return [TopicPartition(topic, number) for number in sorted(numbers)]

    def _times(self, unread: Mapping[TopicPartition, int]) -> dict[TopicPartition, int]:
        """Kafka's time of the first unread record of each partition."""
        found: dict[TopicPartition, int] = {}
        reader = self._reader()
        reader.assign(list(unread))
        for place, offset in unread.items():
            reader.seek(place, offset)
        deadline = time.monotonic() + self._patience_s
        while len(found) < len(unread) and time.monotonic() < deadline:
            for place, records in reader.poll(timeout_ms=500, max_records=500).items():
                if records:
                    found.setdefault(place, records[0].timestamp)
                    reader.pause(place)
        # A pause outlives the next assignment of the same partition.
        reader.resume(*reader.paused())
        return found
