"""How far each part is behind, seen from outside: in records, in time, against retention."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from .troubles import Trouble

LAG: Final = "pipeline_lag"
RETENTION: Final = "pipeline_retention"
STOPPED: Final = "detection_stopped"


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """One partition as one part has read it; `oldest_ms`: Kafka's time of the first unread one."""

    part: str
    topic: str
    partition: int
    committed: int | None
    begin: int
    end: int
    oldest_ms: int | None = None

    @property
    def at(self) -> int:
        """Where it reads on; a part that has committed nothing begins at the beginning."""
        return self.begin if self.committed is None else self.committed

    @property
    def behind(self) -> int:
        """Records it has not read and still can."""
        return max(0, self.end - max(self.at, self.begin))

    @property
    def lost(self) -> int:
        """Records that Kafka deleted before it read them."""
        return max(0, self.begin - self.at)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """What is late for one part and topic; `retention` None: nothing is deleted by age."""

    lag_after: timedelta
    retention: timedelta | None
    retention_percent: int


def lags(standings: Iterable[Standing], bounds: Bounds, now_ms: int) -> Iterator[Trouble]:
    """What is wrong with a part's reading of one topic (all its partitions)."""
    groups: defaultdict[tuple[str, str], list[Standing]] = defaultdict(list)
    for one in standings:
        groups[one.part, one.topic].append(one)
    for (part, topic), group in sorted(groups.items()):
        yield from _late(f"{part}:{topic}", group, bounds, now_ms)
        yield from _vanishing(f"{part}:{topic}", group, bounds, now_ms)


def oldest_s(group: Iterable[Standing], now_ms: int) -> int:
    """Age of the oldest unread record, seconds; 0 where nothing is unread."""
    oldest = [one.oldest_ms for one in group if one.behind and one.oldest_ms is not None]
    return max(0, (now_ms - min(oldest)) // 1000) if oldest else 0


def _late(
    subject: str, group: Sequence[Standing], bounds: Bounds, now_ms: int
) -> Iterator[Trouble]:
    age, behind = oldest_s(group, now_ms), sum(one.behind for one in group)
    limit = _s(bounds.lag_after)
    if age >= limit:
        yield Trouble(
            rule=LAG,
            subject=subject,
            severity="high",
            summary=f"{subject} is {behind} records behind, the oldest unread for {age} s "
            f"(limit {limit} s)",
            size=age,
            counts={"behind": behind, "oldest_s": age},
            window_s=limit,
        )


def _vanishing(
    subject: str, group: Sequence[Standing], bounds: Bounds, now_ms: int
) -> Iterator[Trouble]:
    if bounds.retention is None:
        return
    age, lost = oldest_s(group, now_ms), sum(one.lost for one in group)
    kept = _s(bounds.retention)
    limit = kept * bounds.retention_percent // 100
    if lost:
        told = f"{lost} records were deleted by retention before {subject} had read them"
    elif age >= limit:
        told = (
            f"{subject}: the oldest unread record is {age} s old and is deleted after {kept} s; "
            f"{max(0, kept - age)} s are left"
        )
    else:
        return
    yield Trouble(
        rule=RETENTION,
        subject=subject,
        severity="critical",
        summary=told,
        size=max(age, lost, 1),
        counts={"lost": lost, "oldest_s": age, "left_s": max(0, kept - age)},
        window_s=limit,
    )


def stopped(
    standings: Iterable[Standing],
    judged_ms: int | None,
    since_ms: int,
    after: timedelta,
    now_ms: int,
) -> Iterator[Trouble]:
    """Logins wait, and nothing is judged; `since_ms`: since when we have looked at `judged`."""
    waiting = [one for one in standings if one.part == "detect" and one.behind]
    quiet = (now_ms - max(since_ms, judged_ms or 0)) // 1000
    if waiting and oldest_s(waiting, now_ms) >= _s(after) and quiet >= _s(after):
        behind = sum(one.behind for one in waiting)
        yield Trouble(
            rule=STOPPED,
            subject="detect",
            severity="critical",
            summary=f"nothing has been judged for {quiet} s, and {behind} logins wait",
            size=max(quiet, 1),
            counts={"behind": behind, "quiet_s": quiet},
            window_s=_s(after),
        )


def _s(span: timedelta) -> int:
    return int(span.total_seconds())
