"""The one engine: a batch of arrivals becomes judgements. It serves live detection, replay and
tests alike.

    arrivals -> claim identities -> record attempts, read logs -> judge -> settle

No verdict depends on what a write returned: a log is judged as the set it holds, so a batch may be
cut
anywhere, come twice, or be handled by a worker that has meanwhile lost its partition.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from .addresses import counted_as
from .alerts import alert_id, encode
from .attempts import pack
from .errors import Rejected
from .events import LoginEvent, milliseconds
from .findings import Finding, Told, alert, findings
from .pseudonyms import Pseudonyms
from .rule import SEVERITIES, ActiveRule
from .windows import (
    FOR_EVER_MS,
    HOUR_CAP,
    HOUR_MS,
    LATENESS_MS,
    RETENTION_MS,
    SLOT_MS,
    AlertDraft,
    Claim,
    Observation,
    Reading,
    Settlement,
    Subject,
    SubjectLog,
    WindowStore,
    cap,
    compacted,
)
from .wire import content

GROWTH: Final = 2
"""A flagged log is judged again when it has grown by half, or after HOLD: a flood costs no more."""

HOLD_MS: Final = 30_000
"""Event time after which a flagged subject that has grown is judged again even so."""

CLOSE_MS: Final = 120_000
"""An alert without a new hot instant for this long gets its last revision."""

COMPACT_BYTES: Final = 131_072
"""A log longer than this is rewritten without duplicates and without what its caps leave out."""


_GONE: Final = Reading(b"", 0, 0, frozenset())


class Arrival(NamedTuple):
    """A decoded event and where it stood in the topic; `appended_ms` is the broker's time."""

    event: LoginEvent
    partition: int
    offset: int
    appended_ms: int


Cell = tuple[int, str]


@dataclass(slots=True)
class Tally:
    """What became of one batch; a cell is (hour of event time in ms, emitter)."""

    judged: Counter[Cell] = field(default_factory=Counter)
    duplicates: Counter[Cell] = field(default_factory=Counter)
    conflicts: list[tuple[Cell, Arrival, Rejected]] = field(default_factory=list)
    accepted: list[LoginEvent] = field(default_factory=list)
    looked: int = 0
    revised: list[str] = field(default_factory=list)
    latest_ms: int = 0


