"""The completeness record: promise 1 for a day by partition, and by hour and source; signed.

read = judged + duplicates + rejected, and archived = judged + duplicates + conflicts,
where read is what the topic held.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import msgspec

from archive.keys import ArchiveKeys
from archive.layout import PartitionId
from archive.read import segments

from .batches import Batch, Batches, Offsets, read_batches, totals
from .complete import HourSource, all_cells, completeness, differs
from .count import EARLY_US, by_hour, conflicts_of
from .files import kept_since, login_files
from .gaps import Numbers, numbers
from .known import Known
from .logins import day_logins
from .record import Cell, Completeness
from .span import DaySpan

Topic = Mapping[tuple[str, int], tuple[int, int]]
"""What the brokers say: by topic id and partition the offsets [first, until) of the day."""


class Partition(msgspec.Struct, frozen=True, kw_only=True):
    """One partition of `logins` on the day, offsets [first, until) as its batches cover them.

    `topic_first`, `topic_until`: what the brokers say; None where they were not asked or hold the
    day no more. `unjudged`: offsets of those that no batch speaks for.
    """

    topic_id: str
    partition: int
    first: int
    until: int
    read: int
    judged: int
    duplicates: int
    rejected: int
    topic_first: int | None = None
    topic_until: int | None = None
    unjudged: list[tuple[int, int]] = []


class Proof(msgspec.Struct, frozen=True, kw_only=True):
    """The record of a day. `adds_up`: everything that could be compared is equal, without a gap."""

    format: Literal["loginward-completeness/1"] = "loginward-completeness/1"
    date: str
    tz: str
    totals: Completeness
    partitions: list[Partition]
    cells: list[Cell]
    numbers: list[Numbers]
    topic_asked: bool
    adds_up: bool


def prove(root: Path, span: DaySpan, tz: str, topic: Topic | None) -> Proof:
    """The record of `span` from the archive in `root`; the same archive, the same record.

    `topic` None: the brokers were not asked. Raises ArchiveError where the archive cannot be read.
    """
    since_us = span.start_us - EARLY_US
    batches = read_batches(kept_since(root, "judged", since_us))
    files = login_files(root, span.start_us, span.end_us)
    conflicts = list(conflicts_of(root, since_us))
    with day_logins(root, span, files, conflicts, Known(), None) as day:
        archived: Mapping[HourSource, int] = by_hour(day)
        numbered = numbers(day)
    summed = completeness(root, span, batches, archived)
    partitions = _partitions(root, span, batches, topic)
    return Proof(
        date=span.day.isoformat(),
        tz=tz,
        totals=summed,
        partitions=partitions,
        cells=all_cells(span, batches, archived),
        numbers=numbered,
        topic_asked=topic is not None,
        adds_up=summed.adds_up and not any(one.unjudged for one in partitions),
    )


def written(proof: Proof) -> bytes:
    """Its bytes: JSON for people and programs, the same for the same record."""
    return msgspec.json.format(msgspec.json.encode(proof), indent=1) + b"\n"


def signed(name: str, content: bytes, keys: ArchiveKeys) -> dict[str, bytes]:
    """The file and its raw Ed25519 signature (64 bytes), by name; the archive's key has signed."""
    return {name: content, f"{name}.sig": keys.sign(content)}


def wrong_cells(proof: Proof) -> list[Cell]:
    """Hours and sources that do not add up."""
    return [cell for cell in proof.cells if differs(cell)]


def _partitions(
    root: Path, span: DaySpan, batches: Batches, topic: Topic | None
) -> list[Partition]:
    today: defaultdict[tuple[str, int], list[Batch]] = defaultdict(list)
    for batch in batches.between(span.start_us, span.end_us):
        today[batch.record.topic_id, batch.record.partition].append(batch)
    absent = _absent(root)
    found = []
    for key in sorted({*today, *(topic or {})}):
        judged = Offsets(
            (one.record.first_offset, one.record.next_offset) for one in batches.kept.get(key, ())
        )
        for low, last in absent.get(key, ()):
            judged.add(low, last + 1)
        bounds = (topic or {}).get(key)
        summed = totals(today[key])
        found.append(
            Partition(
                topic_id=key[0],
                partition=key[1],
                first=min((one.record.first_offset for one in today[key]), default=0),
                until=max((one.record.next_offset for one in today[key]), default=0),
                read=summed.read,
                judged=summed.judged,
                duplicates=summed.duplicates,
                rejected=summed.rejected,
                topic_first=None if bounds is None else bounds[0],
                topic_until=None if bounds is None else bounds[1],
                unjudged=[] if bounds is None else judged.lacking(*bounds),
            )
        )
    return found


def _absent(root: Path) -> Mapping[tuple[str, int], list[tuple[int, int]]]:
    """Offsets that Kafka never held a record at (transaction marks, compaction), by seals."""
    found: defaultdict[tuple[str, int], list[tuple[int, int]]] = defaultdict(list)
    part: PartitionId
    for part, seal in segments(root, "logins"):
        found[part.topic_id, part.partition] += seal.absent
    return found
