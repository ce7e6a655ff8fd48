"""One address fails often within minutes: a script at work on one system."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from ..counting import event_count
from ..rule import Clause, Rule, Sighting, whole_ms
from ..windows import SubjectLog


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Wazuh alerts at 8 in 120 s, Splunk at 20 in 10 min, fail2ban at 5 in 10 min (PEERS.md
    section 1).
    """

    failures: int = 10
    window: timedelta = timedelta(minutes=2)
    many_failures: int = 20
    long_window: timedelta = timedelta(minutes=10)


def judge(log: SubjectLog, limits: Limits) -> list[Sighting]:
    """Instants with too many failures in the short or in the long window."""
    short = Clause(
        part="",
        order="monotone",
        severity="medium",
        window=limits.window,
        threshold=limits.failures,
        says="{failures} failed logins on {accounts} accounts from {subject}: "
        "at least {threshold} within {window}",
    )
    long = Clause(
        part="",
        order="monotone",
        severity="high",
        window=limits.long_window,
        threshold=limits.many_failures,
        says=short.says,
    )
    return [
        Sighting(clause, *event_count(log.at, clause.threshold, whole_ms(clause.window), log.since))
        for clause in (short, long)
    ]


RULE = Rule(
    id="ip_fail_burst",
    version=1,
    title="Many failed logins from one address within minutes",
    watches=("ip",),
    checklist_item="14",
    attack_ids=("T1110.001", "T1110.004", "OAT-007", "OAT-008"),
    known_gaps=(
        "Sees nothing of attacks with a few attempts an address (large campaigns: 1.2 to 5.3).",
        "A carrier's NAT can reach the limit on a busy morning.",
    ),
    limits=Limits,
    judge=judge,
    resumes=True,
    guarded=True,
)
