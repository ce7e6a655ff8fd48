"""The one engine: a batch of arrivals becomes judgements. It serves live detection, replay and
tests alike.

    arrivals -> claim identities -> record attempts, read logs -> judge -> settle

No verdict depends on what a write returned: a log is judged as the set it holds, so a batch may be
cut anywhere, come twice, or be handled by a worker that has meanwhile lost its partition.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Final

from .at_risk import AtRisk, read_register
from .attack_mode import AttackModes
from .attempts import holds_several
from .census import take
from .crowds import Crowds, Slot
from .facts import Joiner
from .familiarity import Familiarity
from .inbox import inbox_entry, is_told
from .intake import Arrival, Tally, blamed, claims, observe, sort_out
from .judging import BY_NETWORK, RAISED, Judged, Judges, Look, logins_of
from .pseudonyms import Pseudonyms
from .rule import ActiveRule
from .slots import slot_of
from .verdicts import Verdict
from .windows import (
    FOR_EVER_MS,
    Observed,
    Reading,
    Settlement,
    Subject,
    SubjectLog,
    WindowStore,
    placement,
)

__all__ = ["Arrival", "Engine", "Look", "Tally"]

HOLD_MS: Final = 30_000
"""Event time after which a flagged subject that has grown is judged again even so."""

CLOSE_MS: Final = 120_000
"""An alert without a new hot instant for this long gets its last revision."""

HELD_MS: Final = 0
"""Under this time stands what was held back while logs were not whole: it is judged first."""
_RAISED_HELD_MS: Final = HELD_MS + 1
"""Behind it, what that raises."""

_GONE: Final = Reading(b"", 0, 0)
_UNREAD: Final = Reading(b"", 0, -1)
"""Of no generation, so that nothing is said of when to look next."""
_NOTHING: Final = Observed({})


class Engine:
    """Rules in force, and the pure steps between a store's reads and writes.

    `facts` joins what is known of an event; None: what it carries itself, and no more.
    """

    def __init__(
        self, rules: Sequence[ActiveRule], names: Pseudonyms, facts: Joiner | None = None
    ) -> None:
        self.judges = Judges([active for active in rules if active.mode != "off"], names)
        self.names = names
        self.facts = facts
        self.familiarity = Familiarity()
        limits = self.judges.mode_limits
        self._modes = None if limits is None else AttackModes(limits)
        self._crowds = Crowds()
        self._frontiers: dict[int, int] = {}
        self._clock = 0
        self._raised = Raised()
        self._swept: list[Subject] = []

    async def handle(
        self,
        arrivals: Sequence[Arrival],
        store: WindowStore,
        *,
        partition: int = 0,
        caught_up: bool = False,
        hold: bool = False,
        rebuilding: bool = False,
    ) -> Tally:
        """Steps 1 to 3 of a batch of one partition; then all that it causes is in the store.

        `caught_up`: the batch ends where the partition ends. `hold`: logs are not whole at present,
        so they are judged by a later sweep. `rebuilding`: see Look.
        """
        claimed = claims(arrivals, self.names)
        tally = sort_out(arrivals, claimed, await store.claim(claimed), self.names, self.facts)
        # Asked before the logs are read: what is settled by now stands in them.
        others = await store.settled(besides=partition)
        familiar = await self.familiarity.read(tally.accepted, store)
        at_risk = await read_register(tally.accepted, self.names, store, familiar.warm_from)
        observed = at_risk.seeing(observe(tally.accepted, self.names, familiar))
        readings = await self._record(observed, store)
        if arrivals:
            span = arrivals[0].offset, arrivals[-1].offset + 1
            failed = blamed(tally.accepted, familiar)
            await take(tally.accepted, failed, partition, span, store)
        if long := familiar.too_long():
            await store.rewrite(long)
        frontier = FOR_EVER_MS if caught_up else self._frontier(partition, tally.latest_ms)
        await store.advance(partition, frontier)
        tally.looked = len(readings)
        if hold:
            await store.settle(_held(readings, observed))
            return tally
        self._clock = max(self._clock, tally.latest_ms)
        look = Look(settled_ms=min(others, frontier), clock_ms=self._clock, rebuilding=rebuilding)
        tally.revised = await self._settle(readings, store, look, at_risk, observed)
        return tally

    async def _record(self, observed: Observed, store: WindowStore) -> dict[Subject, Reading]:
        """Record a batch; the logs to judge."""
        marked = observed.marked - observed.urgent
        if not marked:
            return await store.record(observed, self.judges.first_look)
        asked = replace(observed, urgent=observed.urgent | marked)
        readings = await store.record(asked, self.judges.first_look)
        # Under a list that is passed around most addresses try but once, and one try is nothing.
        return {s: r for s, r in readings.items() if s not in marked or holds_several(r.blob)}

    async def sweep_again(self, store: WindowStore) -> None:
        """What the last sweep found was lost, or is half of what it will be."""
        await store.settle(_held(dict.fromkeys(self._swept, _UNREAD), _NOTHING))

    async def sweep(
        self,
        store: WindowStore,
        shards: Iterable[int],
        clock_ms: int,
        *,
        idle: bool,
        most: int = 500,
        rebuilding: bool = False,
    ) -> tuple[int, list[str]]:
        """Judge flagged subjects that grew unlooked-at; with `idle` all of them, and for the last
        time.

        Returns how many were judged and the ids of alerts that got a revision. Bounded by `most`.
        `rebuilding`: only what was held back; then what that raises.
        """
        before = FOR_EVER_MS if idle else clock_ms - HOLD_MS
        before = HELD_MS if rebuilding else before
        subjects = self._swept = await store.unsettled(shards, before, most)
        if not subjects:
            return 0, []
        settled = await store.settled()  # before the logs are read, as above
        readings = await store.read(subjects)
        closed = FOR_EVER_MS if idle else clock_ms - CLOSE_MS
        late = FOR_EVER_MS if idle else clock_ms
        look = Look(closed, clock_ms, settled, late, rebuilding)
        # A log that has expired is settled too, or it would be asked for again for ever.
        found = {subject: readings.get(subject, _GONE) for subject in subjects}
        again = Observed({}, urgent=frozenset(subjects))
        return len(subjects), await self._settle(found, store, look, AtRisk(self.names), again)

    async def _settle(
        self,
        readings: dict[Subject, Reading],
        store: WindowStore,
        look: Look,
        at_risk: AtRisk,
        observed: Observed,
    ) -> list[str]:
        """Judge logs, and what their findings say of larger subjects; then leave what was found."""
        settlements: list[Settlement] = []
        while readings:
            judged = await self._judged(readings, store, look, observed)
            settlements += [one.settlement for one in judged]
            raised = self._raised.new(one.raised for one in judged)
            # What is raised is written before what raised it is settled: after a crash it is
            # judged, and so raised, again.
            readings = await self._raise(raised, store, at_risk) if raised else {}
        return await store.settle(settlements) if settlements else []

    async def _raise(
        self, raised: Mapping[Subject, Sequence[bytes]], store: WindowStore, at_risk: AtRisk
    ) -> dict[Subject, Reading]:
        # Logins that turn out to be risky put the batch's orders of their accounts in a new light.
        return await store.record(at_risk.seeing(Observed(raised)), self.judges.first_look)

    async def _judged(
        self,
        readings: dict[Subject, Reading],
        store: WindowStore,
        look: Look,
        observed: Observed,
    ) -> list[Judged]:
        """Judge logs, with the successes beside those where a rule sees something."""
        entered = _entered(readings, observed)
        for subject, reading in (await store.read(entered)).items() if entered else ():
            readings.setdefault(subject, reading)
        waiting: dict[Subject, Reading] = {}
        if look.rebuilding:
            waiting = {s: reading for s, reading in readings.items() if s.kind in RAISED}
            readings = {s: reading for s, reading in readings.items() if s not in waiting}
        logs = {
            subject: SubjectLog.of(reading.blob, look.settled(subject.kind), subject.kind)
            for subject, reading in readings.items()
        }
        wanted = observed.urgent.union(entered)
        asked = {
            subject: placement(subject)
            for subject, log in logs.items()
            if subject.kind in BY_NETWORK
            and (subject in wanted or self.judges.suspects(subject, log))
        }
        beside = await store.read(sorted(set(asked.values()))) if asked else {}
        networks = {subject: beside.get(network, _GONE) for subject, network in asked.items()}
        logs |= {
            subject: replace(logs[subject], logins=logins_of(subject, network, look.settled_ms))
            for subject, network in networks.items()
        }
        logs = await self._under_mode(logs, store, look.settled_ms)
        logs = await self._in_crowds(logs, store, look.settled_ms)
        return [Judged(held, {}) for held in _held(waiting, _NOTHING)] + [
            self.judges.judge(
                subject,
                readings[subject],
                log,
                look,
                networks[subject].seen if subject in networks else None,
            )
            for subject, log in logs.items()
        ]

    async def _under_mode(
        self, logs: dict[Subject, SubjectLog], store: WindowStore, settled_ms: int
    ) -> dict[Subject, SubjectLog]:
        """The logs, with the attack mode where a rule may ask for it."""
        modes = self._modes
        asking = {s: span for s, log in logs.items() if (span := self.judges.mode_span(log))}
        if modes is None or not asking:
            return logs
        spans: dict[str, tuple[int, int]] = {}
        for subject, (first, last) in asking.items():
            known = spans.get(subject.system, (first, last))
            spans[subject.system] = min(first, known[0]), max(last, known[1])
        found = {
            system: await modes.between(
                system, *span, settled_ms, store, over_ms=self._over_ms(settled_ms)
            )
            for system, span in spans.items()
        }
        return logs | {s: replace(logs[s], mode=found[s.system]) for s in asking}

    async def _in_crowds(
        self, logs: dict[Subject, SubjectLog], store: WindowStore, settled_ms: int
    ) -> dict[Subject, SubjectLog]:
        """The logs, those of networks and programs with what is counted of them."""
        asking: dict[str, dict[Subject, Slot]] = {}
        for subject, log in logs.items():
            if self.judges.asks_crowd(log):
                asking.setdefault(subject.system, {})[subject] = Slot(
                    slot_of(subject.kind, subject.value), log.at[0], log.at[-1]
                )
        found: dict[Subject, SubjectLog] = {}
        for system, slots in asking.items():
            crowds = await self._crowds.of(system, slots.values(), self._over_ms(settled_ms), store)
            found |= {s: replace(logs[s], crowd=crowds[slot]) for s, slot in slots.items()}
        return logs | found

    def _over_ms(self, settled_ms: int) -> int:
        """Before when nothing is counted any more. Partitions that are read to their end are
        settled for ever, and what goes on there still counts: the clock of event time says more.
        """
        return min(settled_ms, self._clock)

    def forget(self) -> None:
        """State was lost: what this process has read of it and written to it no longer holds."""
        self.familiarity.forget()
        self.judges.forget()
        self._crowds.forget()
        self._raised = Raised()
        if self._modes is not None:
            self._modes.forget()

    def inbox(self, tally: Tally) -> list[Verdict]:
        """The least that customers are told: an entry for each of their ordinary logins."""
        return [
            inbox_entry(login, self.names)
            for login in tally.accepted
            if login.event.outcome == "success" and is_told(login)
        ]

    def _frontier(self, partition: int, latest_ms: int) -> int:
        """How far a partition has been recorded; a batch of late events does not set it back."""
        frontier = max(self._frontiers.get(partition, 0), latest_ms)
        self._frontiers[partition] = frontier
        return frontier


class Raised:
    """What was raised before, bounded: a hint that saves appending it again, no state."""

    def __init__(self, most: int = 65_536) -> None:
        self._most = most
        self._known: dict[tuple[Subject, bytes], None] = {}

    def new(
        self, raised: Iterable[Mapping[Subject, Sequence[bytes]]]
    ) -> dict[Subject, list[bytes]]:
        """The entries that this process has not raised yet."""
        found: dict[Subject, list[bytes]] = {}
        for one in raised:
            for subject, entries in one.items():
                for entry in entries:
                    if (subject, entry) not in self._known:
                        self._known[subject, entry] = None
                        found.setdefault(subject, []).append(entry)
        while len(self._known) > self._most:
            del self._known[next(iter(self._known))]
        return found


def _held(readings: Mapping[Subject, Reading], observed: Observed) -> list[Settlement]:
    """Nothing found yet, and all of it to be looked at later."""
    subjects = {one: readings.get(one, _GONE) for one in (*readings, *_entered(readings, observed))}
    return [
        Settlement(
            subject=subject,
            seen=reading.seen,
            generation=reading.generation,
            room=1,
            flagged=False,
            compacted=None,
            drafts=(),
            at_ms=_RAISED_HELD_MS if subject.kind in RAISED else HELD_MS,
            pending=True,
        )
        for subject, reading in subjects.items()
        if subject.kind != "logins"  # judged with their address or network
    ]


def _entered(readings: Mapping[Subject, Reading], observed: Observed) -> list[Subject]:
    """The addresses from which somebody got in, and their networks, where one is flagged."""
    found: set[Subject] = set()
    for subject in readings:
        if subject.kind == "logins":
            found.update(observed.entering.get(subject, ()))
            found.add(subject._replace(kind="subnet"))
    return sorted(found)
