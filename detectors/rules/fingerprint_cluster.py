"""One program on many addresses fails for many accounts, and hardly a customer gets in with it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from ..crowd_judging import Bounds, judged
from ..rule import Clause, Rule, Sighting, whole_ms
from ..slots import SLICE_MS
from ..windows import SubjectLog


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """50 addresses, 50 accounts and nine tenths in 15 minutes are DETECTIONS.md 5, row 12 (cases of
    DataDome: one outdated browser on 16,600 and on 4.4 million addresses; Elastic and CrowdSec
    group by user agent); six tenths, where it stands out among the others, are ours.
    """

    accounts: int = 50
    addresses: int = 50
    window: timedelta = timedelta(minutes=15)
    bad_percent: int = 60
    others_percent: int = 150
    surely_percent: int = 90


def judge(log: SubjectLog, limits: Limits) -> list[Sighting]:
    """Ends of five minutes at which a program was bad within the window."""
    clause = Clause(
        part="",
        order="as_of",
        severity="medium",
        window=limits.window,
        threshold=limits.accounts,
        says="one program attacks from {ips} addresses: {subject}; at least {threshold} accounts "
        "failed within {window}, most of its attempts nobody's and more than of others; {accounts} "
        "accounts are listed",
    )
    surely = Clause(
        part="",
        order="as_of",
        severity="high",
        window=limits.window,
        threshold=limits.accounts,
        says="one program attacks from {ips} addresses: {subject}; at least {threshold} accounts "
        "failed within {window}, nearly all of its attempts nobody's; {accounts} accounts are "
        "listed",
    )
    bounds = Bounds(
        slices=max(1, whole_ms(limits.window) // SLICE_MS),
        failures=limits.accounts,
        accounts=limits.accounts,
        addresses=limits.addresses,
        bad=limits.bad_percent / 100,
        times=limits.others_percent / 100,
        surely=limits.surely_percent / 100,
    )
    return judged(log, bounds, clause, surely)


RULE = Rule(
    id="fingerprint_cluster",
    version=1,
    title="One program fails for many accounts from everywhere",
    watches=("tool",),
    checklist_item="15",
    attack_ids=("T1110.003", "T1110.004", "OAT-008"),
    known_gaps=(
        "A program that calls itself by the customers' most common names is hidden by them.",
        "One that makes up a new name for each attempt is never seen twice.",
        "Where the event tells neither fingerprint nor user agent, nothing is counted.",
        "A new release with which nobody can log in seems to attack.",
        "Two programs in a thousand share their counts by chance.",
    ),
    limits=Limits,
    judge=judge,
    reads_crowd=True,
    role="campaign",
)
