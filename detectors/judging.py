"""All rules over one log: alerts and verdicts as they stand, and when to look again. Pure.

An address or network is judged in two passes: first what its failures show, weighed by the guard;
then the rules that follow, which see when it was flagged and who logged in from it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Final, NamedTuple, get_args

from . import verdicts
from .addresses import network_of
from .alerts import alert_id, encode
from .attempts import (
    COLD,
    HEAD_BYTES,
    LATE,
    NEW_DEVICE,
    SUCCESS,
    UNFAMILIAR,
    account_of,
    flags_of,
    is_mfa_failed,
    packed_address,
    unpack,
)
from .counting import present_ms
from .deeds import risky
from .events import AS_OF_MS, instant, rfc3339
from .findings import BY_RATES, Finding, Told, about_whom, alert, finished, gather
from .guard import weighed
from .networks_raised import raised_entry
from .past import FLAG_RANK, HIGH_RANK, Past, Pasts, bad_times, grown
from .pseudonyms import Pseudonyms
from .rule import NEVER, SEVERITIES, ActiveRule, Sighting
from .verdicts import RISKS, NoticeRisk, Verdict
from .windows import (
    FOR_EVER_MS,
    LATENESS_MS,
    RETENTION_MS,
    AlertDraft,
    Kind,
    Reading,
    Settlement,
    Subject,
    SubjectLog,
    compacted,
    due_ms,
    retention_ms,
)

GROWTH: Final = 2
"""A flagged log is judged again when it has grown by half, or after HOLD: a flood costs no more."""

COMPACT_BYTES: Final = 131_072
"""A log longer than this is rewritten without duplicates and without what its caps leave out."""

BY_NETWORK: Final[tuple[Kind, ...]] = ("ip", "subnet")
"""Subjects whose successes stand in the log of their network."""

RAISED: Final[frozenset[Kind]] = frozenset({"subnet", "deeds"})
"""Subjects in whose logs stands what judgements of others have found."""

_STRANGE: Final = NEW_DEVICE | UNFAMILIAR
_KINDS: Final[tuple[Kind, ...]] = get_args(Kind)
_ASK: Final = RISKS.index("ask")
_COMPACT_ENTRIES: Final = COMPACT_BYTES // HEAD_BYTES


class Look(NamedTuple):
    """When a log is looked at: alerts at rest before `closed_ms` are told for the last time.

    `now_ms` is the clock of event time, `settled_ms` how far every partition is recorded, and
    `clock_ms` how late it is: what is read to its end may still go on. `rebuilding`: what other
    judgements raise (RAISED) is not all there again after a loss of state, and waits.
    """

    closed_ms: int = 0
    now_ms: int = 0
    settled_ms: int = FOR_EVER_MS
    clock_ms: int = FOR_EVER_MS
    rebuilding: bool = False

    def settled(self, kind: Kind) -> int:
        """How far a log of this kind is settled: rates are judged by whole spans of time alone."""
        return min(self.settled_ms, self.clock_ms) if kind in BY_RATES else self.settled_ms


class Judged(NamedTuple):
    """What a judgement leaves, and what it says of larger subjects."""

    settlement: Settlement
    raised: Mapping[Subject, Sequence[bytes]]


class Judges:
    """The rules in force, by the kind of log that they watch."""

    def __init__(self, rules: Sequence[ActiveRule], names: Pseudonyms) -> None:
        self.names = names
        told = [Told.of(active) for active in rules]
        self.pasts = Pasts()
        self._first = {kind: _watching(told, kind, follows=False) for kind in _KINDS}
        self._after = {kind: _watching(told, kind, follows=True) for kind in _KINDS}
        limits = [
            active.rule.mode_limits(active.limits)
            for active in rules
            if active.rule.mode_limits is not None and active.mode == "live"
        ]
        self.mode_limits = limits[0] if limits else None
        """When an attack on everybody is on; None: no live detection says so."""
        self._mode_readers = frozenset(
            kind for active in rules if active.rule.reads_mode for kind in active.rule.watches
        )
        self.rules = tuple(dict.fromkeys(active.rule.id for active in rules))
        """The ids of the detections that judge."""
        self.first_look = {kind: self._first_look(kind) for kind in _KINDS}
        """The fewest attempts with which a log of this kind can show anything."""

    def _first_look(self, kind: Kind) -> int:
        if kind == "logins":
            return _COMPACT_ENTRIES  # looked at only to be rewritten
        empty = SubjectLog.of(b"", kind=kind)
        every = (*self._first[kind], *self._after[kind])
        return min((s.lacking for told in every for s in told.judge(empty)), default=NEVER)

    def mode_span(self, log: SubjectLog) -> tuple[int, int] | None:
        """From when to when a rule may ask of this log whether an attack on everybody was on."""
        if log.kind not in self._mode_readers:
            return None
        if log.kind == "global":
            at: Sequence[int] = log.at
        else:
            told = log if log.logins is None else log.logins
            at = [
                at
                for at, entry in zip(told.at, told.entries, strict=True)
                if flags_of(entry) & SUCCESS and flags_of(entry) & _STRANGE
            ]
        return (max(at[0], at[-1] - RETENTION_MS), at[-1]) if at else None

    def forget(self) -> None:
        """State was lost."""
        self.pasts.clear()

    def asks_crowd(self, log: SubjectLog) -> bool:
        """Whether a rule's word hangs on the rates of the network or program that a log is of."""
        told = (one for one in self._first[log.kind] if one.active.rule.reads_crowd)
        return any(sighting.restless for one in told for sighting in one.judge(log))

    def suspects(self, subject: Subject, log: SubjectLog) -> bool:
        """Whether the successes of an address may matter: any rule sees something without them."""
        return subject in self.pasts or any(
            s.hot or s.pending for told in self._first[log.kind] for s in told.judge(log)
        )

    def judge(
        self,
        subject: Subject,
        reading: Reading,
        log: SubjectLog,
        look: Look,
        beside: int | None = None,
    ) -> Judged:
        """Alerts and verdicts of a log as they stand, and when to look again."""
        present = present_ms(log.at)
        # What no later event may change is told whole: its attempts may be trimmed from now on.
        closed_ms = max(look.closed_ms, present - LATENESS_MS)
        past = self.pasts.of(subject, reading.generation, log)
        seen = self._seen(subject.kind, log, past)
        log = replace(
            log,
            flagged=bad_times(past, seen, log, FLAG_RANK),
            flagged_high=bad_times(past, seen, log, HIGH_RANK),
            whole=reading.generation == 0,
        )
        grown_past = grown(past, seen, log, reading.generation)
        if grown_past is not None and grown_past is not past:
            self.pasts.keep(subject, grown_past)
        seen += [(told, told.judge(log)) for told in self._after[subject.kind]]
        drafts: list[AlertDraft] = []
        raised: dict[Subject, list[bytes]] = {}
        waits = False
        for told, sightings in seen:
            groups = {} if past is None else past.groups(told.active.rule.id, log)
            gather(told.quiet_ms, sightings, log, groups)
            for finding in finished(groups):
                drafts.append(self._draft(told, finding, subject, closed_ms))
                drafts += self._verdicts(told, finding, subject)
                for account, login in self._risky(told, finding, subject):
                    raised.setdefault(account, []).append(login)
                if subject.kind != "ip" or not _counts_as_bad(told, finding):
                    continue
                if past is not None and past.has(told.active.rule.id, finding):
                    continue  # raised when it was first seen
                # Its network counts when it crossed: what is on its way may still move that ahead.
                if finding.opened_ms > look.settled_ms - AS_OF_MS:
                    waits = True
                else:
                    larger = Subject(subject.system, "subnet", network_of(subject.value))
                    why = f"{told.active.rule.id} {finding.part} {finding.quiet_number}"
                    entry = raised_entry(subject, finding, why)
                    raised.setdefault(larger, []).append(entry)
        every = [sighting for _, sightings in seen for sighting in sightings]
        settlement = self._settlement(subject, reading, log, drafts, every, look)
        settlement = settlement._replace(
            pending=settlement.pending or waits,
            beside=beside,
            partial=subject.kind in BY_NETWORK and beside is None,
        )
        return Judged(settlement, raised)

    def _seen(
        self, kind: Kind, log: SubjectLog, past: Past | None
    ) -> list[tuple[Told, list[Sighting]]]:
        """What the failures show; of rules that resume, from where the past ends."""
        rest = log if past is None else replace(log, since=past.count)
        return [
            (told, self._weighed(told, rest if told.active.rule.resumes else log))
            for told in self._first[kind]
        ]

    @staticmethod
    def _weighed(told: Told, log: SubjectLog) -> list[Sighting]:
        sightings = told.judge(log)
        return weighed(sightings, log) if told.active.rule.guarded else sightings

    def _settlement(
        self,
        subject: Subject,
        reading: Reading,
        log: SubjectLog,
        drafts: list[AlertDraft],
        sightings: Sequence[Sighting],
        look: Look,
    ) -> Settlement:
        present = present_ms(log.at)
        lacking = min([len(log) + 1, *(s.lacking for s in sightings if not s.hot)])
        if subject.kind == "logins":
            lacking = _COMPACT_ENTRIES
        rewritten = None
        oldest = present - retention_ms(subject.kind)
        if reading.seen > COMPACT_BYTES or (log.at and log.at[0] < oldest):
            whole = compacted(reading.blob, oldest, subject.kind)
            rewritten = whole if len(whole) < len(reading.blob) else None
        return Settlement(
            subject=subject,
            seen=reading.seen,
            generation=reading.generation,
            room=max(1, max(lacking, len(log) // GROWTH) if drafts else lacking),
            flagged=bool(drafts) or _is_notable(log) or any(s.restless for s in sightings),
            compacted=rewritten,
            drafts=tuple(drafts),
            at_ms=due_ms(subject.kind, max(look.now_ms, present)),
            pending=any(sighting.pending for sighting in sightings),
        )

    def _draft(self, told: Told, finding: Finding, subject: Subject, closed_ms: int) -> AlertDraft:
        about = about_whom(finding, subject, self.names)
        identity = alert_id(
            told.active.rule.id, told.version, finding.part, about, finding.quiet_number
        )
        return AlertDraft(
            identity,
            finding.size,
            SEVERITIES.index(finding.severity),
            finding.updated_ms < closed_ms,
            lambda: encode(alert(identity, told, finding, subject, self.names)),
        )

    def _verdicts(self, told: Told, finding: Finding, subject: Subject) -> Iterator[AlertDraft]:
        """What customers are to be told of the logins that made a finding hot; live rules alone."""
        rule = told.active.rule
        if told.active.mode != "live" or rule.is_silent or finding.clause.tells == "nobody":
            return
        ends = (finding.log.entries[last] for last in finding.last)
        for entry in finding.entries if finding.clause.tells == "all" else ends:
            risk = rule.notice(entry)
            if risk != "none" and not flags_of(entry) & COLD:
                yield self._verdict(rule.id, risk, entry, subject)

    def _risky(
        self, told: Told, finding: Finding, subject: Subject
    ) -> Iterator[tuple[Subject, bytes]]:
        """Logins of which the customer is asked or told, for the deeds of their accounts.

        Also where memory is cold and nobody may be told: the SOC is.
        """
        if told.active.mode != "live" or told.active.rule.is_silent:
            return
        for last in finding.last:
            entry = finding.log.entries[last]
            account = account_of(entry)
            if account is None or not flags_of(entry) & SUCCESS:
                continue
            risk = told.active.rule.notice(entry)
            if RISKS.index(risk) >= _ASK:
                deeds = Subject(subject.system, "deeds", self.names.text(account))
                yield deeds, risky(entry, risk)

    def _verdict(self, rule: str, risk: NoticeRisk, entry: bytes, subject: Subject) -> AlertDraft:
        rank = RISKS.index(risk)
        identity = f"{entry[6:14].hex()}:{rule}"
        return AlertDraft(
            identity,
            rank,
            rank,
            final=True,
            body=lambda: verdicts.encode(verdict_of(entry, risk, rule, subject, self.names)),
            kind="verdict",
        )


def verdict_of(
    entry: bytes, risk: NoticeRisk, rule: str, subject: Subject, names: Pseudonyms
) -> Verdict:
    """The record of one rule's word on one login."""
    login = unpack(entry)
    where = login.context
    return Verdict(
        event_id=login.event_id,
        occurred_at=rfc3339(instant(login.at_ms)),
        account="" if login.account is None else names.text(login.account),
        notice_risk=risk,
        rules=[rule],
        verdict_id=login.event.hex(),
        system=subject.system,
        channel=None if where is None else where.channel,
        country=None if where is None else where.country,
        asn=None if where is None else where.asn,
        device=None if where is None or not where.device else where.device.hex(),
        late=bool(login.flags & LATE),
    )


def logins_of(subject: Subject, reading: Reading, settled_ms: int) -> SubjectLog:
    """The successes of an address, or of a whole network, out of the log of the network."""
    whole = SubjectLog.of(reading.blob, settled_ms, "logins")
    kept_ms = present_ms(whole.at) - retention_ms("logins") if reading.generation else 0
    if subject.kind != "ip":
        return replace(whole, kept_ms=kept_ms)
    address, _, width = subject.value.partition("/")
    wanted = packed_address(address)
    wanted = wanted[:8] if width else wanted
    mine = [entry for entry in whole.entries if entry.startswith(wanted, HEAD_BYTES)]
    found = SubjectLog.holding(mine, settled_ms, "logins", whole.capped_hours)
    return replace(found, kept_ms=kept_ms)


def _watching(told: Iterable[Told], kind: Kind, *, follows: bool) -> tuple[Told, ...]:
    return tuple(
        one
        for one in told
        if kind in one.active.rule.watches and one.active.rule.follows == follows
    )


def _counts_as_bad(told: Told, finding: Finding) -> bool:
    rule = told.active.rule
    return (
        rule.flags
        and not rule.follows
        and finding.log.kind == "ip"
        and SEVERITIES.index(finding.severity) >= FLAG_RANK
    )


def _is_notable(log: SubjectLog) -> bool:
    """Whether an account's log holds what a late failure may still turn into an alert."""
    return log.kind == "account" and any(
        flags_of(entry) & NEW_DEVICE or is_mfa_failed(entry) for entry in log.entries
    )
