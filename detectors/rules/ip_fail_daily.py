"""One address fails slowly, all day long: under every short window, but not under the day's."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from statistics import median

from ..counting import Hot, event_count, instants
from ..rule import AS_OF_MS, Clause, Rule, Sighting, whole_ms
from ..windows import SLOT_MS, SubjectLog


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """CrowdSec's time-based bucket: >= 4 with a median gap above 10 min; Auth0's cap: 100 an address a day."""

    failures: int = 30
    window: timedelta = timedelta(hours=24)
    slow_failures: int = 4
    slow_gap: timedelta = timedelta(minutes=10)
    slow_window: timedelta = timedelta(hours=6)


def judge(log: SubjectLog, limits: Limits) -> list[Sighting]:
    """Instants with too many failures in a day, and instants that end a slow series without any success."""
    daily = Clause(
        part="",
        order="monotone",
        severity="medium",
        window=limits.window,
        threshold=limits.failures,
        says="{failures} failed logins on {accounts} accounts from {subject}: at least {threshold} within {window}",
    )
    slow = Clause(
        part="slow",
        order="as_of",
        severity="medium",
        window=limits.slow_window,
        threshold=limits.slow_failures,
        says="{failures} failed logins on {accounts} accounts from {subject}, slowly and without a success: "
        "at least {threshold} within {window}",
    )
    return [
        Sighting(daily, *event_count(log.at, limits.failures, whole_ms(limits.window))),
        Sighting(slow, *_slow(log, limits)),
    ]


def _slow(log: SubjectLog, limits: Limits) -> tuple[list[Hot], int]:
    """Series that looked slow 60 s before their last attempt: what arrives out of order cannot change that."""
    span, gap = whole_ms(limits.slow_window), whole_ms(limits.slow_gap)
    hot: list[Hot] = []
    lacking = limits.slow_failures
    first = 0
    for index in instants(log.at):
        now = log.at[index]
        while log.at[first] <= now - span:
            first += 1
        series = [at for at in log.at[first:index] if at <= now - AS_OF_MS]
        series.append(now)
        # More than one attempt a gap on average cannot have such a median: no need to look closer.
        if len(series) > 2 * span // gap:
            continue
        lacking = min(lacking, max(1, limits.slow_failures - len(series)))
        if len(series) < limits.slow_failures or _succeeded(log, now - span, now - AS_OF_MS):
            continue
        gaps = [after - before for before, after in zip(series, series[1:], strict=False)]
        if median(gaps) > gap:
            hot.append(Hot(first, index))
    return hot, lacking


def _succeeded(log: SubjectLog, after_ms: int, until_ms: int) -> bool:
    """Whether the address logged in within the span, by whole ten-minute slots that had ended by its end."""
    return any(
        after_ms < (slot + 1) * SLOT_MS <= until_ms for slot in log.success_slots
    )


RULE = Rule(
    id="ip_fail_daily",
    version=1,
    title="Failed logins from one address all day long",
    watches="ip",
    checklist_item="14",
    attack_ids=("T1110.003", "T1110.004", "OAT-008"),
    known_gaps=(
        "An address that rests more than a day between attempts is not seen.",
        "The slow series asks for an address without any success; an attacker with an account of his own there is not slow.",
    ),
    limits=Limits,
    judge=judge,
)
