"""One address fails on many accounts: the signature of credential stuffing and of password
spraying.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from ..counting import value_count
from ..rule import Clause, Rule, Sighting, whole_ms
from ..windows import LONGEST_WINDOW_MS, SubjectLog


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Elastic: 15 users and 25 tries, at most two each; Splunk: 10 in 5 min; Rauthy: 15 pairs in 3
    h.

    Elastic also asks that 80 % of the accounts have at most two tries; there a third try on a few
    accounts
    switches the rule off. Here further tries on an account count for nothing, so none can.
    """

    stuffed_accounts: int = 15
    stuffed_tries: int = 25
    tries_an_account: int = 2
    stuffing_window: timedelta = timedelta(minutes=15)
    sprayed_accounts: int = 10
    spray_window: timedelta = timedelta(minutes=5)
    long_accounts: int = 15
    long_pause: timedelta = timedelta(hours=3)


_SAYS = (
    "{accounts} accounts failed from {subject} in {failures} attempts: "
    "at least {threshold} accounts within {window}"
)


def judge(log: SubjectLog, limits: Limits) -> list[Sighting]:
    """Instants with too many accounts: stuffing (each once or twice), spraying (fast), and the
    slow form.
    """
    stuffing = _clause(limits.stuffing_window, limits.stuffed_accounts)
    spray = _clause(limits.spray_window, limits.sprayed_accounts)
    long = _clause(timedelta(milliseconds=LONGEST_WINDOW_MS), limits.long_accounts)
    swept = (
        value_count(
            log.at,
            log.accounts,
            limit=limits.stuffed_accounts,
            span=whole_ms(limits.stuffing_window),
            tries=limits.stuffed_tries,
            tries_a_value=limits.tries_an_account,
            since=log.since,
        ),
        value_count(
            log.at,
            log.accounts,
            limit=limits.sprayed_accounts,
            span=whole_ms(limits.spray_window),
            since=log.since,
        ),
        value_count(
            log.at,
            log.accounts,
            limit=limits.long_accounts,
            span=LONGEST_WINDOW_MS,
            restart=whole_ms(limits.long_pause),
            since=log.since,
        ),
    )
    return [
        Sighting(clause, *found)
        for clause, found in zip((stuffing, spray, long), swept, strict=True)
    ]


def _clause(window: timedelta, accounts: int) -> Clause:
    return Clause(
        part="", order="monotone", severity="high", window=window, threshold=accounts, says=_SAYS
    )


RULE = Rule(
    id="ip_account_spray",
    version=1,
    title="One address fails on many accounts",
    watches=("ip",),
    checklist_item="15",
    attack_ids=("T1110.003", "T1110.004", "OAT-008"),
    known_gaps=(
        "Campaigns of 1.2 to 5.3 attempts an address stay below every limit of one address.",
        "The password is never known, so an account tried twice counts as one pair.",
        "Behind a carrier's NAT ten customers may mistype within five minutes.",
    ),
    limits=Limits,
    judge=judge,
    resumes=True,
    guarded=True,
    shape="stuffing",
)
