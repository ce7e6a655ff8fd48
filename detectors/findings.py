"""From hot instants to alerts: one a rule, part, subject and quiet time, with its evidence."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from .alerts import LISTED, Alert, AlertSubject
from .attempts import IPV6, account_of, address_of, unpack
from .counting import Hot
from .events import instant, rfc3339
from .pseudonyms import Pseudonyms
from .rule import ActiveRule, Clause, Severity, Sighting, whole_ms, worst
from .windows import HOUR_MS, Subject, SubjectLog


@dataclass(slots=True)
class Finding:
    """An alert in the making: the hot instants of one part of a rule inside one quiet time."""

    part: str
    quiet_number: int
    clause: Clause
    severity: Severity
    opened_ms: int
    updated_ms: int
    windows: list[tuple[int, int]] = field(default_factory=list)
    """Evidence as half-open ranges of the log, disjoint and in order."""
    capped: bool = False
    """Whether an hour of the evidence had more attempts than are told apart."""

    def join(self, other: Finding) -> None:
        """Take in what another clause of the same part saw in the same quiet time."""
        if worst(other.severity, self.severity) != self.severity:
            self.clause, self.severity = other.clause, other.severity
        self.opened_ms = min(self.opened_ms, other.opened_ms)
        self.updated_ms = max(self.updated_ms, other.updated_ms)
        self.windows += other.windows

    @property
    def size(self) -> int:
        """How many attempts the evidence holds; one more once it reads `at least`."""
        return sum(end - start for start, end in self.windows) + self.capped


def findings(quiet_ms: int, sightings: Sequence[Sighting], log: SubjectLog) -> list[Finding]:
    """Group hot instants by part and quiet time; an alert opens at the first of them.

    The gravest clause gives severity, window and limit; of equals the one declared first.
    """
    found: dict[tuple[str, int], Finding] = {}
    for sighting in sightings:
        clause = sighting.clause
        for seen in _by_quiet_time(clause, sighting.hot, log.at, quiet_ms):
            known = found.setdefault((seen.part, seen.quiet_number), seen)
            if known is not seen:
                known.join(seen)
    for finding in found.values():
        finding.windows = _disjoint(finding.windows)
        finding.capped = _capped(finding.windows, log)
    return [found[key] for key in sorted(found)]


def _capped(windows: Sequence[tuple[int, int]], log: SubjectLog) -> bool:
    return any(
        log.at[start] // HOUR_MS <= hour <= log.at[end - 1] // HOUR_MS
        for hour in log.capped_hours
        for start, end in windows
    )


def _by_quiet_time(
    clause: Clause, hot: Sequence[Hot], at: Sequence[int], quiet_ms: int
) -> Iterator[Finding]:
    """What one clause saw in each quiet time; its hot instants come in the order of time."""
    finding: Finding | None = None
    start = end = -1
    for first, last in hot:
        now = at[last]
        number = now // quiet_ms
        if finding is None or number != finding.quiet_number:
            if finding is not None:
                finding.windows.append((start, end))
                yield finding
            finding = Finding(clause.part, number, clause, clause.severity, now, now)
            start, end = first, last + 1
        elif first <= end:  # windows move forward: most only lengthen the one before
            end = last + 1
        else:
            finding.windows.append((start, end))
            start, end = first, last + 1
        finding.updated_ms = now
    if finding is not None:
        finding.windows.append((start, end))
        yield finding


def _disjoint(windows: list[tuple[int, int]]) -> list[tuple[int, int]]:
    merged: list[tuple[int, int]] = []
    for start, end in sorted(windows):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged


@dataclass(frozen=True, slots=True)
class Told:
    """A rule in force with what every alert of it says; made once, since a version is a hash."""

    active: ActiveRule
    version: str
    quiet_ms: int

    @classmethod
    def of(cls, active: ActiveRule) -> Told:
        """What stands in every alert of `active`."""
        return cls(active, active.version, whole_ms(active.quiet))

    def judge(self, log: SubjectLog) -> list[Sighting]:
        """What the rule sees in a log under the limits in force."""
        return self.active.rule.judge(log, self.active.limits)

    def asks(self, log: SubjectLog) -> Collection[int]:
        """The slots whose successes the rule needs to know to judge a log."""
        return self.active.rule.asks(log, self.active.limits)


def alert(
    identity: str,
    told: Told,
    finding: Finding,
    subject: Subject,
    log: SubjectLog,
    names: Pseudonyms,
) -> Alert:
    """The finding as it goes to the SOC: totals in counts, the first hundred of each list."""
    entries = [entry for start, end in finding.windows for entry in log.entries[start:end]]
    accounts = list(dict.fromkeys(account for account in map(account_of, entries) if account))
    ips = [subject.value]
    if entries[0][26] & IPV6:
        suffixes = dict.fromkeys(unpack(entry).suffix for entry in entries)
        ips = [address_of(subject.value, suffix) for suffix in suffixes]
    counts = {"failures": len(entries), "accounts": len(accounts), "ips": len(ips)}
    if finding.capped:
        counts["capped"] = 1
    rule, clause = told.active.rule, finding.clause
    return Alert(
        alert_id=identity,
        revision=finding.size,
        system=subject.system,
        rule=rule.id,
        rule_version=told.version,
        severity=finding.severity,
        opened_at=rfc3339(instant(finding.opened_ms)),
        updated_at=rfc3339(instant(finding.updated_ms)),
        subject=AlertSubject(subject.kind, subject.value),
        counts=counts,
        window_s=int(clause.window.total_seconds()),
        threshold=clause.threshold,
        accounts=[names.text(account) for account in accounts[:LISTED]],
        ips=ips[:LISTED],
        event_ids=[unpack(entry).event_id for entry in entries[:LISTED]],
        attack_ids=list(rule.attack_ids),
        checklist_item=rule.checklist_item,
        summary=_summary(clause, subject, counts),
        part=finding.part,
        mode=told.active.mode,
    )


def _summary(clause: Clause, subject: Subject, counts: dict[str, int]) -> str:
    at_least = "at least " if "capped" in counts else ""
    return clause.says.format(
        failures=f"{at_least}{counts['failures']}",
        accounts=f"{at_least}{counts['accounts']}",
        subject=subject.value,
        threshold=clause.threshold,
        window=spoken(clause.window),
    )


def spoken(span: timedelta) -> str:
    """A span for people: `2 minutes`, `24 hours`, `90 seconds`."""
    seconds = int(span.total_seconds())
    units = ((3600, "hour"), (60, "minute"), (1, "second"))
    size, word = next(unit for unit in units if seconds % unit[0] == 0)
    number = seconds // size
    return f"{number} {word}" if number == 1 else f"{number} {word}s"
