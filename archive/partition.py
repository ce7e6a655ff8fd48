"""One partition's archive while we own it: takes records in order, seals them, knows its place."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from detectors.pseudonyms import Pseudonyms

from . import chain, segment
from .chain import End
from .durable import make_folder
from .errors import Diverged
from .keys import ArchiveKeys
from .layout import PartitionId
from .pending import Pending
from .records import KafkaRecord
from .seal import SignedSeal


@dataclass(frozen=True, slots=True, kw_only=True)
class Store:
    """Where segments go, and the keys they are sealed and pseudonymised with."""

    root: Path
    keys: ArchiveKeys
    pseudonyms: Pseudonyms


class PartitionArchive:
    """The chain of one partition and what is pending behind it. Not for two threads at once."""

    def __init__(self, store: Store, part: PartitionId, end: End, log_start: int) -> None:
        self.part = part
        self.pending = Pending.behind(end.next_offset, log_start)
        self._store = store
        self._end = end
        # Reading the last archived record once more shows whether Kafka still holds that one.
        self._seam = end.next_offset - 1 if end.next_offset > log_start else None

    @classmethod
    def take_over(
        cls, store: Store, part: PartitionId, *, log_start: int, log_end: int
    ) -> PartitionArchive:
        """Go on where the segments end; `log_start` and `log_end` bound what Kafka holds now.

        Raises Diverged where Kafka's log is shorter than the archive, ArchiveError where the last
        seal is unreadable, OSError where the disk refuses.
        """
        folder = part.folder(store.root)
        make_folder(folder)
        end = chain.take_over(folder)
        if end.next_offset > log_end:
            raise Diverged(
                f"{part}: the archive ends at offset {end.next_offset - 1}, Kafka's log at "
                f"{log_end - 1}: the broker lost records it had acknowledged. The archive waits "
                "here; docs/archive-format.md, 'When Kafka lost its tail', says what to do"
            )
        return cls(store, part, end, log_start)

    @property
    def start(self) -> int:
        """The offset to read from: the next one, or the last archived one to compare."""
        return self.pending.expected if self._seam is None else self._seam

    def add(self, batch: Sequence[KafkaRecord], now: float) -> int:
        """Take what Kafka gave, in order; how many of it were archived or pending already.

        Raises Diverged where the last archived record is another one in Kafka now.
        """
        if self._seam is not None and batch:
            self._compare(batch[0], self._seam)
        return self.pending.add(batch, now)

    def seal(self, at: datetime) -> SignedSeal:
        """Seal all that is pending; on return it is on the disk. Raises as `segment.write` does."""
        signed = segment.write(
            self._store.root,
            self.part,
            self.pending.cut(),
            self._end,
            keys=self._store.keys,
            pseudonyms=self._store.pseudonyms,
            sealed_at=at,
        )
        self._end = End(
            next_offset=signed.seal.last + 1,
            sequence=signed.seal.sequence + 1,
            previous=signed.sha256,
            last_digest=signed.seal.last_digest,
        )
        self.pending = self.pending.sealed()
        return signed

    def _compare(self, record: KafkaRecord, seam: int) -> None:
        self._seam = None
        if record.offset != seam:
            return  # compacted away; nothing to compare with
        if segment.digest(record, self._store.keys) != self._end.last_digest:
            raise Diverged(
                f"{self.part}: offset {seam} holds another record than the one archived: the "
                "broker lost records and gave their offsets anew. The archive waits here; "
                "docs/archive-format.md, 'When Kafka lost its tail', says what to do"
            )
