"""How far each partition is done, without a gap: the only source of the offsets we commit.

Faust's own bookkeeping commits past unfinished messages (its `_new_offset` guards only gaps wider
than one, and none at offset 0), so these marks replace it. They are pure: no Kafka, no clock.

Three rules make every mark safe to commit, by anyone and at any time:
a mark moves only over offsets that were handed over and are done, in order;
a partition that was taken away forgets everything, and late news about it changes nothing;
handing over again from an earlier place (an offset reset by the broker) starts that partition anew.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple


class Partition(NamedTuple):
    """One partition of one topic."""

    topic: str
    partition: int

    def __str__(self) -> str:
        return f"{self.topic}[{self.partition}]"


@dataclass(frozen=True, slots=True, kw_only=True)
class PartitionProgress:
    """Where a partition stands, for the lag gauges; offsets are the next to come."""

    partition: Partition
    highwater: int
    """End of the log as of the last fetch; it stands still when fetching does."""
    handed_over: int
    done: int
    committed: int
    """As confirmed by the broker; before the first commit, where reading began."""


class Claim:
    """The offsets [start, end) of one batch, from being handed over until it is done."""

    __slots__ = ("_lane", "end", "finished", "start")

    def __init__(self, lane: _Lane, start: int, end: int) -> None:
        self._lane = lane
        self.start = start
        self.end = end
        self.finished = False

    @property
    def live(self) -> bool:
        """Whether the partition still is ours, in the assignment the batch came from."""
        return self._lane.live


class _Lane:
    """One partition in one assignment."""

    __slots__ = ("committed", "epoch", "head", "live", "mark", "open")

    def __init__(self, epoch: int, start: int) -> None:
        self.epoch = epoch
        self.mark = start  # everything below is done
        self.head = start  # everything below was handed over
        self.committed = start
        self.live = True
        self.open: deque[Claim] = deque()


class OffsetMarks:
    """Contiguous marks by partition; one event loop uses it, nothing in it waits.

    An epoch numbers the assignments in the order they came. Kafka's eager protocol replaces the
    whole assignment at each rebalance, so the first batch of a newer epoch drops all older lanes.
    """

    def __init__(self) -> None:
        self._lanes: dict[Partition, _Lane] = {}
        self._epoch = 0

    def hand_over(self, partition: Partition, *, epoch: int, start: int, end: int) -> Claim | None:
        """Claim [start, end) of a partition; None when the batch is of an assignment gone by."""
        if end <= start:
            raise ValueError(f"{partition}: a batch must cover an offset, not [{start}, {end})")
        if epoch < self._epoch:
            return None
        if epoch > self._epoch:
            self.drop_all()
            self._epoch = epoch
        lane = self._lanes.get(partition)
        if lane is None or start < lane.head:
            if lane is not None:
                lane.live = False
            lane = self._lanes[partition] = _Lane(epoch, start)
        claim = Claim(lane, start, end)
        lane.open.append(claim)
        lane.head = end
        return claim

    def done(self, claim: Claim) -> bool:
        """Note that a batch is done; False when that changes nothing (again, or revoked)."""
        lane = claim._lane
        if claim.finished or not lane.live:
            return False
        claim.finished = True
        while lane.open and lane.open[0].finished:
            lane.mark = lane.open.popleft().end
        return True

    def drop(self, partitions: Iterable[Partition]) -> None:
        """Forget partitions that were taken away; what is still open of them will mark nothing."""
        for partition in partitions:
            lane = self._lanes.pop(partition, None)
            if lane is not None:
                lane.live = False

    def drop_all(self) -> None:
        """Forget every partition."""
        self.drop(tuple(self._lanes))

    def close_epoch(self, epoch: int) -> None:
        """Forget every partition and refuse batches of assignments up to `epoch`."""
        self.drop_all()
        self._epoch = max(self._epoch, epoch + 1)

    def committable(self) -> dict[Partition, int]:
        """The next offset to read of each partition whose mark moved since it was committed."""
        return {
            partition: lane.mark
            for partition, lane in self._lanes.items()
            if lane.mark != lane.committed
        }

    def committed(self, offsets: Mapping[Partition, int]) -> None:
        """Note what the broker confirmed."""
        for partition, offset in offsets.items():
            lane = self._lanes.get(partition)
            # A lane begun anew meanwhile, from an earlier place, has its own commits to make.
            if lane is not None and lane.committed <= offset <= lane.mark:
                lane.committed = offset

    def mark(self, partition: Partition) -> int | None:
        """Everything below this offset is done; None before the first batch."""
        lane = self._lanes.get(partition)
        return None if lane is None else lane.mark

    def reached(self) -> dict[Partition, int]:
        """The mark of every partition that has begun."""
        return {partition: lane.mark for partition, lane in self._lanes.items()}

    def head(self, partition: Partition) -> int | None:
        """Everything below this offset was handed over; None before the first batch."""
        lane = self._lanes.get(partition)
        return None if lane is None else lane.head

    def open_count(self) -> int:
        """Batches handed over and not done, of the present assignment."""
        return sum(1 for lane in self._lanes.values() for claim in lane.open if not claim.finished)

    def progress(self, highwaters: Mapping[Partition, int]) -> list[PartitionProgress]:
        """Where each partition stands, beside the ends of the log as last seen."""
        return [
            PartitionProgress(
                partition=partition,
                highwater=highwaters.get(partition, lane.head),
                handed_over=lane.head,
                done=lane.mark,
                committed=lane.committed,
            )
            for partition, lane in sorted(self._lanes.items())
        ]
