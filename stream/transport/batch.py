"""One fetched chunk of one partition: what the agent receives instead of single messages."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from .marks import Claim, Partition


@dataclass(frozen=True, slots=True, kw_only=True)
class DamagedFrame:
    """A record batch of the log that cannot be read: its offsets, and why."""

    first_offset: int
    next_offset: int | None
    """One past its last offset; None when not even that can be told (then it cannot be skipped)."""
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Chunk:
    """Records of one partition as parallel lists, and the offsets [start, end) they account for.

    [start, end) is wider than the records where the log has gaps (compaction, transaction markers).
    """

    partition: Partition
    epoch: int
    start: int
    end: int
    offsets: Sequence[int]
    timestamps_ms: Sequence[int]
    keys: Sequence[bytes | None]
    values: Sequence[bytes | None]
    highwater: int
    damage: DamagedFrame | None = None
    backfilled: frozenset[int] = frozenset()
    """Offsets of records that are imports of the past."""


class Batch:
    """A chunk in the hands of the agent, until `done()`.

    `offsets`, `timestamps_ms` (log-append time where the topic says so), `keys` and `values` are
    parallel; `backfilled` names the offsets of imports of the past. `covers` is the half-open
    range of offsets that `done()` accounts for; ranges of one partition follow one another without
    a gap, whatever the log has compacted away.
    A batch with `damage` has no records: that stretch of the log could not be read.
    """

    __slots__ = (
        "_begun",
        "_claim",
        "_on_begin",
        "_on_done",
        "backfilled",
        "damage",
        "highwater",
        "kept",
        "keys",
        "offsets",
        "partition",
        "timestamps_ms",
        "topic",
        "values",
    )

    def __init__(
        self,
        chunk: Chunk,
        claim: Claim,
        *,
        on_begin: Callable[[Batch], None],
        on_done: Callable[[Batch], None],
    ) -> None:
        self.topic, self.partition = chunk.partition
        self.offsets = chunk.offsets
        self.timestamps_ms = chunk.timestamps_ms
        self.keys = chunk.keys
        self.values = chunk.values
        self.highwater = chunk.highwater
        self.damage = chunk.damage
        self.backfilled = chunk.backfilled
        self._claim = claim
        self._on_begin = on_begin
        self._on_done = on_done
        self._begun = False
        self.kept = False

    def __len__(self) -> int:
        return len(self.offsets)

    def __repr__(self) -> str:
        start, end = self.covers
        return f"<Batch {self.topic}[{self.partition}] {start}..{end - 1}, {len(self)} records>"

    @property
    def claim(self) -> Claim:
        """The claim that `done()` fulfils."""
        return self._claim

    @property
    def covers(self) -> tuple[int, int]:
        """The offsets [start, end) this batch accounts for."""
        return self._claim.start, self._claim.end

    @property
    def first_offset(self) -> int:
        """Offset of the first record, or the start of the covered range where there is none."""
        return self.offsets[0] if self.offsets else self._claim.start

    @property
    def last_offset(self) -> int:
        """Offset of the last record, or the last covered one where there is none."""
        return self.offsets[-1] if self.offsets else self._claim.end - 1

    @property
    def live(self) -> bool:
        """Whether the partition still is this worker's; a dead batch may be finished or left."""
        return self._claim.live

    @property
    def finished(self) -> bool:
        """Whether `done()` was called while the partition was this worker's."""
        return self._claim.finished

    @property
    def begun(self) -> bool:
        """Whether an agent has taken this batch in hand."""
        return self._begun

    def begin(self) -> bool:
        """Take the batch in hand; False when it is no longer this worker's and can be left."""
        if not self.live:
            return False
        self._begun = True
        self._on_begin(self)
        return True

    def keep(self) -> None:
        """Keep it in hand while the agent asks for the next: who keeps it calls `done()` in the
        end, or ends the process.
        """
        self.kept = True

    def done(self) -> None:
        """Say that every effect of this batch is durable; calling it again changes nothing."""
        self._on_done(self)
