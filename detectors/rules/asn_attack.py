"""Many accounts fail from one provider's network, and most of what comes from it is nobody's."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from ..crowd_judging import Bounds, judged
from ..rule import Clause, Rule, Sighting, whole_ms
from ..slots import SLICE_MS
from ..windows import SubjectLog


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Ours (DETECTIONS.md 5, row 12), beside StopGuessing's idea that many must fail at once and
    that of Herley and Schechter (NDSS 2019) that successes tell how many failures are the
    customers' own. `window` goes by the five minutes in which networks are counted.
    """

    failures: int = 50
    accounts: int = 30
    addresses: int = 30
    window: timedelta = timedelta(hours=1)
    bad_percent: int = 60
    others_percent: int = 150
    surely_percent: int = 90


def judge(log: SubjectLog, limits: Limits) -> list[Sighting]:
    """Ends of five minutes at which the last hour of a network was bad. Where its customers may
    be among the bad nobody is woken.
    """
    clause = Clause(
        part="",
        order="as_of",
        severity="medium",
        window=limits.window,
        threshold=limits.failures,
        says="network AS{subject} attacks: at least {threshold} failed logins within {window}, "
        "most of its attempts nobody's, more than elsewhere; {accounts} accounts from {ips} "
        "addresses are listed",
    )
    surely = Clause(
        part="",
        order="as_of",
        severity="high",
        window=limits.window,
        threshold=limits.failures,
        says="network AS{subject} attacks: at least {threshold} failed logins within {window}, "
        "nearly all of its attempts nobody's; {accounts} accounts from {ips} addresses are listed",
    )
    return judged(log, _bounds(limits), clause, surely)


def _bounds(limits: Limits) -> Bounds:
    return Bounds(
        slices=max(1, whole_ms(limits.window) // SLICE_MS),
        failures=limits.failures,
        accounts=limits.accounts,
        addresses=limits.addresses,
        bad=limits.bad_percent / 100,
        times=limits.others_percent / 100,
        surely=limits.surely_percent / 100,
    )


RULE = Rule(
    id="asn_attack",
    version=1,
    title="Many accounts fail from one provider's network",
    watches=("asn",),
    checklist_item="15",
    attack_ids=("T1110.003", "T1110.004", "OAT-008"),
    known_gaps=(
        "Where the event tells no AS number and none is looked up, nothing is counted.",
        "A botnet that is spread over the customers' own networks stands out in none of them.",
        "When a core system fails for everybody, every large network seems to attack.",
        "Networks whose AS numbers differ by a multiple of 1,024 share their counts.",
    ),
    limits=Limits,
    judge=judge,
    reads_crowd=True,
    role="campaign",
)
