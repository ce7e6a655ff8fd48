"""Many accounts of one network are locked: customers are kept out, or a list is tried too fast."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from ..counting import value_count
from ..rule import Clause, Rule, Sighting, whole_ms
from ..windows import SubjectLog


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Okta and Microsoft show many lock-outs from one origin as a sign of an attack, without a
    number; twenty in ten minutes is ours: of a day's customers three in a hundred lock themselves
    out (Chatterjee et al.), which is one of a large branch in that time.
    """

    accounts: int = 20
    window: timedelta = timedelta(minutes=10)


def judge(log: SubjectLog, limits: Limits) -> list[Sighting]:
    """Instants with attempts on enough locked accounts from one /24 or /48."""
    clause = Clause(
        part="",
        order="monotone",
        severity="high",
        window=limits.window,
        threshold=limits.accounts,
        says="{accounts} accounts were locked or found locked from {ips} addresses of {subject}: "
        "at least {threshold} within {window}",
    )
    span = whole_ms(limits.window)
    swept = value_count(log.at, log.accounts, limit=limits.accounts, span=span, since=log.since)
    return [Sighting(clause, *swept)]


RULE = Rule(
    id="lockout_attack",
    version=1,
    title="Many accounts are locked from one network",
    watches=("locked",),
    checklist_item="15",
    attack_ids=("T1110", "T1531", "OAT-008"),
    known_gaps=(
        "A core system that does not tell `locked` from a wrong password hides it.",
        "Lock-outs spread over many networks are seen in the rates of the whole system alone.",
        "Failures on a device that the account knows are never counted.",
    ),
    limits=Limits,
    judge=judge,
    resumes=True,
    flags=False,
)
