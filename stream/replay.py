"""The same engine over files: no network, no clock; the same input gives the same bytes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from pathlib import Path

from detectors import alerts, verdicts
from detectors.alerts import Alert
from detectors.engine import Arrival, Engine
from detectors.errors import Rejected
from detectors.events import LoginEvent, milliseconds
from detectors.memory import MemoryStore
from detectors.verdicts import Verdict
from detectors.windows import FOR_EVER_MS

from .event_files import Line, in_order_of_time

BATCH = 5000
_NO_SHARDS = (0,)


@dataclass(slots=True)
class Replayed:
    """What a replay found; `rejected` holds (file, line, why) of what could not be judged."""

    alerts: list[Alert] = field(default_factory=list)
    verdicts: list[Verdict] = field(default_factory=list)
    """One of each login of which customers are told anything, the gravest word of all rules."""
    read: int = 0
    judged: int = 0
    duplicates: int = 0
    rejected: list[tuple[Path, int, Rejected]] = field(default_factory=list)
    reasons: Counter[str] = field(default_factory=Counter)


async def replay(
    files: Sequence[Path],
    engine: Engine,
    *,
    since: datetime | None = None,
    until: datetime | None = None,
    watch: Callable[[LoginEvent], None] = lambda _: None,
    progress: Callable[[int], None] = lambda _: None,
) -> Replayed:
    """Judge the events of `files` in the order of event time, whatever order the files have.

    `since` (inclusive) and `until` (exclusive) choose what is judged, by the time the rules use.
    `watch` sees each judged event once, `progress` how many more are done. Raises OSError where a
    file cannot be read.
    """
    found = Replayed()
    iterator = in_order_of_time(files, found, lambda event: _chosen(event, since, until))
    store = MemoryStore()
    clock = 0
    done = 0
    told: dict[str, Verdict] = {}
    while batch := list(islice(iterator, BATCH)):
        arrivals = [_arrival(line, offset) for offset, line in enumerate(batch, start=done)]
        tally = await engine.handle(arrivals, store)
        for _, arrival, why in tally.conflicts:
            line = batch[arrival.offset - done]
            found.rejected.append((files[line.file], line.number, why))
            found.reasons[why.reason] += 1
        found.duplicates += tally.duplicates.total()
        for accepted in tally.accepted:
            watch(accepted.event)
        told |= {one.verdict_id: one for one in engine.inbox(tally)}
        found.judged += len(tally.accepted)
        clock = max(clock, tally.latest_ms)
        while (await engine.sweep(store, _NO_SHARDS, clock, idle=False))[0]:
            pass
        done += len(batch)
        progress(len(batch))
    await store.advance(0, FOR_EVER_MS)
    while (await engine.sweep(store, _NO_SHARDS, clock, idle=True))[0]:
        pass
    found.alerts = sorted(map(alerts.decode, store.alerts.values()), key=in_order)
    for body in store.verdicts.values():
        word = verdicts.decode(body)
        told[word.verdict_id] = verdicts.joined(word, told.get(word.verdict_id))
    found.verdicts = sorted(told.values(), key=lambda one: (one.occurred_at, one.verdict_id))
    return found


def in_order(alert: Alert) -> tuple[str, str]:
    """The one order of alerts in a file: by the time they opened, then by id."""
    return alert.opened_at, alert.alert_id


def _arrival(line: Line, offset: int) -> Arrival:
    # Replay knows no broker: the event's own time stands for the time of its append, its place in
    # the order of time for its offset: what is counted is counted once by offsets that only grow.
    return Arrival(line.event, 0, offset, milliseconds(line.event.judged_at))


def _chosen(event: LoginEvent, since: datetime | None, until: datetime | None) -> bool:
    at = event.judged_at
    return (since is None or at >= since) and (until is None or at < until)
