"""The one engine: a batch of arrivals becomes judgements. It serves live detection, replay and
tests alike.

    arrivals -> claim identities -> record attempts, read logs -> judge -> settle

No verdict depends on what a write returned: a log is judged as the set it holds, so a batch may be
cut
anywhere, come twice, or be handled by a worker that has meanwhile lost its partition.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Final, NamedTuple

from .alerts import alert_id, encode
from .facts import Joiner
from .findings import Finding, Told, alert, findings
from .intake import Arrival, Tally, claims, observe, sort_out
from .pseudonyms import Pseudonyms
from .rule import SEVERITIES, ActiveRule
from .windows import (
    FOR_EVER_MS,
    LATENESS_MS,
    RETENTION_MS,
    AlertDraft,
    Reading,
    Settlement,
    Subject,
    SubjectLog,
    WindowStore,
    compacted,
    present_ms,
)

__all__ = ["Arrival", "Engine", "Look", "Tally"]

GROWTH: Final = 2
"""A flagged log is judged again when it has grown by half, or after HOLD: a flood costs no more."""

HOLD_MS: Final = 30_000
"""Event time after which a flagged subject that has grown is judged again even so."""

CLOSE_MS: Final = 120_000
"""An alert without a new hot instant for this long gets its last revision."""

COMPACT_BYTES: Final = 131_072
"""A log longer than this is rewritten without duplicates and without what its caps leave out."""


_GONE: Final = Reading(b"", 0, 0)


class Look(NamedTuple):
    """When a log is looked at: alerts at rest before `closed_ms` are told for the last time.

    `now_ms` is the clock of event time, `settled_ms` how far every partition is recorded.
    """

    closed_ms: int = 0
    now_ms: int = 0
    settled_ms: int = FOR_EVER_MS


class Engine:
    """Rules in force, and the pure steps between a store's reads and writes.

    `facts` joins what is known of an event; None: what it carries itself, and no more.
    """

    def __init__(
        self, rules: Sequence[ActiveRule], names: Pseudonyms, facts: Joiner | None = None
    ) -> None:
        self.rules = tuple(Told.of(active) for active in rules if active.mode != "off")
        self.names = names
        self.facts = facts
        self._frontiers: dict[int, int] = {}
        empty = SubjectLog.of(b"")
        self.first_look = min(
            (sighting.lacking for told in self.rules for sighting in told.judge(empty)),
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
        claimed = claims(arrivals, self.names)
        tally = sort_out(arrivals, claimed, await store.claim(claimed))
        # Asked before the logs are read: what is settled by now stands in them.
        others = await store.settled(besides=partition)
        observed = observe(tally.accepted, self.names, self.facts)
        readings = await store.record(observed, self.first_look)
        frontier = FOR_EVER_MS if caught_up else self._frontier(partition, tally.latest_ms)
        await store.advance(partition, frontier)
        settled = min(others, frontier)
        tally.looked = len(readings)
        if readings:
            look = Look(settled_ms=settled)
            tally.revised = await store.settle(await self._judged(readings, store, look))
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
        look = Look(closed_ms=closed, now_ms=clock_ms, settled_ms=settled)
        # A log that has expired is settled too, or it would be asked for again for ever.
        found = {subject: readings.get(subject, _GONE) for subject in subjects}
        revised = await store.settle(await self._judged(found, store, look))
        return len(subjects), revised

    async def _judged(
        self, readings: Mapping[Subject, Reading], store: WindowStore, look: Look
    ) -> list[Settlement]:
        """Judge logs, with what their rules ask to know beside them."""
        logs = {
            subject: SubjectLog.of(reading.blob, settled_ms=look.settled_ms)
            for subject, reading in readings.items()
        }
        asked = {
            subject: slots
            for subject, log in logs.items()
            if (slots := {slot for told in self._watching(subject) for slot in told.asks(log)})
        }
        known = await store.succeeded(asked) if asked else {}
        return [
            self.judge(subject, readings[subject], replace(log, success_slots=known[subject]), look)
            if subject in known
            else self.judge(subject, readings[subject], log, look)
            for subject, log in logs.items()
        ]

    def _watching(self, subject: Subject) -> Iterator[Told]:
        return (told for told in self.rules if told.active.rule.watches == subject.kind)

    def judge(self, subject: Subject, reading: Reading, log: SubjectLog, look: Look) -> Settlement:
        """All rules over one log: alerts as they stand, and when to look again."""
        present = present_ms(log.at)
        # What no later event may change is told whole: its attempts may be trimmed from now on.
        closed_ms = max(look.closed_ms, present - LATENESS_MS)
        drafts: list[AlertDraft] = []
        lacking = len(log) + 1
        pending = False
        for told in self._watching(subject):
            sightings = told.judge(log)
            lacking = min([lacking, *(s.lacking for s in sightings if not s.hot)])
            pending = pending or any(sighting.pending for sighting in sightings)
            drafts += [
                self._draft(told, finding, subject, log, closed_ms)
                for finding in findings(told.quiet_ms, sightings, log)
            ]
        room = max(lacking, len(log) // GROWTH) if drafts else lacking
        rewritten = None
        oldest = present - RETENTION_MS
        if reading.seen > COMPACT_BYTES or (log.at and log.at[0] < oldest):
            whole = compacted(reading.blob, oldest)
            rewritten = whole if len(whole) < len(reading.blob) else None
        return Settlement(
            subject=subject,
            seen=reading.seen,
            generation=reading.generation,
            room=max(1, room),
            flagged=bool(drafts),
            compacted=rewritten,
            drafts=tuple(drafts),
            at_ms=max(look.now_ms, present),
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
