"""From hot instants to alerts: one a rule, part, subject and quiet time, with its evidence."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from .alerts import LISTED, Alert, AlertSubject, alert_id
from .attempts import address_of, unpack
from .events import instant, rfc3339
from .pseudonyms import Pseudonyms
from .rule import ActiveRule, Clause, Severity, Sighting, whole_ms, worst
from .windows import HOUR_MS, Subject, SubjectLog


@dataclass(slots=True)
class Finding:
    """An alert in the making: the hot instants of one part of a rule inside one quiet time."""

    active: ActiveRule
    part: str
    quiet_number: int
    clause: Clause
    severity: Severity
    opened_ms: int
    updated_ms: int
    evidence: set[int]


def findings(active: ActiveRule, sightings: list[Sighting], log: SubjectLog) -> list[Finding]:
    """Group hot instants by part and quiet time; the alert opens at the first of them."""
    quiet = whole_ms(active.quiet)
    found: dict[tuple[str, int], Finding] = {}
    for sighting in sightings:
        clause = sighting.clause
        reached = -1
        for first, last in sighting.hot:
            at = log.at[last]
            number = at // quiet
            finding = found.get((clause.part, number))
            if finding is None:
                finding = Finding(
                    active, clause.part, number, clause, clause.severity, at, at, set()
                )
                found[clause.part, number] = finding
                reached = -1
            elif worst(clause.severity, finding.severity) != finding.severity:
                finding.clause, finding.severity = clause, clause.severity
            finding.opened_ms = min(finding.opened_ms, at)
            finding.updated_ms = max(finding.updated_ms, at)
            # Windows of one clause move forward: what the previous one held need not be added again.
            start = max(first, reached + 1) if finding.quiet_number == number else first
            finding.evidence.update(range(start, last + 1))
            reached = last
    return sorted(found.values(), key=lambda finding: (finding.part, finding.quiet_number))


def alert(finding: Finding, subject: Subject, log: SubjectLog, names: Pseudonyms) -> Alert:
    """The finding as it goes to the SOC: totals in counts, the first hundred of each list."""
    attempts = [unpack(log.entries[index]) for index in sorted(finding.evidence)]
    active, clause = finding.active, finding.clause
    accounts = list(dict.fromkeys(a.account for a in attempts if a.account is not None))
    ips = list(dict.fromkeys(address_of(subject.value, attempt) for attempt in attempts))
    counts = {"failures": len(attempts), "accounts": len(accounts), "ips": len(ips)}
    if any(attempt.at_ms // HOUR_MS in log.capped_hours for attempt in attempts):
        counts["capped"] = 1
    return Alert(
        alert_id=alert_id(
            active.rule.id, active.version, finding.part, subject, finding.quiet_number
        ),
        revision=len(attempts),
        system=subject.system,
        rule=active.rule.id,
        rule_version=active.version,
        severity=finding.severity,
        opened_at=rfc3339(instant(finding.opened_ms)),
        updated_at=rfc3339(instant(finding.updated_ms)),
        subject=AlertSubject(subject.kind, subject.value),
        counts=counts,
        window_s=int(clause.window.total_seconds()),
        threshold=clause.threshold,
        accounts=[names.text(account) for account in accounts[:LISTED]],
        ips=ips[:LISTED],
        event_ids=[attempt.event_id for attempt in attempts[:LISTED]],
        attack_ids=list(active.rule.attack_ids),
        checklist_item=active.rule.checklist_item,
        summary=_summary(clause, subject, counts),
        mode=active.mode,
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
    for size, word in ((3600, "hour"), (60, "minute"), (1, "second")):
        if seconds % size == 0:
            number = seconds // size
            return f"{number} {word}" if number == 1 else f"{number} {word}s"
    return f"{seconds} seconds"


