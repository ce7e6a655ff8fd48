"""The record of `judged`: what one batch read and what became of it. Completeness stands on it."""

from __future__ import annotations

from collections import Counter

import msgspec

from detectors.engine import Tally
from detectors.errors import RejectReason
from detectors.events import instant, rfc3339


class Hour(msgspec.Struct, frozen=True, kw_only=True):
    """Counts of one hour of event time and one source."""

    hour: str
    source: str
    judged: int
    duplicates: int
    conflicts: int


class Judged(msgspec.Struct, frozen=True, kw_only=True):
    """One batch of one partition, offsets [first_offset, next_offset).

    read = judged + duplicates + rejected. After a kill the last batches may stand here twice, cut
    differently: for an offset the record appended last counts.
    """

    schema: int
    topic: str
    topic_id: str
    partition: int
    first_offset: int
    next_offset: int
    read: int
    judged: int
    duplicates: int
    rejected: int
    reasons: dict[RejectReason, int]
    hours: list[Hour]
    versions: dict[str, str]


def hours(tally: Tally) -> list[Hour]:
    """The tally's cells in order of hour and source."""
    conflicts = Counter(cell for cell, *_ in tally.conflicts)
    cells = sorted({*tally.judged, *tally.duplicates, *conflicts})
    return [
        Hour(
            hour=rfc3339(instant(hour)),
            source=source,
            judged=tally.judged[hour, source],
            duplicates=tally.duplicates[hour, source],
            conflicts=conflicts[hour, source],
        )
        for hour, source in cells
    ]
