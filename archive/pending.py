"""Records of one partition that are read and not yet sealed, and which offsets they account for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from .records import KafkaRecord
from .seal import Range
from .segment import Cut

SEGMENT_BYTES = 64 * 1024 * 1024
"""Raw bytes at which a segment is cut early: 100,000 records of 64 KiB would be 6 GiB."""

_OVERHEAD = 400
"""Bytes of a record object beside its key and value, measured with tracemalloc on aiokafka's."""


@dataclass(slots=True, kw_only=True)
class Pending:
    """Behind the last sealed offset, in order, without a hole that is not named.

    `first` is the first offset not sealed; `expected` the next one to come; `since` when the oldest
    record here was read (seconds of the caller's clock), None while there is none.
    """

    first: int
    expected: int
    records: list[KafkaRecord] = field(default_factory=list)
    absent: list[Range] = field(default_factory=list)
    expired: list[Range] = field(default_factory=list)
    size: int = 0
    since: float | None = None

    @classmethod
    def behind(cls, first: int, log_start: int) -> Pending:
        """For a chain that goes on at `first`, where Kafka's log begins at `log_start`."""
        if log_start <= first:
            return cls(first=first, expected=first)
        return cls(first=first, expected=log_start, expired=[(first, log_start - 1)])

    def add(self, batch: Sequence[KafkaRecord], now: float) -> int:
        """Take records in the order Kafka gave them; how many were here before and left out."""
        again = 0
        for record in batch:
            if record.offset < self.expected:
                again += 1
                continue
            if record.offset > self.expected:
                self.absent.append((self.expected, record.offset - 1))
            self.records.append(record)
            self.expected = record.offset + 1
            self.size += len(record.value or b"") + len(record.key or b"") + _OVERHEAD
        if self.records and self.since is None:
            self.since = now
        return again

    def due(self, now: float, *, most_records: int, interval: float) -> bool:
        """Whether it is time to seal: enough records, enough bytes, or old enough (seconds)."""
        if self.since is None:
            return False
        return (
            len(self.records) >= most_records
            or self.size >= SEGMENT_BYTES
            or now - self.since >= interval
        )

    def cut(self) -> Cut:
        """All that is here, as one segment. Only where there are records."""
        return Cut(
            first=self.first,
            last=self.expected - 1,
            records=tuple(self.records),
            absent=tuple(self.absent),
            expired=tuple(self.expired),
        )

    def sealed(self) -> Pending:
        """What follows once `cut` is sealed."""
        return Pending(first=self.expected, expected=self.expected)
