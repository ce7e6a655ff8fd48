"""A Kafka record as the archive takes it, and the columns of topics that are kept byte for byte."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import msgspec
import pyarrow as pa

from .cipher import SegmentCipher
from .layout import PartitionId

SCHEMA = "records/1"

ENCRYPTED_TOPICS = frozenset({"logins.rejected"})
"""Topics whose values hold accounts as typed (bytes of logins that could not be read)."""

Headers = Sequence[tuple[str, bytes | None]]


class KafkaRecord(Protocol):
    """What we use of a consumer's record (aiokafka's ConsumerRecord is one)."""

    @property
    def offset(self) -> int:
        """Its place in the partition."""
        ...

    @property
    def timestamp(self) -> int:
        """Kafka's timestamp, milliseconds since 1970 UTC."""
        ...

    @property
    def key(self) -> bytes | None:
        """The key's bytes."""
        ...

    @property
    def value(self) -> bytes | None:
        """The value's bytes; None is a tombstone of a compacted topic."""
        ...

    @property
    def headers(self) -> Headers:
        """Names and bytes, in order."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """A record read back from the archive: equal to what Kafka held, byte for byte."""

    offset: int
    timestamp: int
    key: bytes | None = None
    value: bytes | None = None
    headers: Headers = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """The rows of a segment as an Arrow table, and the offsets that gave none."""

    schema: str
    table: Any
    rejected: Sequence[int] = ()
    occurred: tuple[int, int] | None = None
    pseudonym_key: str | None = None


def columns(
    part: PartitionId, records: Sequence[KafkaRecord], cipher: SegmentCipher | None
) -> Columns:
    """Every record with its bytes; values encrypted where a `cipher` is given."""
    values: list[bytes | None] = [record.value for record in records]
    encrypted: list[bytes | None] = [None] * len(records)
    if cipher is not None:
        encrypted = [
            None if record.value is None else cipher.encrypt_value(record.offset, record.value)
            for record in records
        ]
        values = [None] * len(records)
    return Columns(
        schema=SCHEMA,
        table=pa.table(
            identity(part, records)
            | {
                "key": pa.array([record.key for record in records], pa.binary()),
                "value": pa.array(values, pa.large_binary()),
                "value_encrypted": pa.array(encrypted, pa.large_binary()),
                "headers": headers(records),
            }
        ),
    )


def identity(part: PartitionId, records: Sequence[KafkaRecord]) -> dict[str, Any]:
    """The columns that every schema begins with: topic id, partition, offset, Kafka's timestamp."""
    return {
        "topic_id": pa.repeat(pa.scalar(part.topic_id, pa.string()), len(records)),
        "partition": pa.repeat(pa.scalar(part.partition, pa.int32()), len(records)),
        "offset": pa.array([record.offset for record in records], pa.int64()),
        "kafka_timestamp": pa.array(
            [record.timestamp for record in records], pa.timestamp("ms", "UTC")
        ),
    }


def headers(records: Sequence[KafkaRecord]) -> Any:
    """The headers as JSON `[[name, base64 or null], ...]`; null where a record has none."""
    return pa.array(
        [_encoded(record.headers) if record.headers else None for record in records], pa.binary()
    )


def _encoded(pairs: Headers) -> bytes:
    return msgspec.json.encode(
        [
            (name, None if value is None else base64.b64encode(value).decode())
            for name, value in pairs
        ]
    )


def decoded_headers(cell: bytes | None) -> Headers:
    """The inverse of the column `headers`."""
    if cell is None:
        return ()
    pairs = msgspec.json.decode(cell, type=list[tuple[str, str | None]])
    return tuple((name, None if v is None else base64.b64decode(v)) for name, v in pairs)
