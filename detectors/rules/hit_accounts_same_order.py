"""Accounts that were broken into order one paper together: the thief's accomplices sell it."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter, deque
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

from ..attempts import flags_of
from ..counting import Hot, present_ms, value_count
from ..deeds import COUNTS
from ..events import DAY_MS
from ..rule import Clause, Rule, Sighting, whole_ms
from ..windows import LOOK_BACK_MS, PAPER_KEPT_MS, SubjectLog


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """On 25 November 2021 stolen accounts of Taiwanese brokers bought papers of Hong Kong together;
    three in half an hour is ours (DETECTIONS.md 5, 16), with Auth0's five days of look-back. So
    many on top of twice the usual: what everybody buys, those at risk buy too, and where one or two
    of them do by chance, three are no news.
    """

    accounts: int = 3
    window: timedelta = timedelta(minutes=30)
    times_usual: int = 2


def judge(log: SubjectLog, limits: Limits) -> list[Sighting]:
    """Half hours with enough accounts at risk, on top of twice as many as in any half hour of the
    days before.
    """
    clause = Clause(
        part="",
        order="as_of",
        severity="critical",
        window=limits.window,
        threshold=limits.accounts,
        says="{accounts} accounts with a risky login in five days ordered {subject} "
        "({actions} orders): at least {threshold} within {window}",
    )
    span = whole_ms(limits.window)
    counted = [
        account if flags_of(entry) & COUNTS else None
        for account, entry in zip(log.accounts, log.entries, strict=True)
    ]
    swept = value_count(log.at, counted, limit=limits.accounts, span=span)
    hot = [*_unusual(log, swept.hot, limits, span)] if swept.hot else []
    return [Sighting(clause, hot, 0 if hot else max(1, swept.lacking))]


def _unusual(log: SubjectLog, hot: list[Hot], limits: Limits, span: int) -> Iterator[Hot]:
    """Instants with enough accounts on top of `times_usual` those of the fullest half hour from
    five days to one day before.
    """
    counts = _accounts_at(log, span)
    # Of older orders the days before may be trimmed already: they were judged when those were here.
    judged_from = present_ms(log.at) - PAPER_KEPT_MS + LOOK_BACK_MS
    usual: deque[int] = deque()  # indices whose counts fall: the first is the fullest half hour
    entered = 0
    for seen in hot:
        now = log.at[seen.last]
        end = bisect_right(log.at, now - DAY_MS)
        while entered < end:
            while usual and counts[usual[-1]] <= counts[entered]:
                usual.pop()
            usual.append(entered)
            entered += 1
        while usual and log.at[usual[0]] <= now - LOOK_BACK_MS:
            usual.popleft()
        expected = limits.times_usual * (counts[usual[0]] if usual else 0)
        if now >= judged_from and counts[seen.last] >= limits.accounts + expected:
            yield seen


def _accounts_at(log: SubjectLog, span: int) -> list[int]:
    """How many accounts the half hour up to each order holds."""
    inside: Counter[bytes | None] = Counter()
    counts: list[int] = []
    first = 0
    for now, account in zip(log.at, log.accounts, strict=True):
        inside[account] += 1
        while log.at[first] <= now - span:
            left = log.accounts[first]
            inside[left] -= 1
            if not inside[left]:
                del inside[left]
            first += 1
        counts.append(len(inside))
    return counts


RULE = Rule(
    id="hit_accounts_same_order",
    version=2,
    title="Accounts at risk order the same paper",
    watches=("paper",),
    checklist_item="15",
    attack_ids=("T1657", "T1078", "OAT-008"),
    known_gaps=(
        "Orders on another device than that of the risky login are taken for the owner's.",
        "News about a paper makes everybody buy it: whoever has a new telephone then is counted.",
        "An account that turns out to be at risk only after its order is not counted.",
    ),
    limits=Limits,
    judge=judge,
    flags=False,
    role="campaign",
)
