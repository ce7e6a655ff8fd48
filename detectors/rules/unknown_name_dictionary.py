"""One address tries names that are no customer's and that other addresses have tried before: it
works through a list that is passed around.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from ..attempts import DICTIONARY, marked
from ..counting import value_count
from ..rule import NEVER, Clause, Rule, Sighting, whole_ms
from ..windows import SubjectLog


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Two names that are listed: Singh et al., NSDI 2024 (CrowdSec and fail2ban know no such list);
    which names are listed is marked when the try is read (detectors/name_dictionary).
    """

    names: int = 2
    window: timedelta = timedelta(hours=24)


def judge(log: SubjectLog, limits: Limits) -> list[Sighting]:
    """Instants with enough distinct names that were listed a minute before they were tried."""
    clause = Clause(
        part="",
        order="as_of",
        severity="high",
        window=limits.window,
        threshold=limits.names,
        says="{subject} failed {failures} times on {accounts} accounts: at least {threshold} names "
        "within {window} that are no customer's and were tried from three addresses before",
    )
    values = [
        account if listed else None
        for account, listed in zip(log.accounts, marked(log.entries, DICTIONARY), strict=True)
    ]
    span = whole_ms(limits.window)
    hot = value_count(log.at, values, limit=limits.names, span=span, since=log.since).hot
    # A log is looked at when such a name is tried; how long it is tells nothing.
    return [Sighting(clause, hot, 0 if hot else NEVER)]


RULE = Rule(
    id="unknown_name_dictionary",
    version=1,
    title="An address works through a known list of names",
    watches=("ip",),
    checklist_item="14",
    attack_ids=("T1110.004", "T1589.001", "OAT-008"),
    known_gaps=(
        "A list of which each name is tried from one or two addresses a week is not known as one.",
        "Of a flood of made-up names so many are kept as fit into 150 MB.",
        "Without a directory, and where the source says nothing, no name is known as unknown.",
    ),
    limits=Limits,
    judge=judge,
    guarded=True,
    resumes=True,
    shape="enumeration",
)
