"""An account unused for half a year is logged in to: nobody would notice a thief there."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from ..attempts import (
    COMMON_ASN,
    DORMANT,
    NEW_ASN,
    NEW_COUNTRY,
    NEW_DEVICE,
    SUCCESS,
    flags_of,
)
from ..counting import Hot, each_at
from ..rule import NEVER, Clause, Rule, Sighting, whole_ms
from ..verdicts import NoticeRisk
from ..windows import SubjectLog


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Half a year, as Wiefling et al. drop older history; which accounts are dormant is marked when
    the login is read (detectors/account_memory).
    """

    logins: int = 1
    window: timedelta = timedelta(hours=24)


def judge(log: SubjectLog, limits: Limits) -> list[Sighting]:
    """First successes of accounts that had none for half a year, and had some before."""
    clause = Clause(
        part="",
        order="as_of",
        severity="medium",
        window=limits.window,
        threshold=limits.logins,
        says="{subject} logged in after half a year or more without a login: "
        "{successes} logins, at least {threshold} within {window}",
    )
    wanted = SUCCESS | DORMANT
    woken = [n for n, entry in enumerate(log.entries) if flags_of(entry) & wanted == wanted]
    seen = each_at([log.at[n] for n in woken], limits.logins, whole_ms(limits.window))
    hot = [Hot(woken[one.first], woken[one.last]) for one in seen]
    return [Sighting(clause, hot, 0 if hot else NEVER)]


def notice(entry: bytes) -> NoticeRisk:
    """Asked only where device and place are new as well."""
    flags = flags_of(entry)
    place = flags & NEW_COUNTRY or (flags & NEW_ASN and not flags & COMMON_ASN)
    return "ask" if flags & NEW_DEVICE and place else "none"


RULE = Rule(
    id="dormant_account",
    version=1,
    title="A dormant account is logged in to",
    watches=("account",),
    checklist_item="16",
    attack_ids=("T1078", "OAT-008"),
    known_gaps=(
        "Memory begins when the system is connected: half a year later at the earliest.",
        "After 400 days an account is forgotten, and looks like a new one.",
        "Without device, country or network in its logins an account is not known to be dormant.",
    ),
    limits=Limits,
    judge=judge,
    flags=False,
    notice=notice,
    role="news",
)
