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
from itertools import accumulate
from typing import Final

from .attempts import OLD_DEVICE, RARE_COUNTRY, RISKY_NETWORK, flags_of, marked
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
    risky = marked(log.entries, _ILL_REPUTED)
    all_risky, any_risky = all(risky), any(risky)
    risky_until = [0] if all_risky or not any_risky else [0, *accumulate(risky)]
    found: list[Sighting] = []
    for sighting in sightings:
        if not sighting.hot:
            found.append(sighting)
            continue
        settled = _settled(sighting.hot, log)
        pending = sighting.pending or len(settled) < len(sighting.hot)
        levels: dict[Severity, list[Hot]] = {}
        if settled and not known.any and all_risky == any_risky:
            # As with most attackers: nothing to weigh that differs from instant to instant.
            levels[_moved(sighting.clause.severity, int(any_risky))] = settled
        else:
            for hot in settled:
                raised = any_risky and (
                    all_risky or risky_until[hot.last + 1] > risky_until[hot.first]
                )
                step = int(raised) - int(known.outweigh(hot.last))
                levels.setdefault(_moved(sighting.clause.severity, step), []).append(hot)
        if not levels:
            found.append(replace(sighting, hot=[], pending=pending))
        for severity, hots in levels.items():
            clause = replace(sighting.clause, severity=severity)
            weighed_ = Sighting(clause, hots, sighting.lacking, pending, declared=sighting.declared)
            found.append(weighed_)
    return found


def _settled(hot: list[Hot], log: SubjectLog) -> list[Hot]:
    """The instants of which the minute before is recorded everywhere; they come in order."""
    latest = log.settled_ms + AS_OF_MS
    if not hot or log.at[hot[-1].last] <= latest:
        return hot
    return hot[: bisect_right(hot, latest, key=lambda one: log.at[one.last])]


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

    @property
    def any(self) -> bool:
        """Whether any known account logged in at all."""
        return bool(self._at)

    def outweigh(self, last: int) -> bool:
        """Whether known accounts outweigh the failing ones at the instant of attempt `last`."""
        customers = self.customers(self._log.at[last]) if self._at else 0
        return customers > 0 and customers >= self._failing_at(last)

    def customers(self, at_ms: int, span_ms: int = LONGEST_WINDOW_MS) -> int:
        """How many known accounts logged in within `span_ms` before, by what was known then."""
        until = at_ms - AS_OF_MS
        first = bisect_right(self._at, until - span_ms)
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
