"""Promise 1 for a day: read = judged + duplicates + rejected, archived = judged + duplicates."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path

from archive import times
from archive.layout import PartitionId
from archive.read import segments
from archive.seal import Range, Seal

from .batches import Batch, Batches, Offsets, totals
from .record import Cell, Completeness, Gap
from .span import HOUR_US, DaySpan

Key = tuple[str, int]
"""Topic id and partition of `logins`."""

HourSource = tuple[int, str]
"""Begin of an hour (UTC, microseconds) and the source."""


def completeness(
    root: Path, span: DaySpan, batches: Batches, archived: Mapping[HourSource, int]
) -> Completeness:
    """What was read on the day against what was judged and what is sealed.

    `archived` counts the archived logins that happened on the day, by hour and source.
    """
    shelf = _Shelf(segments(root, "logins"))
    today = batches.between(span.start_us, span.end_us)
    summed = totals(today)
    kept = sum(shelf.archived(_key(batch), *_range(batch)) for batch in today)
    gaps = _gaps(shelf, batches, today)
    compared = all_cells(span, batches, archived)
    cells = [cell for cell in compared if differs(cell)]
    through = shelf.through_us(root)
    decoded = summed.judged + summed.duplicates + summed.conflicts
    sums = summed.read == summed.judged + summed.duplicates + summed.rejected and kept == decoded
    return Completeness(
        batches=summed.batches,
        read=summed.read,
        judged=summed.judged,
        duplicates=summed.duplicates,
        rejected=summed.rejected,
        conflicts=summed.conflicts,
        archived=kept,
        reasons=dict(sorted(summed.reasons.items())),
        gaps=gaps,
        cells_compared=len(compared),
        cells=cells,
        sealed_through=None if through is None else times.text(min(through, span.end_us)),
        whole_day=through is not None and through >= span.end_us,
        adds_up=sums and not gaps and not cells,
    )


class _Shelf:
    """What the seals of `logins` say of every offset."""

    def __init__(self, found: Iterable[tuple[PartitionId, Seal]]) -> None:
        self._seals: defaultdict[Key, list[Seal]] = defaultdict(list)
        self._latest: list[int] = []
        for part, seal in found:
            self._seals[part.topic_id, part.partition].append(seal)
            self._latest += [] if seal.to_ms is None else [seal.to_ms]

    def through_us(self, root: Path) -> int | None:
        """Kafka's time of the newest sealed record of `logins` or `judged`."""
        judged = [seal.to_ms for _, seal in segments(root, "judged") if seal.to_ms is not None]
        newest = max([*self._latest, *judged], default=None)
        return None if newest is None else newest * 1000

    def archived(self, key: Key, first: int, until: int) -> int:
        """How many rows there are in [first, until)."""
        count = 0
        for seal in self._overlapping(key, first, until):
            low, high = max(first, seal.first), min(until, seal.last + 1)
            lost = sum(
                _shared(one, low, high) for one in (*seal.rejected, *seal.absent, *seal.expired)
            )
            count += high - low - lost
        return count

    def unsealed(self, key: Key, first: int, until: int) -> list[Range]:
        """Parts of [first, until) that no seal covers."""
        covered = Offsets((s.first, s.last + 1) for s in self._overlapping(key, first, until))
        return covered.lacking(first, until)

    def named(self, key: Key, first: int, until: int, why: str) -> Offsets:
        """Parts of [first, until) that seals call `absent` or `expired`."""
        found = Offsets()
        for seal in self._overlapping(key, first, until):
            for low, last in getattr(seal, why):
                if _shared((low, last), first, until):
                    found.add(max(low, first), min(last + 1, until))
        return found

    def _overlapping(self, key: Key, first: int, until: int) -> list[Seal]:
        return [s for s in self._seals.get(key, ()) if s.first < until and s.last >= first]


def _shared(one: Range, first: int, until: int) -> int:
    """How many offsets of a seal's range (both ends inside) lie in [first, until)."""
    return max(0, min(one[1] + 1, until) - max(one[0], first))


def _gaps(shelf: _Shelf, batches: Batches, today: Iterable[Batch]) -> list[Gap]:
    bounds: dict[Key, Range] = {}
    for batch in today:
        first, until = _range(batch)
        low, high = bounds.get(_key(batch), (first, until))
        bounds[_key(batch)] = (min(low, first), max(high, until))
    gaps: list[Gap] = []
    for key, (first, until) in sorted(bounds.items()):
        name = f"{key[0]}/{key[1]}"
        judged = Offsets(_range(batch) for batch in batches.kept[key])
        for low, last in shelf.named(key, first, until, "absent").ranges:
            judged.add(low, last)
        found = [
            *((one, "unjudged") for one in judged.lacking(first, until)),
            *((one, "expired") for one in shelf.named(key, first, until, "expired").ranges),
            *((one, "unsealed") for one in shelf.unsealed(key, first, until)),
        ]
        gaps += [Gap(partition=name, first=a, until=b, why=why) for (a, b), why in found]  # type: ignore[arg-type]  # three literals
    return gaps


def all_cells(span: DaySpan, batches: Batches, archived: Mapping[HourSource, int]) -> list[Cell]:
    """What was judged and what is archived, for each hour of event time and source of the day."""
    sides: Counter[tuple[HourSource, str]] = Counter()
    found: set[HourSource] = {cell for cell in archived if _inside(span, cell[0])}
    for kept in batches.kept.values():
        for batch in kept:
            for hour in batch.record.hours:
                at = _hour_us(hour.hour)
                if at is None or not _inside(span, at):
                    continue
                found.add((at, hour.source))
                for name in ("judged", "duplicates", "conflicts"):
                    sides[(at, hour.source), name] += getattr(hour, name)
    return [
        Cell(
            hour=times.text(cell[0]),
            source=cell[1],
            archived=archived.get(cell, 0),
            judged=sides[cell, "judged"],
            duplicates=sides[cell, "duplicates"],
            conflicts=sides[cell, "conflicts"],
        )
        for cell in sorted(found)
    ]


def differs(cell: Cell) -> bool:
    """Whether more or less is archived than was judged, repeated or contradicted."""
    return cell.archived != cell.judged + cell.duplicates + cell.conflicts


def _inside(span: DaySpan, hour_us: int) -> bool:
    """Whether the whole hour lies in the day (not so at the rim in zones of half hours)."""
    return span.start_us <= hour_us and hour_us + HOUR_US <= span.end_us


def _hour_us(text: str) -> int | None:
    try:
        return times.microseconds(times.parsed(text))
    except ValueError:
        return None


def _key(batch: Batch) -> Key:
    return batch.record.topic_id, batch.record.partition


def _range(batch: Batch) -> Range:
    return batch.record.first_offset, batch.record.next_offset
