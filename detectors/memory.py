"""The exact store in memory: replay, tests, and the oracle beside which every other store is
held.
"""

from __future__ import annotations

from bisect import insort
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from .account_memory import WARM_AFTER
from .caps import at_ms
from .frontiers import least_frontier
from .rates import DAY_BITS, HOUR_BITS, Day, Hour, Tallies
from .windows import (
    FOR_EVER_MS,
    AlertDraft,
    Claim,
    Kind,
    Observed,
    Reading,
    Settlement,
    Standing,
    Subject,
    due_ms,
    look_bytes,
    placement,
    worth_telling,
)


@dataclass(slots=True)
class _Kept:
    blob: bytearray = field(default_factory=bytearray)
    look: int = 0
    generation: int = 0
    flagged: bool = False


class MemoryStore:
    """A WindowStore of dictionaries. `alerts` holds the body of the highest revision of each
    alert, `verdicts` of each rule's word on a login.
    """

    def __init__(self) -> None:
        self.alerts: dict[str, bytes] = {}
        self.verdicts: dict[str, bytes] = {}
        self._holders: dict[bytes, int] = {}
        """Content, partition and offset as one number: a third of the memory of a tuple."""
        self._logs: dict[Subject, _Kept] = {}
        self._episodes: dict[str, tuple[int, int]] = {}
        self._dirty: dict[Subject, int] = {}
        self._frontiers: dict[int, int] = {}
        self._memories: dict[bytes, bytearray] = {}
        self._census: dict[tuple[str, int], Counter[str]] = {}
        self._fences: dict[tuple[str, int], int] = {}
        self._minutes: dict[tuple[str, int], Counter[str]] = {}
        self._crowds: dict[tuple[str, int], Counter[str]] = {}
        self._sketches: dict[tuple[str, int], set[int]] = {}
        self._day_sketches: dict[tuple[str, int], set[int]] = {}
        self._earliest: dict[str, list[tuple[int, bytes]]] = {}

    async def claim(self, claims: Sequence[Claim]) -> list[Standing]:
        """See WindowStore; here identities are remembered for as long as the store lives."""
        return [self._standing(claim) for claim in claims]

    def _standing(self, claim: Claim) -> Standing:
        mine = (claim.offset << 64) | (claim.partition << 32) | claim.content
        holder = self._holders.setdefault(claim.identity, mine)
        if holder == mine:
            return "first"
        return "duplicate" if holder & 0xFFFFFFFF == claim.content else "conflict"

    async def record(
        self, observed: Observed, first_look: Mapping[Kind, int]
    ) -> dict[Subject, Reading]:
        """See WindowStore."""
        due: dict[Subject, Reading] = {}
        for owner, facts in observed.remembered.items():
            self._memories.setdefault(owner, bytearray()).extend(facts)
        for subject, entries in observed.entries.items():
            kept = self._logs.get(subject)
            if kept is None:
                kept = self._logs[subject] = _Kept(
                    look=look_bytes(first_look[subject.kind], subject.kind)
                )
            kept.blob += b"".join(entries)
            if kept.flagged and subject.kind != "logins":
                self._dirty.setdefault(subject, due_ms(subject.kind, max(map(at_ms, entries))))
            if len(kept.blob) >= kept.look or (subject.kind == "logins" and kept.flagged):
                due[subject] = self._reading(kept)
        for subject in observed.urgent | observed.watched:
            kept = self._logs.get(subject)
            if subject in observed.urgent or (kept is not None and kept.flagged):
                due[subject] = self._reading(kept or _Kept())
        return due

    async def recall(self, owners: Sequence[bytes]) -> dict[bytes, bytes]:
        """See WindowStore."""
        return {o: bytes(self._memories[o]) for o in owners if o in self._memories}

    async def rewrite(self, memories: Mapping[bytes, tuple[bytes, int]]) -> None:
        """See WindowStore."""
        for owner, (content, read) in memories.items():
            self._memories[owner][:read] = content

    async def warm(
        self, successes: Mapping[str, Sequence[tuple[int, bytes]]]
    ) -> dict[str, int | None]:
        """See WindowStore."""
        for system, added in successes.items():
            earliest = self._earliest.setdefault(system, [])
            for one in sorted(set(added)):
                full = len(earliest) >= WARM_AFTER
                if (not full or one < earliest[-1]) and one not in earliest:
                    insort(earliest, one)
                    del earliest[WARM_AFTER:]
        return {
            system: self._earliest[system][-1][0]
            if len(self._earliest[system]) >= WARM_AFTER
            else None
            for system in successes
        }

    async def count(
        self, system: str, partition: int, first: int, end: int, tallies: Tallies
    ) -> int:
        """See CensusStore."""
        for hour, bits in tallies.bits.items():
            self._sketches.setdefault((system, hour), set()).update(bits)
        for day, bits in tallies.day_bits.items():
            self._day_sketches.setdefault((system, day), set()).update(bits)
        fence = self._fences.get((system, partition), first)
        if fence > first:
            return fence
        for day, counts in tallies.days.items():
            self._census.setdefault((system, day), Counter()).update(counts)
        for hour, counts in tallies.hours.items():
            self._minutes.setdefault((system, hour), Counter()).update(counts)
        for hour, counts in tallies.crowds.items():
            self._crowds.setdefault((system, hour), Counter()).update(counts)
        self._fences[system, partition] = end
        return first

    async def by_day(self, system: str, first_day: int, last_day: int) -> Mapping[int, Day]:
        """See CensusStore."""
        keys = {day: (system, day) for day in range(first_day, last_day + 1)}
        return {
            day: Day(
                dict(self._census.get(key, {})), _sketch(self._day_sketches.get(key, ()), DAY_BITS)
            )
            for day, key in keys.items()
            if key in self._census or key in self._day_sketches
        }

    async def by_minute(self, system: str, hours: Sequence[int]) -> Mapping[int, Hour]:
        """See CensusStore."""
        return {hour: self._hour((system, hour)) for hour in hours}

    async def by_crowd(self, system: str, hour: int, fields: Sequence[str]) -> Mapping[str, int]:
        """See CensusStore."""
        counts = self._crowds.get((system, hour), Counter())
        return {name: counts[name] for name in fields if name in counts}

    def _hour(self, key: tuple[str, int]) -> Hour:
        sketch = _sketch(self._sketches.get(key, ()), HOUR_BITS)
        return Hour(dict(self._minutes.get(key, {})), sketch)

    async def cold_until(self) -> int:
        """See WindowStore; what lives in memory is never lost in part."""
        return 0

    async def advance(self, partition: int, frontier_ms: int) -> None:
        """See WindowStore."""
        self._frontiers[partition] = frontier_ms

    async def announce(self, partitions: Iterable[int], *, lost: bool = False) -> None:  # noqa: ARG002 - memory loses nothing
        """See WindowStore."""
        for partition in partitions:
            self._frontiers.setdefault(partition, 0)

    async def settled(self, besides: int | None = None) -> int:
        """See WindowStore."""
        return least_frontier(self._frontiers, besides)

    async def settle(self, settlements: Sequence[Settlement]) -> list[str]:
        """See WindowStore."""
        revised: list[str] = []
        for settlement in settlements:
            kept = self._logs.setdefault(settlement.subject, _Kept())
            kept.flagged = kept.flagged or settlement.flagged
            current = settlement.generation == kept.generation
            grown = not current or len(kept.blob) > settlement.seen
            if current and settlement.compacted is not None:
                kept.blob[: settlement.seen] = settlement.compacted
                kept.generation += 1
                kept.look = len(settlement.compacted) + look_bytes(
                    settlement.room, settlement.subject.kind
                )
            elif current:
                kept.look = settlement.seen + look_bytes(settlement.room, settlement.subject.kind)
            told = [self._tell(draft) for draft in settlement.drafts]
            revised += [
                draft.alert_id
                for draft, how in zip(settlement.drafts, told, strict=True)
                if how > 0 and draft.kind == "alert"
            ]
            waiting = settlement.pending or min(told, default=0) < 0
            waiting = self._entered_meanwhile(settlement) or waiting
            # By the log's own flag: this judgement may be older than the one that raised it.
            if waiting or (grown and kept.flagged):
                self._dirty[settlement.subject] = settlement.at_ms
            elif not grown and not settlement.partial:
                # Only who has judged all there is may say that nothing is left to judge.
                self._dirty.pop(settlement.subject, None)
        return revised

    def _entered_meanwhile(self, settlement: Settlement) -> bool:
        """Flag the network of a flagged subject; whether somebody got in since it was read."""
        if settlement.beside is None or not settlement.flagged:
            return False
        network = placement(settlement.subject)
        kept = self._logs.setdefault(network, _Kept(look=FOR_EVER_MS))
        kept.flagged = True
        return len(kept.blob) != settlement.beside

    def _tell(self, draft: AlertDraft) -> int:
        """1: a revision is written; 0: nothing new; -1: it has grown, and waits to double or to
        close.
        """
        told = self._episodes.get(draft.alert_id, (0, -1))
        if draft.size <= told[0]:
            return 0
        if not worth_telling(draft.size, draft.rank, told, final=draft.final):
            return -1
        self._episodes[draft.alert_id] = (draft.size, draft.rank)
        told_in = self.alerts if draft.kind == "alert" else self.verdicts
        told_in[draft.alert_id] = draft.body()
        return 1

    async def unsettled(self, shards: Iterable[int], before_ms: int, most: int) -> list[Subject]:
        """See WindowStore; here everything lies in shard 0."""
        if 0 not in shards:
            return []
        return [subject for subject, at in self._dirty.items() if at <= before_ms][:most]

    async def read(self, subjects: Sequence[Subject]) -> dict[Subject, Reading]:
        """See WindowStore."""
        return {s: self._reading(self._logs[s]) for s in subjects if s in self._logs}

    @staticmethod
    def _reading(kept: _Kept) -> Reading:
        return Reading(bytes(kept.blob), len(kept.blob), kept.generation)


def _sketch(bits: Iterable[int], size: int) -> bytes:
    """Bytes in which these bits are set, counted from the left as Redis does."""
    sketch = bytearray(size // 8)
    for bit in bits:
        sketch[bit // 8] |= 0x80 >> bit % 8
    return bytes(sketch)
