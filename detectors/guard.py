"""What weighs on an address's alerts: its own customers (NAT guard), and the kind of its network.

Guard (DETECTIONS.md 5, "G"): where at least as many accounts logged in from the address within 24 h
with a device known to them for a week as accounts failed there, severity goes down by one. First
logins, repeats and accounts an attacker holds himself never feed it, so he cannot buy silence
(profile H); it silences nothing. A network for rent or for hiding, or a country that hardly ever
logs in, raises severity by one.

Both are read as they stood at each hot instant, the logins of 60 s before (`as_of`); an instant is
judged only when every partition has come that far, so what has been told never changes back.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from .attempts import OLD_DEVICE, RARE_COUNTRY, RISKY_NETWORK, flags_of
from .counting import Hot
from .events import AS_OF_MS
from .rule import SEVERITIES, Severity, Sighting
from .windows import LONGEST_WINDOW_MS, SubjectLog

_ILL_REPUTED: Final = RISKY_NETWORK | RARE_COUNTRY


def weighed(sightings: Sequence[Sighting], log: SubjectLog) -> list[Sighting]:
    """The sightings of guarded rules, each hot instant under the severity that it deserves."""
    if not any(sighting.hot for sighting in sightings):
        return list(sightings)
    known = Known(log)
    risky = [bool(flags_of(entry) & _ILL_REPUTED) for entry in log.entries]
    risky_until = [0]
    for one in risky:
        risky_until.append(risky_until[-1] + one)
    found: list[Sighting] = []
    for sighting in sightings:
        levels: dict[Severity, list[Hot]] = {}
        pending = sighting.pending
        for hot in sighting.hot:
            now = log.at[hot.last]
            if now - AS_OF_MS > log.settled_ms:
                pending = True
                continue
            raised = risky_until[hot.last + 1] > risky_until[hot.first]
            step = int(raised) - int(known.outweigh(hot.last))
            levels.setdefault(_moved(sighting.clause.severity, step), []).append(hot)
        if not levels:
            found.append(replace(sighting, hot=[], pending=pending))
        for severity, hots in levels.items():
            clause = replace(sighting.clause, severity=severity)
            found.append(replace(sighting, clause=clause, hot=hots, pending=pending))
    return found


def _moved(severity: Severity, step: int) -> Severity:
    return SEVERITIES[min(max(SEVERITIES.index(severity) + step, 0), len(SEVERITIES) - 1)]


class Known:
    """The address's own customers beside those that fail there, at instants asked in any order."""

    def __init__(self, log: SubjectLog) -> None:
        self._log = log
        logins = log.logins
        self._at: list[int] = []
        self._who: list[bytes] = []
        if logins is not None:
            for at, entry, account in zip(logins.at, logins.entries, logins.accounts, strict=True):
                if account is not None and flags_of(entry) & OLD_DEVICE:
                    self._at.append(at)
                    self._who.append(account)
        self._failing: list[int] | None = None

    def outweigh(self, last: int) -> bool:
        """Whether known accounts outweigh the failing ones at the instant of attempt `last`."""
        customers = self.customers(self._log.at[last]) if self._at else 0
        return customers > 0 and customers >= self._failing_at(last)

    def customers(self, at_ms: int) -> int:
        """How many known accounts logged in within the day before, by what was known then."""
        until = at_ms - AS_OF_MS
        first = bisect_right(self._at, until - LONGEST_WINDOW_MS)
        return len(set(self._who[first : bisect_right(self._at, until)]))

    def _failing_at(self, last: int) -> int:
        if self._failing is None:
            self._failing = _distinct_within(self._log, LONGEST_WINDOW_MS)
        return self._failing[last]


def _distinct_within(log: SubjectLog, span: int) -> list[int]:
    """For each attempt, how many accounts failed within `span` ms up to it."""
    counts: Counter[bytes] = Counter()
    found: list[int] = []
    first = 0
    for now, account in zip(log.at, log.accounts, strict=True):
        while log.at[first] <= now - span:
            leaving = log.accounts[first]
            if leaving is not None:
                counts[leaving] -= 1
                if not counts[leaving]:
                    del counts[leaving]
            first += 1
        if account is not None:
            counts[account] += 1
        found.append(len(counts))
    return found
