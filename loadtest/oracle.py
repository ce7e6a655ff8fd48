"""The first three detections once more, by brute force from their definitions: the engine's judge.

Written from the text of the definitions, not from the engine; it shares with it only how bytes
become an event and how an address is counted. No state, no batches: every login of an address is
sorted by time, and every instant of a failure is looked at. For each (system, address), over
failures of action login with an address, each identity counted once:

    ip_fail_burst      10 failures in (t - 120 s, t], or 20 in (t - 600 s, t]
    ip_fail_daily      30 failures in (t - 24 h, t]
    ip_account_spray   stuffing: in (t - 15 min, t] 15 accounts, and 25 tries with at most 2 counted
                       for each account; spray: in (t - 5 min, t] 10 accounts; long: 15 accounts in
                       the chain of failures up to t whose gaps are 3 h at most, 24 h back at most

An alert is one (rule, system, address, floor(t / 6 h)) with a hot t.
"""

# ruff: noqa: PLR2004 (the numbers are the definitions)

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from detectors import wire
from detectors.addresses import counted_as
from detectors.errors import Rejected
from detectors.events import LoginEvent, milliseconds

_MINUTE = 60_000
_HOUR = 60 * _MINUTE
QUIET_MS = 6 * _HOUR
_GAP = 3 * _HOUR
_DAY = 24 * _HOUR

_FEWEST = 10
"""No rule can be hot with fewer failures of an address than this."""

Attempts = list[tuple[int, str, str | None]]
"""Failures of one subject: (time in ms, identity, account or None), sorted, each identity once."""

Hot = Iterator[tuple[int, int]]
"""Hot instants as positions: (first failure of the widest hot window, failure at the instant)."""


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Expected:
    """One alert as it must stand in the end. Times in ms; `failures` are the distinct ones in the
    union of all hot windows of the bucket.
    """

    rule: str
    system: str
    subject: str
    opened_at: int
    updated_at: int
    failures: int


def expected(records: Iterable[bytes]) -> set[Expected]:
    """The alerts of records of `logins` (undecodable ones count for nothing)."""
    return judge(event for event in map(_decoded, records) if event is not None)


def expected_of_file(path: Path) -> set[Expected]:
    """The alerts of a file of JSON Lines."""
    with path.open("rb") as lines:
        return expected(line.rstrip(b"\n") for line in lines)


def judge(events: Iterable[LoginEvent]) -> set[Expected]:
    """The alerts of events in any order; an identity that comes again to an address counts once."""
    subjects: dict[tuple[str, str], dict[str, tuple[int, str | None]]] = defaultdict(dict)
    for event in events:
        if event.outcome == "failure" and event.action == "login" and event.ip is not None:
            failures = subjects[event.system, counted_as(event.ip)]
            identity = f"{event.emitter}\0{event.event_id}"
            failures.setdefault(identity, (milliseconds(event.judged_at), event.account))
    found: set[Expected] = set()
    for (system, subject), failures in subjects.items():
        if len(failures) >= _FEWEST:
            attempts = sorted((at, identity, acc) for identity, (at, acc) in failures.items())
            for rule, hot in RULES.items():
                found.update(_alerts(rule, system, subject, attempts, hot))
    return found


def _decoded(raw: bytes) -> LoginEvent | None:
    try:
        return wire.decode(raw)
    except Rejected:
        return None


def _alerts(
    rule: str, system: str, subject: str, attempts: Attempts, hot: Callable[[Attempts], Hot]
) -> Iterator[Expected]:
    buckets: dict[int, list[tuple[int, int]]] = defaultdict(list)
    for first, last in hot(attempts):
        buckets[attempts[last][0] // QUIET_MS].append((first, last))
    for windows in buckets.values():
        yield Expected(
            rule=rule,
            system=system,
            subject=subject,
            opened_at=attempts[windows[0][1]][0],
            updated_at=attempts[windows[-1][1]][0],
            failures=_covered(windows),
        )


def _covered(windows: list[tuple[int, int]]) -> int:
    """Failures in a union of windows."""
    total, upto = 0, -1
    for first, last in sorted(windows):
        total += max(0, last - max(first - 1, upto))
        upto = max(upto, last)
    return total


def _instants(attempts: Attempts) -> Iterator[int]:
    """The last failure of each instant: at t, all failures at t are in."""
    for at in range(len(attempts)):
        if at + 1 == len(attempts) or attempts[at + 1][0] != attempts[at][0]:
            yield at


def _starts(attempts: Attempts, window: int) -> list[int]:
    """For each failure, the first one less than `window` ms before it."""
    starts, first = [], 0
    for at, _, _ in attempts:
        while attempts[first][0] <= at - window:
            first += 1
        starts.append(first)
    return starts


def _burst(attempts: Attempts) -> Hot:
    short, long = _starts(attempts, 2 * _MINUTE), _starts(attempts, 10 * _MINUTE)
    for at in _instants(attempts):
        if at - long[at] + 1 >= 20:
            yield long[at], at
        elif at - short[at] + 1 >= 10:
            yield short[at], at


def _daily(attempts: Attempts) -> Hot:
    day = _starts(attempts, _DAY)
    for at in _instants(attempts):
        if at - day[at] + 1 >= 30:
            yield day[at], at


def _spray(attempts: Attempts) -> Hot:
    few, many = _starts(attempts, 5 * _MINUTE), _starts(attempts, 15 * _MINUTE)
    chain = _chains(attempts)
    spray, stuffing, long = (list(_tried(attempts, starts)) for starts in (few, many, chain))
    for at in _instants(attempts):
        firsts = []
        if spray[at][0] >= 10:
            firsts.append(few[at])
        # As it stands, whatever is stuffing is long as well; the text has both, so both are here.
        if stuffing[at][0] >= 15 and stuffing[at][1] >= 25:
            firsts.append(many[at])
        if long[at][0] >= 15:
            firsts.append(chain[at])
        if firsts:
            yield min(firsts), at


def _chains(attempts: Attempts) -> list[int]:
    """For each failure, the first of its chain: gaps of 3 h at most, less than 24 h back."""
    starts = _starts(attempts, _DAY)
    broken = 0
    for at in range(len(attempts)):
        if at and attempts[at][0] - attempts[at - 1][0] > _GAP:
            broken = at
        starts[at] = max(starts[at], broken)
    return starts


def _tried(attempts: Attempts, starts: list[int]) -> Iterator[tuple[int, int]]:
    """For each failure: distinct accounts of its window, and tries with 2 at most for each."""
    tries: dict[str, int] = defaultdict(int)
    counted = first = 0
    for at, (_, _, account) in enumerate(attempts):
        if account is not None:
            tries[account] += 1
            counted += tries[account] <= 2
        while first < starts[at]:
            gone = attempts[first][2]
            first += 1
            if gone is not None:
                counted -= tries[gone] <= 2
                tries[gone] -= 1
                if not tries[gone]:
                    del tries[gone]
        yield len(tries), counted


RULES: dict[str, Callable[[Attempts], Hot]] = {
    "ip_fail_burst": _burst,
    "ip_fail_daily": _daily,
    "ip_account_spray": _spray,
}
