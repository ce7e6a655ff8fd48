"""Unpacks record batches of one fetch into parallel lists; names the first it cannot read."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from typing import Any

from aiokafka.errors import UnsupportedCodecError

from .batch import Chunk, DamagedFrame
from .exits import describe
from .marks import Partition

BACKFILL = ("backfill", b"1")
"""The header of a record that is an import of the past (`ingest --backfill`)."""


class Frames:
    """Unpacks record batches of one fetch up to a number of records, or to the first damage."""

    def __init__(self, records: Any, position: int, limit: int) -> None:
        self._records = records
        self._limit = limit
        self.position = position
        self.transient = False
        self.exhausted = False
        self.offsets: list[int] = []
        self.timestamps_ms: list[int] = []
        self.keys: list[bytes | None] = []
        self.values: list[bytes | None] = []
        self.backfilled: set[int] = set()

    def read(self, highwater: int, *, check_crcs: bool) -> DamagedFrame | None:
        """Read on; what was read before a damage stays readable, `position` stands before it."""
        while len(self.offsets) < self._limit:
            try:
                if not self._records.has_next():
                    self.exhausted = True
                    return None
                frame = self._records.next_batch()
            except Exception as exc:  # noqa: BLE001 - the length field itself is broken
                self.transient = True
                return DamagedFrame(
                    first_offset=self.position, next_offset=None, reason=describe(exc)
                )
            if check_crcs and not frame.validate_crc():
                self.transient = True
                return self._damaged("its checksum is wrong", self._end_of(frame, highwater))
            if frame.is_control_batch:
                self.position = max(self.position, frame.next_offset)
                continue
            try:
                self._take(list(frame))
            except Exception as exc:  # noqa: BLE001 - zlib, cramjam and aiokafka each have their own
                self.transient = not isinstance(exc, UnsupportedCodecError)
                return self._damaged(describe(exc), frame.next_offset)
            self.position = max(self.position, frame.next_offset)
        return None

    def sliced(
        self,
        partition: Partition,
        epoch: int,
        start: int,
        end: int,
        highwater: int | None,
        damage: DamagedFrame | None,
    ) -> Iterator[Chunk]:
        """What was read, cut to the limit: one frame can hold more records than a batch should."""
        step = self._limit
        for first in range(0, max(len(self.offsets), 1), step):
            last = first + step
            whole = last >= len(self.offsets)
            until = end if whole else self.offsets[last - 1] + 1
            yield Chunk(
                partition=partition,
                epoch=epoch,
                start=start,
                end=until,
                offsets=self.offsets[first:last],
                timestamps_ms=self.timestamps_ms[first:last],
                keys=self.keys[first:last],
                values=self.values[first:last],
                highwater=highwater or end,
                damage=damage,
                backfilled=frozenset(self.backfilled.intersection(self.offsets[first:last]))
                if self.backfilled
                else frozenset(),
            )
            start = until

    def _take(self, records: list[Any]) -> None:
        offsets = [record.offset for record in records]
        if offsets and offsets[0] < self.position:
            # The broker sends whole frames: the part before our position was read already.
            cut = bisect_left(offsets, self.position)
            records, offsets = records[cut:], offsets[cut:]
        self.offsets += offsets
        self.timestamps_ms += [record.timestamp for record in records]
        self.keys += [record.key for record in records]
        self.values += [record.value for record in records]
        self.backfilled.update(r.offset for r in records if r.headers and BACKFILL in r.headers)

    def _end_of(self, frame: Any, highwater: int) -> int | None:
        """Where a frame ends whose header may lie: two witnesses must agree, else it is unknown."""
        try:
            if self._records.has_next():
                following = self._records.next_batch()
                agree = following.base_offset == frame.next_offset or following.validate_crc()
                if agree and following.base_offset > self.position:
                    return int(following.base_offset)
        except Exception:  # noqa: BLE001 - then the end is not known from here
            return None
        return highwater if frame.next_offset == highwater > self.position else None

    def _damaged(self, reason: str, next_offset: int | None) -> DamagedFrame:
        return DamagedFrame(first_offset=self.position, next_offset=next_offset, reason=reason)
