"""One address fails slowly, all day long: under every short window, but not under the day's."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from datetime import timedelta
from itertools import accumulate, pairwise

from ..counting import Hot, begin, event_count
from ..events import AS_OF_MS
from ..rule import Clause, Rule, Sighting, whole_ms
from ..windows import SubjectLog


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """CrowdSec's time-based bucket: >= 4 with a median gap above 10 min; Auth0 caps an address at
    100 a day.
    """

    failures: int = 30
    window: timedelta = timedelta(hours=24)
    slow_failures: int = 4
    slow_gap: timedelta = timedelta(minutes=10)
    slow_window: timedelta = timedelta(hours=6)


def judge(log: SubjectLog, limits: Limits) -> list[Sighting]:
    """Instants with too many failures in a day, and instants that end a slow series without any
    success.
    """
    daily = Clause(
        part="",
        order="monotone",
        severity="medium",
        window=limits.window,
        threshold=limits.failures,
        says="{failures} failed logins on {accounts} accounts from {subject}: "
        "at least {threshold} within {window}",
    )
    slow = Clause(
        part="slow",
        order="as_of",
        severity="medium",
        window=limits.slow_window,
        threshold=limits.slow_failures,
        says="{failures} failed logins on {accounts} accounts from {subject}, slowly "
        "and without a success: at least {threshold} within {window}",
    )
    return [
        Sighting(daily, *event_count(log.at, limits.failures, whole_ms(limits.window), log.since)),
        Sighting(slow, *_slow(log, limits)),
    ]


def _slow(log: SubjectLog, limits: Limits) -> tuple[list[Hot], int, bool]:
    """Series of which more than half of the gaps are long, as they stood 60 s before their last
    attempt.

    What arrives up to 60 s out of order cannot change that view (`as_of`).
    """
    at = log.at
    span, gap = whole_ms(limits.slow_window), whole_ms(limits.slow_gap)
    first = start = begin(at, log.since, span)
    # Of those from `start` on: nothing before is in any window that is looked at.
    long_gaps = [0, *accumulate(after - before > gap for before, after in pairwise(at[start:]))]
    hot: list[Hot] = []
    behind = first
    for last in range(log.since, len(at)):
        now = at[last]
        if last + 1 < len(at) and at[last + 1] == now:
            continue
        while at[first] <= now - span:
            first += 1
        while at[behind] <= now - AS_OF_MS:
            behind += 1
        earlier = behind - first
        if earlier + 1 < limits.slow_failures:
            continue
        # The gaps of first..behind-1, and the one from there to now.
        long = long_gaps[behind - 1 - start] - long_gaps[first - start]
        long += now - at[behind - 1] > gap
        if 2 * long > earlier and not _succeeded(log, now - span, now - AS_OF_MS):
            hot.append(Hot(first, last))
    pending = bool(hot) and log.at[hot[-1].last] > log.settled_ms
    hot = [one for one in hot if log.at[one.last] <= log.settled_ms]
    # With time alone old attempts leave a series, so one more may complete it: no bound but the
    # first.
    return hot, 0 if hot else max(1, limits.slow_failures - len(at)), pending


def _succeeded(log: SubjectLog, after_ms: int, until_ms: int) -> bool:
    """Whether the address logged in within the span."""
    if log.logins is None:
        return False
    at = log.logins.at
    return bisect_right(at, after_ms) < bisect_right(at, until_ms)


RULE = Rule(
    id="ip_fail_daily",
    version=1,
    title="Failed logins from one address all day long",
    watches=("ip",),
    checklist_item="14",
    attack_ids=("T1110.003", "T1110.004", "OAT-008"),
    known_gaps=(
        "An address that rests more than a day between attempts is not seen.",
        "The slow series ends with any success: an attacker with an account of his own evades it.",
    ),
    limits=Limits,
    judge=judge,
    resumes=True,
    guarded=True,
    reads_logins=True,
)
