"""Which days have no record, no judgement or no review, and until when they had to have them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Literal
from zoneinfo import ZoneInfo

import msgspec

from archive import chain
from archive.layout import partitions
from config.trading_days import DayKind, TradingDays
from detectors.events import EPOCH, rfc3339

from .shelf import files_of, produced
from .signatures import Chain, Signature, changed_files
from .span import DaySpan

Status = Literal["not_produced", "unsigned", "unreviewed", "changed", "signed"]
"""changed: a signed file is gone, or another one now. unreviewed: the author alone has signed."""


class DueDay(msgspec.Struct, frozen=True, kw_only=True):
    """One day. `due`: the end of the next trading day. `late`: not signed in time, or not yet."""

    day: str
    kind: DayKind
    status: Status
    late: bool
    due: str
    author: str
    reviewer: str
    signed_at: str
    changed: list[str]

    @property
    def open(self) -> bool:
        """Whether there is something to do, and it is late."""
        return self.status == "changed" or (self.status != "signed" and self.late)


def days_due(
    folder: Path,
    signatures: Chain,
    calendar: TradingDays,
    *,
    first: date,
    last: date,
    zone: ZoneInfo,
    now: datetime,
) -> list[DueDay]:
    """Every day from `first` to `last`, holidays and weekends too."""
    there = produced(folder)
    count = (last - first).days + 1
    days = (first + timedelta(days=n) for n in range(count))
    return [
        _due(folder, signatures.of(day), calendar, day, day in there, zone, now) for day in days
    ]


def _due(
    folder: Path,
    signed: Sequence[Signature],
    calendar: TradingDays,
    day: date,
    there: bool,  # noqa: FBT001 (told by the caller, who has listed the folder once)
    zone: ZoneInfo,
    now: datetime,
) -> DueDay:
    due = DaySpan(calendar.next_open(day), zone).end
    author = next((one for one in reversed(signed) if one.role == "author"), None)
    reviewer = None
    if author is not None:
        later = (s for s in signed if s.role == "reviewer" and s.sequence > author.sequence)
        reviewer = next(later, None)
    changed = [] if author is None else changed_files(author, files_of(folder, day))
    status = _status(there, author, reviewer, changed)
    done_at = now if reviewer is None else datetime.fromisoformat(reviewer.at)
    return DueDay(
        day=day.isoformat(),
        kind=calendar.kind(day),
        status=status,
        late=done_at >= due,
        due=rfc3339(due),
        author="" if author is None else author.by,
        reviewer="" if reviewer is None else reviewer.by,
        signed_at="" if reviewer is None else reviewer.at,
        changed=changed,
    )


def _status(
    there: bool,  # noqa: FBT001
    author: Signature | None,
    reviewer: Signature | None,
    changed: Sequence[str],
) -> Status:
    if changed:
        return "changed"
    if not there:
        return "not_produced"
    if author is None:
        return "unsigned"
    return "unreviewed" if reviewer is None else "signed"


def first_day(root: Path, folder: Path, zone: ZoneInfo) -> date | None:
    """The first day that must have a record: when the archive began, or the first one produced."""
    begun = [at for topic in ("logins", "judged") for at in _beginnings(root, topic)]
    days = list(produced(folder))[:1]
    if begun:
        days.append((EPOCH + timedelta(milliseconds=min(begun))).astimezone(zone).date())
    return min(days, default=None)


def _beginnings(root: Path, topic: str) -> Iterator[int]:
    """Kafka's time (ms) of the first record of each partition."""
    for part in partitions(root):
        if part.topic == topic:
            sealed = (signed.seal.from_ms for signed in chain.sealed(part.folder(root)))
            first = next((at for at in sealed if at is not None), None)
            if first is not None:
                yield first


def usual_day(now: datetime, zone: ZoneInfo) -> date:
    """Yesterday, where the clock of `zone` stands."""
    return now.astimezone(UTC).astimezone(zone).date() - timedelta(days=1)
