"""The rows of a segment as the bytes of a Parquet file."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from detectors.pseudonyms import Pseudonyms

from . import logins, records
from .cipher import SegmentCipher
from .layout import PartitionId
from .records import Columns, KafkaRecord

# What grows steadily is stored as differences; what rarely repeats gains nothing from a dictionary.
_GROWING = ("offset", "kafka_timestamp", "occurred_at", "received_at")
_UNLIKE = frozenset({*_GROWING, "event_id", "seq", "extra_encrypted", "value", "value_encrypted"})


def cipher_for(part: PartitionId, first: int) -> SegmentCipher | None:
    """A fresh cipher where the topic holds accounts as typed, else None."""
    if part.topic == "logins" or part.topic in records.ENCRYPTED_TOPICS:
        return SegmentCipher.fresh(binding(part, first))
    return None


def binding(part: PartitionId, first: int) -> str:
    """The place that ciphertexts of a segment belong to; elsewhere they do not decrypt."""
    return f"{part}/{first}"


def columns(
    part: PartitionId,
    batch: Sequence[KafkaRecord],
    pseudonyms: Pseudonyms,
    cipher: SegmentCipher | None,
) -> Columns:
    """The columns of one segment's records by the schema of their topic."""
    if part.topic == "logins" and cipher is not None:
        return logins.columns(part, batch, pseudonyms, cipher)
    return records.columns(part, batch, cipher)


def parquet(rows: Columns) -> Any:
    """The table as a Parquet file in memory (zstd), as a buffer."""
    sink = pa.BufferOutputStream()
    names = rows.table.column_names
    pq.write_table(
        rows.table.replace_schema_metadata({"loginward": rows.schema}),
        sink,
        compression="zstd",
        compression_level=3,
        use_dictionary=[name for name in names if name not in _UNLIKE],
        column_encoding={name: "DELTA_BINARY_PACKED" for name in names if name in _GROWING},
    )
    return sink.getvalue()
