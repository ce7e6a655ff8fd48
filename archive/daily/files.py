"""Which sealed segments can hold something of a day: logins by the time the rules use, records by
the time Kafka took them.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from archive import records
from archive.errors import ArchiveError
from archive.layout import PartitionId
from archive.read import segments
from archive.records import Headers, decoded_headers
from archive.seal import Seal

from .span import HOUR_US, DaySpan

_SPOOLED_US = timedelta(days=31) // timedelta(microseconds=1)
"""How long after its receipt a login may have reached Kafka: the longest `kafka.retention`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LoginFile:
    """A segment of `logins`; `from_us` and `to_us` bound the times by which its logins count."""

    path: str
    part: PartitionId
    seal: Seal
    from_us: int
    to_us: int

    def may_hold(self, span: DaySpan) -> bool:
        """Whether a login of that day may stand in it."""
        return self.from_us < span.end_us and self.to_us >= span.start_us


def login_files(root: Path, since_us: int, until_us: int) -> list[LoginFile]:
    """The segments that may hold a login judged within [since_us, until_us)."""
    found = []
    for part, seal in segments(root, "logins"):
        first, last = seal.occurred_from_us, seal.occurred_to_us
        if seal.file is None or first is None or last is None:
            continue
        path = part.folder(root) / seal.file.name
        occurred = first < until_us and last >= since_us
        # A login with a wrong clock counts when it was received, which no seal tells.
        received = (
            _ms(seal.to_ms) >= since_us - HOUR_US and _ms(seal.from_ms) < until_us + _SPOOLED_US
        )
        if occurred or received:
            low, high = _received(path, since_us, until_us)
            file = LoginFile(
                path=str(path), part=part, seal=seal, from_us=min(first, low), to_us=max(last, high)
            )
            if file.from_us < until_us and file.to_us >= since_us:
                found.append(file)
    return found


def _ms(value: int | None) -> int:
    return 0 if value is None else value * 1000


def _received(path: Path, since_us: int, until_us: int) -> tuple[int, int]:
    """The least and the greatest `received_at` by the file's own statistics; (huge, 0) for none."""
    low, high = 2**62, -(2**62)
    with told_as(path):
        footer = pq.read_metadata(path)
    column = footer.schema.to_arrow_schema().get_field_index("received_at")
    for group in range(footer.num_row_groups):
        chunk = footer.row_group(group).column(column)
        told = chunk.statistics
        if told is None or not told.has_min_max:
            if told is None or told.null_count != chunk.num_values:
                return since_us, until_us
            continue
        low, high = min(low, told.min_raw), max(high, told.max_raw)
    return low, high


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A record of a topic that is kept byte for byte; its value None where it is encrypted."""

    part: PartitionId
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: Headers


def kept_since(root: Path, topic: str, since_us: int) -> Iterator[Kept]:
    """Records of `topic` that Kafka took at `since_us` or later, by partition and offset."""
    for part, seal in segments(root, topic):
        if seal.file is None or _ms(seal.to_ms) < since_us or seal.schema != records.SCHEMA:
            continue
        columns = ["offset", "kafka_timestamp", "key", "value", "headers"]
        path = part.folder(root) / seal.file.name
        with told_as(path), pq.ParquetFile(path) as file:
            for batch in file.iter_batches(columns=columns):
                yield from _kept(part, batch, since_us)


@contextmanager
def told_as(path: Path) -> Iterator[None]:
    """A sealed file that is gone or damaged is an ArchiveError that names it."""
    try:
        yield
    except (OSError, pa.ArrowInvalid) as failure:
        why = str(failure).splitlines()[0]
        raise ArchiveError(f"{path}: {why}; run `loginward archive verify`") from None


def _kept(part: PartitionId, batch: Any, since_us: int) -> Iterator[Kept]:
    at = batch.schema.get_field_index("kafka_timestamp")
    stamps = batch.column(at).cast("int64")
    for row in batch.set_column(at, "kafka_timestamp", stamps).to_pylist():
        if row["kafka_timestamp"] * 1000 >= since_us:
            yield Kept(
                part=part,
                offset=row["offset"],
                timestamp=row["kafka_timestamp"],
                key=row["key"],
                value=row["value"],
                headers=decoded_headers(row["headers"]),
            )
