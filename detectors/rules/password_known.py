"""A right password, stopped at the second factor: the next door is all that holds the thief."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta

from ..attempts import NEW_DEVICE, flags_of, mfa_failed
from ..counting import Hot, each_at
from ..rule import NEVER, Clause, Rule, Sighting, whole_ms
from ..verdicts import NoticeRisk
from ..windows import SubjectLog


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Both OWASP cheat sheets tell the customer of it; Wazuh and Panther have no such rule."""

    attempts: int = 1
    flagged_for: timedelta = timedelta(hours=24)


def judge(log: SubjectLog, limits: Limits) -> list[Sighting]:
    """Stopped at the second factor on a new device, or from an address that had been attacking."""
    clause = Clause(
        part="account",
        order="as_of",
        severity="high",
        window=limits.flagged_for,
        threshold=limits.attempts,
        says="somebody knows the password of {subject}: right in {failures} attempts and stopped "
        "at the second factor, on a new device or from an attacking address "
        "(at least {threshold} within {window})",
    )
    span = whole_ms(limits.flagged_for)
    if log.kind == "account":
        stopped = [
            index for index in mfa_failed(log.entries) if flags_of(log.entries[index]) & NEW_DEVICE
        ]
        each = each_at([log.at[index] for index in stopped], limits.attempts, span)
        hot = [Hot(stopped[seen.first], stopped[seen.last]) for seen in each]
        return [Sighting(clause, hot, 0 if hot else NEVER)]
    return [*_from_flagged(log, replace(clause, part="ip"), limits.attempts, span)]


def _from_flagged(log: SubjectLog, clause: Clause, limit: int, span: int) -> Iterator[Sighting]:
    stopped: dict[bytes, list[bytes]] = {}
    for index in mfa_failed(log.entries):
        now, account = log.at[index], log.accounts[index]
        before = bisect_right(log.flagged, now)
        if account is not None and before and now - log.flagged[before - 1] < span:
            stopped.setdefault(account, []).append(log.entries[index])
    for account, entries in sorted(stopped.items()):
        mine = SubjectLog.holding(entries, log.settled_ms, log.kind, log.capped_hours)
        hot = each_at(mine.at, limit, span)
        yield Sighting(clause, hot, 0 if hot else NEVER, log=mine, about=account)
    yield Sighting(clause, [], NEVER)


def notice(entry: bytes) -> NoticeRisk:
    """On an unseen device the customer is told at once; else asked."""
    return "high" if flags_of(entry) & NEW_DEVICE else "ask"


RULE = Rule(
    id="password_known",
    version=1,
    title="A right password, stopped at the second factor",
    watches=("ip", "account"),
    checklist_item="15",
    attack_ids=("T1110.004", "T1621", "OAT-008"),
    known_gaps=(
        "A core system that does not tell a failed second factor from a wrong password hides it.",
        "A customer who mislays the telephone on a new device looks the same.",
    ),
    limits=Limits,
    judge=judge,
    follows=True,
    flags=False,
    role="hit",
    notice=notice,
)
