"""The records of `judged`: what was read, what became of it, and what nobody speaks for."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import msgspec

from .files import Kept

Range = tuple[int, int]
"""Offsets from the first to before the second."""


class HourCell(msgspec.Struct, frozen=True, kw_only=True):
    """Counts of one hour of event time and one source."""

    hour: str
    source: str
    judged: int
    duplicates: int
    conflicts: int


class Judged(msgspec.Struct, frozen=True, kw_only=True):
    """A record of `judged` as far as the daily record reads it; more fields are passed over."""

    topic_id: str
    partition: int
    first_offset: int
    next_offset: int
    read: int
    judged: int
    duplicates: int
    rejected: int
    reasons: dict[str, int]
    hours: list[HourCell]
    versions: dict[str, str]


_decode = msgspec.json.Decoder(Judged).decode


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """One batch that counts, and when its record reached Kafka (ms)."""

    timestamp: int
    record: Judged


@dataclass(slots=True)
class Batches:
    """All batches that count, by partition of `logins` and first offset."""

    kept: dict[tuple[str, int], list[Batch]] = field(default_factory=dict)
    unreadable: list[int] = field(default_factory=list)
    """Kafka's time (ms) of each record that could not be read."""

    def between(self, since_us: int, until_us: int) -> list[Batch]:
        """Those whose record reached Kafka within [since_us, until_us)."""
        return [
            batch
            for key in sorted(self.kept)
            for batch in self.kept[key]
            if since_us <= batch.timestamp * 1000 < until_us
        ]


def read_batches(records: Iterable[Kept]) -> Batches:
    """The batches that count: of two that cover an offset the one appended last (after a kill)."""
    found = Batches()
    told: defaultdict[tuple[str, int], defaultdict[str, list[tuple[int, Batch]]]]
    told = defaultdict(lambda: defaultdict(list))
    for kept in records:
        try:
            record = _decode(kept.value or b"")
        except (msgspec.DecodeError, UnicodeDecodeError):
            found.unreadable.append(kept.timestamp)
            continue
        batch = Batch(timestamp=kept.timestamp, record=record)
        # One partition of `logins` always writes to one partition of `judged`: offsets tell order.
        told[record.topic_id, record.partition][kept.part.topic_id].append((kept.offset, batch))
    for key, topics in told.items():
        found.kept[key] = _last_words(_in_order(topics.values()))
    return found


def _in_order(topics: Iterable[list[tuple[int, Batch]]]) -> list[Batch]:
    """By offset; where `judged` was made anew, the older topic first."""
    sorts = [[batch for _, batch in sorted(told, key=_offset)] for told in topics]
    return [batch for told in sorted(sorts, key=_began) for batch in told]


def _offset(told: tuple[int, Batch]) -> int:
    return told[0]


def _began(told: list[Batch]) -> int:
    return told[0].timestamp


def _last_words(batches: Sequence[Batch]) -> list[Batch]:
    covered = Offsets()
    counting = []
    for batch in reversed(batches):
        record = batch.record
        if record.next_offset <= record.first_offset:
            continue
        if covered.add(record.first_offset, record.next_offset):
            counting.append(batch)
    return sorted(counting, key=lambda batch: batch.record.first_offset)


class Offsets:
    """A set of offsets as ranges, ascending and apart."""

    def __init__(self, ranges: Iterable[Range] = ()) -> None:
        self.ranges: list[Range] = []
        for first, until in ranges:
            self.add(first, until)

    def add(self, first: int, until: int) -> bool:
        """Add [first, until); whether some of it was new."""
        new = bool(self.lacking(first, until))
        joined = [one for one in self.ranges if one[0] <= until and one[1] >= first]
        if new:
            low = min([first, *(one[0] for one in joined)])
            high = max([until, *(one[1] for one in joined)])
            self.ranges = sorted([*(one for one in self.ranges if one not in joined), (low, high)])
        return new

    def lacking(self, first: int, until: int) -> list[Range]:
        """The parts of [first, until) that are not in it."""
        missing = []
        at = first
        for low, high in self.ranges:
            if high <= at or low >= until:
                continue
            if low > at:
                missing.append((at, low))
            at = max(at, high)
        if at < until:
            missing.append((at, until))
        return missing


@dataclass(slots=True)
class Totals:
    """Sums over batches."""

    batches: int = 0
    read: int = 0
    judged: int = 0
    duplicates: int = 0
    rejected: int = 0
    reasons: Counter[str] = field(default_factory=Counter)

    @property
    def conflicts(self) -> int:
        """Rejected although they decode."""
        return self.reasons["id_conflict"]


def totals(batches: Iterable[Batch]) -> Totals:
    """The sums of `batches`."""
    summed = Totals()
    for batch in batches:
        record = batch.record
        summed.batches += 1
        summed.read += record.read
        summed.judged += record.judged
        summed.duplicates += record.duplicates
        summed.rejected += record.rejected
        summed.reasons.update(record.reasons)
    return summed
