"""From hot instants to alerts: one a rule, part, subject and quiet time, with its evidence."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

from .alerts import LISTED, Alert, AlertSubject
from .attempts import (
    ADDRESS,
    IPV6,
    SUCCESS,
    address_of,
    event_id_of,
    flags_of,
    marked,
    unpack,
    written_address,
)
from .deeds import DEED, alarms
from .events import HOUR_MS, instant, rfc3339
from .pseudonyms import Pseudonyms
from .rule import ActiveRule, Clause, Severity, Sighting, whole_ms, worst
from .windows import CROWDS, Kind, Subject, SubjectLog

BY_RATES: Final[frozenset[Kind]] = CROWDS | {"global"}
"""Logs that hold a sample: how many logins it is of is counted beside them."""
_SHOWN_AS: Final[Mapping[Kind, Kind]] = {
    "deeds": "account",
    "paper": "global",
    "locked": "subnet",
    "tool": "fingerprint",
}
"""As what the subject of a log stands in an alert, where the log is a kind of our own."""


@dataclass(slots=True)
class Finding:
    """An alert in the making: the hot instants of one part of a rule inside one quiet time."""

    part: str
    quiet_number: int
    clause: Clause
    declared: int
    severity: Severity
    opened_ms: int
    updated_ms: int
    log: SubjectLog
    about: bytes | None = None
    windows: list[tuple[int, int]] = field(default_factory=list)
    """Evidence as half-open ranges of the log, disjoint and in order."""
    last: list[int] = field(default_factory=list)
    """The attempts that made it hot, one a hot instant."""
    capped: bool = False
    """Whether an hour of the evidence had more attempts than are told apart."""

    def join(self, other: Finding) -> None:
        """Take in what another clause of the same part saw in the same quiet time."""
        graver = worst(other.severity, self.severity) != self.severity
        if graver or (other.severity == self.severity and other.declared < self.declared):
            self.clause, self.severity = other.clause, other.severity
            self.declared = other.declared
        self.opened_ms = min(self.opened_ms, other.opened_ms)
        self.updated_ms = max(self.updated_ms, other.updated_ms)
        self.windows += other.windows
        self.last += other.last

    def copied(self, log: SubjectLog, last: Iterable[int]) -> Finding:
        """The same, to be added to on its own."""
        return Finding(
            self.part,
            self.quiet_number,
            self.clause,
            self.declared,
            self.severity,
            self.opened_ms,
            self.updated_ms,
            log,
            self.about,
            [*self.windows],
            [*last],
        )

    @property
    def size(self) -> int:
        """How many attempts the evidence holds; one more once it reads `at least`, and for each
        login of which the customer came to be told, which makes what follows it graver. Where it is
        a sample, also how many logins it is of: a sample that is full grows no more.
        """
        told = sum(self.rated)
        if self.log.kind == "deeds":
            told = sum(map(alarms, self.entries))
        return sum(end - start for start, end in self.windows) + self.capped + told

    @property
    def rated(self) -> tuple[int, int]:
        """Successes and failures by the rates, of a log that holds a sample; else nothing."""
        if self.log.kind == "global":
            return self.log.mode.between(self.opened_ms, self.updated_ms)
        if self.log.kind in CROWDS:
            first = self.log.at[self.windows[0][0]]
            return self.log.crowd.between(first, self.updated_ms)
        return 0, 0

    @property
    def entries(self) -> list[bytes]:
        """The evidence."""
        return [entry for start, end in self.windows for entry in self.log.entries[start:end]]

    @property
    def accounts(self) -> list[bytes | None]:
        """The account of each entry of the evidence."""
        return [who for start, end in self.windows for who in self.log.accounts[start:end]]


Groups = dict[tuple[bytes, str, int], Finding]
"""Findings by whom they are about, part and quiet time."""


def findings(quiet_ms: int, sightings: Sequence[Sighting], log: SubjectLog) -> list[Finding]:
    """Group hot instants by whom they are about, part and quiet time; an alert opens at the first.

    The gravest clause gives severity, window and limit; of equals the one declared first.
    """
    found: Groups = {}
    gather(quiet_ms, sightings, log, found)
    return finished(found)


def gather(quiet_ms: int, sightings: Sequence[Sighting], log: SubjectLog, found: Groups) -> None:
    """Add what is hot in a log to findings that are not `finished` yet."""
    for sighting in sightings:
        counted = log if sighting.log is None else sighting.log
        for seen in _by_quiet_time(sighting, counted, quiet_ms):
            known = found.setdefault((seen.about or b"", seen.part, seen.quiet_number), seen)
            if known is not seen:
                known.join(seen)


def finished(found: Groups) -> list[Finding]:
    """Findings in their order, with their evidence put together."""
    for finding in found.values():
        finding.windows = disjoint(finding.windows)
        finding.capped = _capped(finding.windows, finding.log)
    return [found[key] for key in sorted(found)]


def _capped(windows: Sequence[tuple[int, int]], log: SubjectLog) -> bool:
    return bool(log.capped_hours) and any(
        log.at[start] // HOUR_MS <= hour <= log.at[end - 1] // HOUR_MS
        for hour in log.capped_hours
        for start, end in windows
    )


def _by_quiet_time(sighting: Sighting, log: SubjectLog, quiet_ms: int) -> Iterator[Finding]:
    """What one clause saw in each quiet time; its hot instants come in the order of time."""
    clause = sighting.clause
    finding: Finding | None = None
    start = end = -1
    for first, last in sighting.hot:
        now = log.at[last]
        number = now // quiet_ms
        if finding is None or number != finding.quiet_number:
            if finding is not None:
                finding.windows.append((start, end))
                yield finding
            finding = Finding(
                clause.part,
                number,
                clause,
                sighting.declared,
                clause.severity,
                now,
                now,
                log,
                sighting.about,
            )
            start, end = first, last + 1
        elif first <= end:  # windows move forward: most only lengthen the one before
            end = last + 1
        else:
            finding.windows.append((start, end))
            start, end = first, last + 1
        finding.updated_ms = now
        finding.last.append(last)
    if finding is not None:
        finding.windows.append((start, end))
        yield finding


def disjoint(windows: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """The same ranges in order, those that overlap or touch as one."""
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
        rule = self.active.rule
        seen = rule.judge(log, self.active.limits)
        if not rule.resumes:
            return seen
        return [
            Sighting(one.clause, one.hot, one.lacking, one.pending, declared=n) if n else one
            for n, one in enumerate(seen)
        ]


def alert(
    identity: str, told: Told, finding: Finding, subject: Subject, names: Pseudonyms
) -> Alert:
    """The finding as it goes to the SOC: totals in counts, the first hundred of each list."""
    entries = finding.entries
    accounts = [account for account in dict.fromkeys(finding.accounts) if account]
    ips = _addresses(entries, finding, subject)
    successes = sum(marked(entries, SUCCESS))
    actions = sum(marked(entries, DEED))
    counts = {
        "failures": len(entries) - successes - actions,
        "accounts": len(accounts),
        "ips": len(ips),
    }
    if successes:
        counts["successes"] = successes
    if actions:
        counts["actions"] = actions
    if finding.log.kind in BY_RATES:  # its entries are a sample: what happened is in the rates
        got_in, failed = finding.rated
        counts |= {"failures": failed, "successes": got_in}
    if finding.capped:
        counts["capped"] = 1
    rule, clause = told.active.rule, finding.clause
    about = about_whom(finding, subject, names)
    return Alert(
        alert_id=identity,
        revision=finding.size,
        system=subject.system,
        rule=rule.id,
        rule_version=told.version,
        severity=finding.severity,
        opened_at=rfc3339(instant(finding.opened_ms)),
        updated_at=rfc3339(instant(finding.updated_ms)),
        subject=AlertSubject(about.kind, about.value),
        counts=counts,
        window_s=int(clause.window.total_seconds()),
        threshold=clause.threshold,
        accounts=[names.text(account) for account in accounts[:LISTED]],
        ips=ips[:LISTED],
        event_ids=list(map(event_id_of, entries[:LISTED])),
        attack_ids=list(rule.attack_ids),
        checklist_item=rule.checklist_item,
        summary=_summary(clause, about, counts, subject),
        part=finding.part,
        mode=told.active.mode,
    )


def about_whom(finding: Finding, subject: Subject, names: Pseudonyms) -> Subject:
    """The subject of the alert: the log's, or the account that was found in it."""
    if finding.about is None:
        shown = _SHOWN_AS.get(subject.kind)
        return subject if shown is None else subject._replace(kind=shown)
    return Subject(subject.system, "account", names.text(finding.about))


def _addresses(entries: Sequence[bytes], finding: Finding, subject: Subject) -> list[str]:
    """The addresses of the evidence, each once, in the order of time."""
    kind = finding.log.kind
    if kind == "ip" and not flags_of(entries[0]) & IPV6:
        return [subject.value]
    if kind == "ip":
        suffixes = dict.fromkeys(unpack(entry).suffix for entry in entries)
        return [address_of(subject.value, suffix) for suffix in suffixes]
    packed = dict.fromkeys(entry[ADDRESS] for entry in entries)
    return [written_address(one) for one in packed if any(one)]


def _summary(clause: Clause, about: Subject, counts: dict[str, int], subject: Subject) -> str:
    at_least = "at least " if "capped" in counts else ""
    return clause.says.format(
        failures=f"{at_least}{counts['failures']}",
        accounts=f"{at_least}{counts['accounts']}",
        successes=counts.get("successes", 0),
        actions=counts.get("actions", 0),
        ips=counts["ips"],
        subject=about.value,
        where=subject.value,
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
