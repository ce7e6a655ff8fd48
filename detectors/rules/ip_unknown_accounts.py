"""One address tries names that are no customer's: a bought or made-up list is worked through."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from itertools import accumulate

from ..attempts import NON_CUSTOMER, marked
from ..counting import Hot, begin, value_count
from ..events import AS_OF_MS
from ..rule import Clause, Rule, Sighting, whole_ms
from ..windows import SubjectLog


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """StopGuessing weighs unknown names double; fewer than 1 in 10 names of a public list were
    customers of Microsoft; Splunk and Auth0 count names per address (DETECTIONS.md 5).
    """

    names: int = 5
    window: timedelta = timedelta(minutes=10)
    tries: int = 10
    share_percent: int = 50
    share_window: timedelta = timedelta(hours=1)


def judge(log: SubjectLog, limits: Limits) -> list[Sighting]:
    """Instants with too many names of nobody, and instants at which they are half of all tries."""
    names = Clause(
        part="",
        order="monotone",
        severity="high",
        window=limits.window,
        threshold=limits.names,
        says="{subject} failed {failures} times on {accounts} accounts: "
        "at least {threshold} names that are no customer's within {window}",
    )
    share = Clause(
        part="share",
        order="as_of",
        severity="high",
        window=limits.share_window,
        threshold=limits.tries,
        says="{subject} failed {failures} times on {accounts} accounts, at least half of them no "
        "customer's: at least {threshold} tries within {window}",
    )
    nobody = marked(log.entries, NON_CUSTOMER)
    values = [
        account if strange else None for account, strange in zip(log.accounts, nobody, strict=True)
    ]
    span = whole_ms(limits.window)
    found = value_count(log.at, values, limit=limits.names, span=span, since=log.since)
    return [Sighting(names, *found), Sighting(share, *_mostly_nobody(log, nobody, limits))]


def _mostly_nobody(
    log: SubjectLog, nobody: list[bool], limits: Limits
) -> tuple[list[Hot], int, bool]:
    """Instants at which the share is reached, as things stood 60 s before each attempt.

    What arrives up to 60 s out of order cannot change that view (`as_of`).
    """
    at, span = log.at, whole_ms(limits.share_window)
    strange = [0, *accumulate(nobody)]
    hot: list[Hot] = []
    first = behind = begin(at, log.since, span)
    for last in range(log.since, len(at)):
        now = at[last]
        while at[first] <= now - span:
            first += 1
        while at[behind] <= now - AS_OF_MS:
            behind += 1
        tries = max(behind - first, 0) + 1
        unknown = strange[max(behind, first)] - strange[first] + nobody[last]
        enough = tries >= limits.tries and 100 * unknown >= limits.share_percent * tries
        if enough and (last + 1 == len(at) or at[last + 1] != now):
            hot.append(Hot(first, last))
    pending = bool(hot) and at[hot[-1].last] > log.settled_ms
    hot = [one for one in hot if at[one.last] <= log.settled_ms]
    # Old tries on customers may leave the window, so one more try may be enough.
    return hot, 0 if hot else max(1, limits.tries - len(at)), pending


RULE = Rule(
    id="ip_unknown_accounts",
    version=1,
    title="One address tries names that are no customer's",
    watches=("ip",),
    checklist_item="14",
    attack_ids=("T1110.004", "T1589.001", "OAT-008", "OAT-019"),
    known_gaps=(
        "Lists filtered to customers' names hold hardly an unknown one.",
        "Without a directory, and where the source says nothing, no name is known as unknown.",
    ),
    limits=Limits,
    judge=judge,
    resumes=True,
    guarded=True,
    shape="enumeration",
)
