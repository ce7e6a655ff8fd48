"""Several addresses of one network turned bad within an hour: the network is the attacker's."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from ..attempts import ADDRESS
from ..counting import value_count
from ..rule import Clause, Rule, Sighting, whole_ms
from ..windows import SubjectLog


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """CrowdSec's range scenarios and fail2ban users' scripts ban a /24 after several of its own
    addresses (fail2ban issue 927).
    """

    addresses: int = 5
    window: timedelta = timedelta(hours=1)


def judge(log: SubjectLog, limits: Limits) -> list[Sighting]:
    """Instants with enough flagged addresses (of IPv6, /64) of one /24 or /48."""
    clause = Clause(
        part="",
        order="as_of",
        severity="high",
        window=limits.window,
        threshold=limits.addresses,
        says="{ips} addresses of {subject} attack: at least {threshold} within {window}",
    )
    addresses = [entry[ADDRESS] for entry in log.entries]
    span = whole_ms(limits.window)
    swept = value_count(log.at, addresses, limit=limits.addresses, span=span, since=log.since)
    return [Sighting(clause, *swept)]


RULE = Rule(
    id="subnet_attack",
    version=1,
    title="Several addresses of one network attack",
    watches=("subnet",),
    checklist_item="15",
    attack_ids=("T1110.003", "T1110.004", "OAT-008"),
    known_gaps=(
        "Addresses that stay below every limit of one address are no sign of their network.",
        "A carrier's /24 may hold five careless customers within an hour.",
    ),
    limits=Limits,
    judge=judge,
    resumes=True,
    role="campaign",
)