class Engine:
    """Rules in force, and the pure steps between a store's reads and writes."""

    def __init__(self, rules: Sequence[ActiveRule], names: Pseudonyms) -> None:
        self.rules = tuple(Told.of(active) for active in rules if active.mode != "off")
        self.names = names
        self._frontiers: dict[int, int] = {}
        empty = SubjectLog.of(b"")
        self.first_look = min(
            (
                sighting.lacking
                for told in self.rules
                for sighting in told.active.rule.judge(empty, told.active.limits)
            ),
            default=1 << 20,
        )

    async def handle(
        self,
        arrivals: Sequence[Arrival],
        store: WindowStore,
        *,
        partition: int = 0,
        caught_up: bool = False,
    ) -> Tally:
        """Steps 1 to 3 of a batch of one partition; then all that it causes is in the store.

        `caught_up`: the batch ends where the partition ends.
        """
        tally = Tally()
        accepted = await self._claim(arrivals, store, tally)
        # Asked before the logs are read: what is settled by now stands in them.
        others = await store.settled(besides=partition)
        readings = await store.record(self.observe(accepted), self.first_look)
        frontier = FOR_EVER_MS if caught_up else self._frontier(partition, tally.latest_ms)
        await store.advance(partition, frontier)
        settled = min(others, frontier)
        tally.looked = len(readings)
        if readings:
            tally.revised += await store.settle(
                [
                    self.judge(subject, reading, settled_ms=settled)
                    for subject, reading in readings.items()
                ]
            )
        return tally

    async def sweep(
        self,
        store: WindowStore,
        shards: Iterable[int],
        clock_ms: int,
        *,
        idle: bool,
        most: int = 500,
    ) -> tuple[int, list[str]]:
        """Judge flagged subjects that grew unlooked-at; with `idle` all of them, and for the last
        time.

        Returns how many were judged and the ids of alerts that got a revision. Bounded by `most`.
        """
        before = FOR_EVER_MS if idle else clock_ms - HOLD_MS
        subjects = await store.unsettled(shards, before, most)
        if not subjects:
            return 0, []
        settled = await store.settled()  # before the logs are read, as above
        readings = await store.read(subjects)
        closed = FOR_EVER_MS if idle else clock_ms - CLOSE_MS
        revised = await store.settle(
            [
                # A log that has expired is settled too, or it would be asked for again for ever.
                self.judge(
                    subject,
                    readings.get(subject, _GONE),
                    closed_ms=closed,
                    now_ms=clock_ms,
                    settled_ms=settled,
                )
                for subject in subjects
            ]
        )
        return len(subjects), revised

    async def _claim(
        self, arrivals: Sequence[Arrival], store: WindowStore, tally: Tally
    ) -> list[tuple[LoginEvent, bytes]]:
        identities = [self.names.event(a.event.emitter, a.event.event_id) for a in arrivals]
        standings = await store.claim(
            [
                Claim(identity, content(a.event), a.partition, a.offset, a.appended_ms)
                for a, identity in zip(arrivals, identities, strict=True)
            ]
        )
        accepted: list[tuple[LoginEvent, bytes]] = []
        for arrival, identity, standing in zip(arrivals, identities, standings, strict=True):
            event = arrival.event
            at = milliseconds(event.judged_at)
            cell = (at // HOUR_MS * HOUR_MS, event.emitter)
            if standing == "conflict":
                told = (
                    f"event_id {event.event_id!r} of {event.emitter!r} has come with other content"
                )
                tally.conflicts.append((cell, arrival, Rejected("id_conflict", told)))
                continue
            if standing == "duplicate":
                tally.duplicates[cell] += 1
                continue
            tally.judged[cell] += 1
            # One future event must not move the clock by which alerts are closed.
            tally.latest_ms = max(tally.latest_ms, min(at, arrival.appended_ms))
            tally.accepted.append(event)
            accepted.append((event, identity))
        return accepted

    def observe(self, events: Sequence[tuple[LoginEvent, bytes]]) -> dict[Subject, Observation]:
        """What the batch adds to each subject: failures of logins, and slots with a success."""
        seen: dict[Subject, Observation] = {}
        for event, identity in events:
            if event.ip is None or event.action != "login":
                continue
            subject = Subject(event.system, "ip", counted_as(event.ip))
            observation = seen.get(subject)
            if observation is None:
                observation = seen[subject] = Observation([], set())
            if event.outcome == "failure":
                observation.failures.append(pack(event, event.ip, identity, self.names))
            else:
                observation.success_slots.add(milliseconds(event.judged_at) // SLOT_MS)
        for observation in seen.values():
            if len(observation.failures) > HOUR_CAP:
                # The smallest of each hour are the same whether capped here or in the log; one
                # more than those tells the log that there were more.
                observation.failures, _ = cap(sorted(set(observation.failures)), HOUR_CAP + 1)
        return seen

    def judge(
        self,
        subject: Subject,
        reading: Reading,
        *,
        closed_ms: int = 0,
        now_ms: int = 0,
        settled_ms: int = FOR_EVER_MS,
    ) -> Settlement:
        """All rules over one log: alerts as they stand, and when to look again."""
        log = SubjectLog.of(reading.blob, reading.success_slots, settled_ms)
        newest = log.at[-1] if log.at else 0
        # What no later event may change is told whole: its attempts may be trimmed from now on.
        closed_ms = max(closed_ms, newest - LATENESS_MS)
        drafts: list[AlertDraft] = []
        lacking = len(log) + 1
        pending = False
        for told in self.rules:
            rule = told.active.rule
            if rule.watches != subject.kind:
                continue
            sightings = rule.judge(log, told.active.limits)
            lacking = min([lacking, *(s.lacking for s in sightings if not s.hot)])
            pending = pending or any(sighting.pending for sighting in sightings)
            drafts += [
                self._draft(told, finding, subject, log, closed_ms)
                for finding in findings(told.quiet_ms, sightings, log)
            ]
        room = max(lacking, len(log) // GROWTH) if drafts else lacking
        rewritten = None
        if reading.seen > COMPACT_BYTES or (log.at and log.at[0] < newest - RETENTION_MS):
            whole = compacted(reading.blob)
            rewritten = whole if len(whole) < len(reading.blob) else None
        return Settlement(
            subject=subject,
            seen=reading.seen,
            generation=reading.generation,
            room=max(1, room),
            flagged=bool(drafts),
            compacted=rewritten,
            drafts=tuple(drafts),
            at_ms=max(now_ms, newest),
            pending=pending,
        )

    def _frontier(self, partition: int, latest_ms: int) -> int:
        """How far a partition has been recorded; a batch of late events does not set it back."""
        frontier = max(self._frontiers.get(partition, 0), latest_ms)
        self._frontiers[partition] = frontier
        return frontier

    def _draft(
        self, told: Told, finding: Finding, subject: Subject, log: SubjectLog, closed_ms: int
    ) -> AlertDraft:
        identity = alert_id(
            told.active.rule.id, told.version, finding.part, subject, finding.quiet_number
        )
        return AlertDraft(
            identity,
            finding.size,
            SEVERITIES.index(finding.severity),
            finding.updated_ms < closed_ms,
            lambda: encode(alert(identity, told, finding, subject, log, self.names)),
        )
