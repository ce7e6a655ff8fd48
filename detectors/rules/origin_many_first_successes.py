"""Many accounts log in for the first time on one device, or on new devices from one address."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from ..attempts import NEW_DEVICE, YOUNG, flags_of
from ..counting import Hot, value_count
from ..events import AS_OF_MS
from ..guard import Known
from ..rule import NEVER, Clause, Rule, Sighting, whole_ms
from ..verdicts import NoticeRisk
from ..windows import SubjectLog


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """All are ours (DETECTIONS.md 5, row 15): a household shares a device by twos and threes, and
    no peer (Wazuh, Panther, Elastic) counts successes without a failure. Whose address it is shows
    in four days: an office's customers do not come at weekends.
    """

    accounts: int = 5
    window: timedelta = timedelta(hours=24)
    nat_window: timedelta = timedelta(days=4)


def judge(log: SubjectLog, limits: Limits) -> list[Sighting]:
    """Instants with so many accounts in the log of a device, or among an address's logins."""
    return [_from_address(log, limits) if log.kind == "ip" else _on_device(log, limits)]


def _on_device(log: SubjectLog, limits: Limits) -> Sighting:
    clause = Clause(
        part="device",
        order="as_of",
        severity="critical",
        window=limits.window,
        threshold=limits.accounts,
        says="{accounts} accounts logged in on one device, {subject}, for the first time each: "
        "at least {threshold} within {window}",
        tells="all",
    )
    span = whole_ms(limits.window)
    return Sighting(clause, *value_count(log.at, log.accounts, limit=limits.accounts, span=span))


def _from_address(log: SubjectLog, limits: Limits) -> Sighting:
    """An address through which as many known customers come as strangers is a NAT, and they are
    new telephones. Not in a system's first week, in which no customer is known so well.
    """
    clause = Clause(
        part="address",
        order="as_of",
        severity="critical",
        window=limits.window,
        threshold=limits.accounts,
        says="{accounts} accounts logged in from {subject}, each on a device new to it: "
        "at least {threshold} within {window}",
        tells="all",
    )
    if log.logins is None:
        return Sighting(clause, [], NEVER)
    firsts = [e for e in log.logins.entries if flags_of(e) & NEW_DEVICE and not flags_of(e) & YOUNG]
    mine = SubjectLog.holding(firsts, log.settled_ms, "logins", log.logins.capped_hours)
    swept = value_count(mine.at, mine.accounts, limit=limits.accounts, span=whole_ms(limits.window))
    nat_ms = whole_ms(limits.nat_window)
    # Whose customers of the days before are trimmed was judged when they were here: without them
    # every NAT would look like an attacker's address five days later.
    since = log.logins.kept_ms + max(nat_ms, whole_ms(limits.window)) + AS_OF_MS
    kept = [hot for hot in swept.hot if mine.at[hot.last] >= since]
    settled = [hot for hot in kept if mine.at[hot.last] - AS_OF_MS <= log.settled_ms]
    known = Known(log) if settled else None
    hot = [one for one in settled if known is not None and not _is_nat(known, mine, one, nat_ms)]
    return Sighting(clause, hot, NEVER, pending=len(settled) < len(kept), log=mine)


def _is_nat(known: Known, firsts: SubjectLog, hot: Hot, span_ms: int) -> bool:
    strangers = set(firsts.accounts[hot.first : hot.last + 1]) - {None}
    return known.customers(firsts.at[hot.last], span_ms) >= len(strangers)


def notice(_entry: bytes) -> NoticeRisk:
    """Every one of the customers is told at once, on every channel."""
    return "high"


RULE = Rule(
    id="origin_many_first_successes",
    version=2,
    title="Many accounts log in for the first time on one device or from one address",
    watches=("ip", "fingerprint"),
    checklist_item="15",
    attack_ids=("T1078", "T1110.004", "OAT-008"),
    known_gaps=(
        "In the first week of a system no NAT is known, and addresses are not judged.",
        "Without device ids nothing is called a first time, and the rule is off.",
        "A thief with a new device and a new address for each account is not seen here.",
        "Browser fingerprints are not counted: which of them are rare is not known yet.",
    ),
    limits=Limits,
    judge=judge,
    reads_logins=True,
    flags=False,
    role="hit",
    notice=notice,
    longest={"nat_window": timedelta(days=4)},
)
