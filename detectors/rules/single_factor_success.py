"""A login succeeds with one factor where the firm demands two: a door that should not be open."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta

from ..attempts import NEW_DEVICE, SINGLE_FACTOR, SUCCESS, flags_of
from ..counting import Hot, each_at
from ..rule import NEVER, Clause, Rule, Sighting, whole_ms
from ..windows import SubjectLog


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """OWASP asks for a second factor wherever passwords may be stuffed, and so does the firm where
    its register says so; each exception counts.
    """

    logins: int = 1
    window: timedelta = timedelta(hours=24)


def judge(log: SubjectLog, limits: Limits) -> list[Sighting]:
    """Successes without a second factor in systems that demand one; graver on an unseen device."""
    clause = Clause(
        part="",
        order="as_of",
        severity="medium",
        window=limits.window,
        threshold=limits.logins,
        says="{subject} logged in with one factor where two are demanded: "
        "{successes} logins, at least {threshold} within {window}",
    )
    return [
        _sighting(log, limits, replace(clause, severity="high"), SINGLE_FACTOR | NEW_DEVICE),
        _sighting(log, limits, clause, SINGLE_FACTOR),
    ]


def _sighting(log: SubjectLog, limits: Limits, clause: Clause, marks: int) -> Sighting:
    wanted = SUCCESS | marks
    single = [n for n, entry in enumerate(log.entries) if flags_of(entry) & wanted == wanted]
    seen = each_at([log.at[n] for n in single], limits.logins, whole_ms(limits.window))
    hot = [Hot(single[one.first], single[one.last]) for one in seen]
    return Sighting(clause, hot, 0 if hot else NEVER)


RULE = Rule(
    id="single_factor_success",
    version=1,
    title="A login with one factor where two are demanded",
    watches=("account",),
    checklist_item="16",
    attack_ids=("T1078", "T1556.006", "OAT-008"),
    known_gaps=(
        "Where a core system does not tell `mfa`, nothing is said of it.",
        "A second factor that was skipped for a remembered device counts as missing too.",
    ),
    limits=Limits,
    judge=judge,
    flags=False,
    role="news",
)
