"""What an earlier judgement saw in a log that no later attempt can change, so that a judgement
costs what is new and not what is there: an address under attack is judged hundreds of times.

An instant depends on nothing later than itself. So what was seen before some time stands as long as
the attempts and logins before it are the same; a late one among them, or a log rewritten without
its old attempts, makes all of it void, and the log is judged whole. It is a hint that saves work,
never state: a judgement with it equals one without (tests/detectors/test_past.py).
"""

from __future__ import annotations

from bisect import bisect_left
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from .events import AS_OF_MS
from .findings import Finding, Groups, Told, disjoint, gather
from .rule import SEVERITIES, Sighting
from .windows import Subject, SubjectLog

SHORTEST: Final = 24
"""A log of fewer attempts is judged whole; that costs no more."""
MOST: Final = 65_536
"""Findings that are remembered, some 400 bytes each; beyond it the logs longest unseen are not."""

FLAG_RANK: Final = SEVERITIES.index("medium")
HIGH_RANK: Final = SEVERITIES.index("high")
_RANKS: Final = (FLAG_RANK, HIGH_RANK)

Ranges = tuple[tuple[int, int], ...]
_NO_LOG: Final = SubjectLog.of(b"")
Seen = Sequence[tuple[Told, list[Sighting]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """Of the first `count` attempts of a log, all before `until_ms`: the findings of each rule that
    resumes, and at which of them the subject was bad by rank of severity.

    `trace` and `logins_trace` tell whether attempts and logins are still the same. They are
    Python's keyed 64-bit hashes: nobody can choose events that collide.
    """

    generation: int
    until_ms: int
    settled_ms: int
    count: int
    trace: int
    logins_trace: int
    found: dict[str, Groups]
    bad: dict[int, Ranges]

    def holds(self, generation: int, log: SubjectLog) -> bool:
        """Whether nothing before `until_ms` has changed since."""
        return (
            generation == self.generation
            and bisect_left(log.at, self.until_ms) == self.count
            and hash(log.entries[: self.count]) == self.trace
            and _logins_trace(log, self.until_ms) == self.logins_trace
        )

    def has(self, rule: str, finding: Finding) -> bool:
        """Whether a finding was known, opened when it did, and settled a minute before."""
        known = self.found.get(rule, {}).get((b"", finding.part, finding.quiet_number))
        return (
            known is not None and known.opened_ms == finding.opened_ms <= self.settled_ms - AS_OF_MS
        )

    def groups(self, rule: str, log: SubjectLog) -> Groups:
        """The findings of a rule, to be gathered on."""
        known = self.found.get(rule, {})
        return {key: one.copied(log, one.last) for key, one in known.items()}


class Pasts:
    """The pasts of logs that were judged lately, bounded."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._kept: OrderedDict[Subject, Past] = OrderedDict()
        self._size = 0

    def __contains__(self, subject: object) -> bool:
        return subject in self._kept

    def of(self, subject: Subject, generation: int, log: SubjectLog) -> Past | None:
        """What still holds of a log."""
        past = self._kept.get(subject)
        if past is None:
            return None
        if past.holds(generation, log):
            self._kept.move_to_end(subject)
            return past
        self._drop(subject)
        return None

    def keep(self, subject: Subject, past: Past) -> None:
        """Remember a past in place of an earlier one."""
        self._drop(subject)
        self._kept[subject] = past
        self._size += _size(past)
        while self._size > self._most:
            self._drop(next(iter(self._kept)))

    def _drop(self, subject: Subject) -> None:
        past = self._kept.pop(subject, None)
        self._size -= 0 if past is None else _size(past)

    def clear(self) -> None:
        """State was lost."""
        self._kept.clear()
        self._size = 0


def grown(past: Past | None, seen: Seen, log: SubjectLog, generation: int) -> Past | None:
    """The past of a log after a judgement: `seen` by the rules from the last one on.

    The last minute stays out, and what is not settled: there attempts are still expected.
    """
    if len(log) < SHORTEST:
        return past
    until = min(log.settled_ms + 1, log.at[-1] - AS_OF_MS)
    count = bisect_left(log.at, until)
    if past is not None and count - past.count <= max(past.count // 8, SHORTEST):
        return past
    early = [
        (told, [_before(sighting, count) for sighting in sightings])
        for told, sightings in seen
        if told.active.rule.resumes
    ]
    found: dict[str, Groups] = {}
    for told, sightings in early:
        rule = told.active.rule.id
        groups = {} if past is None else past.groups(rule, log)
        gather(told.quiet_ms, sightings, log, groups)
        if groups:
            found[rule] = {key: _kept(one) for key, one in groups.items()}
    if not found:
        return None
    known = {} if past is None else past.bad
    bad = {
        rank: disjoint([*known.get(rank, ()), *((n, n + 1) for n in bad_at(early, rank))])
        for rank in _RANKS
    }
    return Past(
        generation=generation,
        until_ms=until,
        settled_ms=log.settled_ms,
        count=count,
        trace=hash(log.entries[:count]),
        logins_trace=_logins_trace(log, until),
        found=found,
        bad={rank: tuple(ranges) for rank, ranges in bad.items() if ranges},
    )


def bad_at(seen: Iterable[tuple[Told, list[Sighting]]], rank: int) -> set[int]:
    """Every attempt at which a rule that flags was hot with so high a severity or more."""
    return {
        hot.last
        for told, sightings in seen
        if told.active.rule.flags
        for sighting in sightings
        if SEVERITIES.index(sighting.clause.severity) >= rank
        for hot in sighting.hot
    }


def bad_times(past: Past | None, seen: Seen, log: SubjectLog, rank: int) -> tuple[int, ...]:
    """The instants at which the subject was bad with so high a severity or more, in order."""
    found: list[int] = []
    for start, end in () if past is None else past.bad.get(rank, ()):
        found += log.at[start:end]
    return (*found, *sorted({log.at[last] for last in bad_at(seen, rank)}))


def _before(sighting: Sighting, count: int) -> Sighting:
    hot = sighting.hot
    if not hot or hot[-1].last < count:
        return sighting
    early = hot[: bisect_left(hot, count, key=lambda one: one.last)]
    return Sighting(sighting.clause, early, 0, declared=sighting.declared)


def _kept(finding: Finding) -> Finding:
    """Without the log; of the attempts that made it hot the first, with which it opened: nobody is
    told of any other, for a rule that resumes is silent.
    """
    finding.windows = disjoint(finding.windows)
    return finding.copied(_NO_LOG, (min(finding.last),))


def _logins_trace(log: SubjectLog, until_ms: int) -> int:
    if log.logins is None:
        return 0
    return hash(log.logins.entries[: bisect_left(log.logins.at, until_ms)])


def _size(past: Past) -> int:
    return sum(map(len, past.found.values()))
