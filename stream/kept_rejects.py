"""Rejects read back, from the topic `logins.rejected` or the archive, up to a fixed end."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING

from kafka import KafkaConsumer, TopicPartition
from kafka.errors import KafkaError

from config.kafka import kafka_python_options, topic_ids, topic_name
from config.sections import KafkaSettings
from detectors.errors import LoginwardError, escaped

if TYPE_CHECKING:
    from archive.keys import ArchiveKeys

_PATIENCE_S = 30.0
_POLL_MS = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptReject:
    """One record of `logins.rejected`, and what its headers tell of where it came from."""

    partition: int
    offset: int
    timestamp_ms: int
    key: bytes
    value: bytes
    headers: dict[str, str]

    @property
    def place(self) -> str:
        """Where it is kept: `partition:offset` of `logins.rejected`."""
        return f"{self.partition}:{self.offset}"

    @property
    def reason(self) -> str:
        """Why it was rejected, from the closed set; `not told` where the header is missing."""
        return self.headers.get("reason", "not told")

    @property
    def origin(self) -> str:
        """Where it stood: topic, partition and offset, or file and line."""
        told = self.headers
        if "offset" in told:
            return f"{told.get('topic')}[{told.get('partition')}]@{told['offset']}"
        return f"{told.get('file', 'somewhere')}:{told.get('line', '?')}"

    @property
    def cut(self) -> bool:
        """Whether only the beginning of a longer record was kept."""
        return "length" in self.headers


def from_topic(
    kafka: KafkaSettings,
    advance: Callable[[int], None],
    clock: Callable[[], float] = monotonic,
) -> Iterator[KeptReject]:
    """All that stand in the topic now, by partition and offset; joins no group, commits nothing.

    Raises LoginwardError where Kafka is away or has fallen silent.
    """
    name = topic_name(kafka, "logins.rejected")
    topic_ids(kafka, [name])  # asked first: told in a sentence where the topic or Kafka is away
    consumer = KafkaConsumer(**kafka_python_options(kafka), group_id=None, enable_auto_commit=False)
    try:
        numbers = consumer.partitions_for_topic(name) or set()
        parts = [TopicPartition(name, number) for number in sorted(numbers)]
        ends: dict[TopicPartition, int] = consumer.end_offsets(parts)
        for part in parts:
            consumer.assign([part])
            consumer.seek_to_beginning(part)
            yield from _read(consumer, part, ends[part], advance, clock)
    except KafkaError as failure:
        raise LoginwardError(f"{name}: {escaped(str(failure), 200)}") from None
    finally:
        consumer.close()


def _read(
    consumer: KafkaConsumer,
    part: TopicPartition,
    end: int,
    advance: Callable[[int], None],
    clock: Callable[[], float],
) -> Iterator[KeptReject]:
    heard = clock()
    while consumer.position(part) < end:
        found = consumer.poll(timeout_ms=_POLL_MS).get(part, [])
        if found:
            heard = clock()
        elif clock() - heard > _PATIENCE_S:
            raise LoginwardError(
                f"{part.topic}: nothing for {_PATIENCE_S:.0f} s, and {end} is not reached; ask "
                "`loginward doctor` what is wrong with Kafka"
            )
        for record in found:
            if record.offset < end:
                advance(1)
                yield KeptReject(
                    partition=record.partition,
                    offset=record.offset,
                    timestamp_ms=record.timestamp,
                    key=record.key or b"",
                    value=record.value or b"",
                    headers=_told(record.headers),
                )


def from_archive(
    root: Path, keys: ArchiveKeys, advance: Callable[[int], None]
) -> Iterator[KeptReject]:
    """All that are sealed, by partition and offset. Raises ArchiveError."""
    from archive.read import read_records  # noqa: PLC0415 (pyarrow, only where it is asked for)

    for part, record in read_records(root, "logins.rejected", keys):
        advance(1)
        yield KeptReject(
            partition=part.partition,
            offset=record.offset,
            timestamp_ms=record.timestamp,
            key=record.key or b"",
            value=record.value or b"",
            headers=_told(record.headers),
        )


def _told(headers: object) -> dict[str, str]:
    pairs = headers if isinstance(headers, list | tuple) else ()
    return {str(name): (value or b"").decode("utf-8", "backslashreplace") for name, value in pairs}
