"""When an attack on everybody is on: read from the rates of a system, as they stood a minute ago.

* burst: for so many minutes on end more than a share of the attempts are nobody's (Herley and
  Schechter, NDSS 2019: where thieves hardly ever get in, successes tell how many attempts are the
  customers' own), by many accounts from many addresses. It lasts on for a while.
* drift: more accounts fail than usual, hour for hour, a little or much: a cumulated sum of the
  excess (CUSUM; Javed and Paxson, CCS 2013) finds what stays below every limit of a minute. It
  lasts a day on: who probes slowly comes back with what he found (DataDome's fintech case, 2025).
  Accounts, not failures: one forgotten telephone repeats its old password all day.

What is usual is learnt from quiet days, up to the day before yesterday; before it is known the mode
is never on.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from .census import SETTLED_DAYS, CensusStore
from .events import AS_OF_MS, DAY_MS, HOUR_MS
from .rates import (
    MINUTE_MS,
    NOTHING,
    Hour,
    Minute,
    Stretch,
    Usual,
    day_of,
    distinct,
    hours_of,
    usual,
)

_HOURS_KEPT: Final = 200
_DAYS_KEPT: Final = 50
USUAL_DAYS: Final = 30
"""So many days tell what is usual."""
DRIFT_DAYS: Final = 7
"""The sum of excess begins so many days ago at nothing."""
_SLACK: Final = 0.5
"""Excess of an hour, in standard deviations, that adds nothing: half of the shift to be found."""
_FARTHEST: Final = 4.0
"""One hour adds no more: a burst is not a drift."""
FRESH_MS: Final = 2 * DAY_MS
"""A drift that was on so long ago is no news: a slow list takes a day or two (profile D)."""
_FEW: Final = 5.0
_FEWEST_DAYS: Final = 3
"""Quiet days without which an hour's spread is not known."""


class Sensitivity(NamedTuple):
    """Limits of the mode, as the detection sets them: `bad` attempts for each good one in each of
    `minutes`, by `accounts` from `addresses`; on for `lasting_ms` after; drift from `drift` on, for
    `drift_lasting_ms` after.
    """

    bad: float
    minutes: int
    accounts: int
    addresses: int
    lasting_ms: int
    drift: float
    drift_lasting_ms: int


@dataclass(frozen=True, slots=True)
class AttackMode:
    """Of a stretch of time: its hot minutes and drifting hours (since 1970), in order."""

    hot: tuple[int, ...] = ()
    drifting: tuple[int, ...] = ()
    lasting_ms: int = 0
    drift_lasting_ms: int = 0
    minutes: Mapping[int, Minute] = field(default_factory=dict)

    def on(self, at_ms: int) -> bool:
        """Whether the mode was on for a login at this time: by what was known a minute before."""
        return self._in_burst(at_ms) or self._in_drift(at_ms)

    def is_fresh(self, at_ms: int) -> bool:
        """Whether it was on, and is no drift that has gone on for days."""
        fresh = self._in_drift(at_ms) and not self._in_drift(at_ms - FRESH_MS)
        return fresh or self._in_burst(at_ms)

    def _in_burst(self, at_ms: int) -> bool:
        return _lately(self.hot, MINUTE_MS, at_ms - AS_OF_MS, self.lasting_ms)

    def _in_drift(self, at_ms: int) -> bool:
        return _lately(self.drifting, HOUR_MS, at_ms - AS_OF_MS, self.drift_lasting_ms)

    def is_hot(self, minute: int) -> bool:
        """Whether a minute ends a burst's limit."""
        return _holds(self.hot, minute)

    def drifts(self, hour: int) -> bool:
        """Whether a drift was on at the end of an hour."""
        return _holds(self.drifting, hour)

    def between(self, first_ms: int, last_ms: int) -> tuple[int, int]:
        """Successes and failures of the minutes from one instant to another."""
        span = range(first_ms // MINUTE_MS, last_ms // MINUTE_MS + 1)
        found = [self.minutes.get(minute, NOTHING) for minute in span]
        return sum(one.successes for one in found), sum(one.failures for one in found)


NEVER_ON: Final = AttackMode()


def _lately(spans: Sequence[int], span_ms: int, known_ms: int, lasting_ms: int) -> bool:
    """Whether one of these spans of time had ended by then, no longer than `lasting_ms` ago."""
    ended = bisect_right(spans, known_ms // span_ms - 1)
    return ended > 0 and (spans[ended - 1] + 1) * span_ms > known_ms - lasting_ms


def _ended(at_ms: int) -> int:
    """The last hour that had ended a minute before."""
    return (at_ms - AS_OF_MS) // HOUR_MS - 1


def _holds(spans: Sequence[int], number: int) -> bool:
    at = bisect_left(spans, number)
    return at < len(spans) and spans[at] == number


def is_burst(run: Iterable[Minute], usual_: Usual, limits: Sensitivity) -> bool:
    """Whether each of these minutes is bad, and enough accounts and addresses failed in them."""
    accounts = addresses = 0
    for minute in run:
        good = minute.successes * (1 + usual_.ratio)
        if minute.successes + minute.failures - good < max(limits.bad * good, 1.0):
            return False
        accounts |= minute.accounts
        addresses |= minute.addresses
    return distinct(accounts) >= limits.accounts and distinct(addresses) >= limits.addresses


def drifting(hours: Iterable[Stretch], usual_: Usual, limits: Sensitivity) -> list[bool]:
    """After which of these hours the sum of excess is too much."""
    total = 0.0
    found = []
    for successes, _, accounts in hours:
        expected = usual_.accounts * successes
        spread = math.sqrt(usual_.dispersion * max(expected, _FEW))
        excess = min((accounts - expected) / spread, _FARTHEST) - _SLACK
        total = min(max(0.0, total + excess), 2 * limits.drift)
        found.append(total >= limits.drift)
    return found


class AttackModes:
    """Reads the mode of systems from a store; what cannot change any more is read once."""

    def __init__(self, limits: Sensitivity) -> None:
        self._limits = limits
        self._usual: dict[tuple[str, int], Usual | None] = {}
        self._hours: OrderedDict[tuple[str, int], Hour] = OrderedDict()
        self._drifting: OrderedDict[tuple[str, int], tuple[int, tuple[int, ...]]] = OrderedDict()

    async def between(
        self,
        system: str,
        first_ms: int,
        last_ms: int,
        settled_ms: int,
        store: CensusStore,
        *,
        over_ms: int | None = None,
    ) -> AttackMode:
        """The mode for logins from one instant to another, as far as it is settled.

        `over_ms`: what lies before it is over for good, and is read once; None: all that is
        settled. Partitions that are read to their end settle hours that still go on.
        """
        limits = self._limits
        over_ms = settled_ms if over_ms is None else over_ms
        back = limits.lasting_ms + AS_OF_MS + (limits.minutes + 1) * MINUTE_MS
        first_hour, last_hour = (first_ms - back) // HOUR_MS, last_ms // HOUR_MS
        hours = await self._read(system, range(first_hour, last_hour + 1), over_ms, store)
        minutes = {
            hour * 60 + number: told.minute(number)
            for hour, told in hours.items()
            if told.counts
            for number in range(60)
        }
        hot: list[int] = []
        for minute in sorted(minutes):
            known = await self._usual_at(system, day_of(minute // 60), store)
            run = (minutes.get(minute - n, NOTHING) for n in range(limits.minutes))
            if known is not None and is_burst(run, known, limits):
                hot.append(minute)
        settled_hour, over = _ended(settled_ms), _ended(over_ms)
        first_day = day_of(first_hour - (limits.drift_lasting_ms + FRESH_MS) // HOUR_MS)
        drifts = [
            hour
            for day in range(first_day, day_of(last_hour) + 1)
            for hour in await self._drifts(
                system, day, min(day * 24 + 23, settled_hour), over, store
            )
        ]
        return AttackMode(
            tuple(hot), tuple(drifts), limits.lasting_ms, limits.drift_lasting_ms, minutes
        )

    async def _read(
        self, system: str, wanted: range, over_ms: int, store: CensusStore
    ) -> dict[int, Hour]:
        # Taken before the store is asked: another batch may put them out meanwhile.
        known = {hour: self._hours.get((system, hour)) for hour in wanted}
        missing = [hour for hour, told in known.items() if told is None]
        fresh = await store.by_minute(system, missing) if missing else {}
        found = {hour: told or fresh[hour] for hour, told in known.items()}
        for hour, told in fresh.items():
            if hour <= _ended(over_ms):
                self._hours[system, hour] = told
        while len(self._hours) > _HOURS_KEPT:
            self._hours.popitem(last=False)
        return found

    async def _usual_at(self, system: str, day: int, store: CensusStore) -> Usual | None:
        if (system, day) in self._usual:
            return self._usual[system, day]
        days = await store.by_day(system, day - USUAL_DAYS, day - SETTLED_DAYS)
        found = self._usual[system, day] = usual(days)
        return found

    async def _drifts(
        self, system: str, day: int, until: int, over: int, store: CensusStore
    ) -> tuple[int, ...]:
        """The drifting hours of a day, up to the hour `until`, which is the last settled one; kept
        is what `over`, the last hour that is over, and those before it say.
        """
        if until < day * 24:
            return ()
        known = self._drifting.get((system, day))
        if known is not None and known[0] >= until:
            return tuple(hour for hour in known[1] if hour <= until)
        found = await self._drift(system, day, until, store)
        kept = min(until, over)
        if kept >= day * 24:
            self._drifting[system, day] = kept, tuple(hour for hour in found if hour <= kept)
            while len(self._drifting) > _DAYS_KEPT:
                self._drifting.popitem(last=False)
        return found

    async def _drift(
        self, system: str, day: int, until: int, store: CensusStore
    ) -> tuple[int, ...]:
        known = await self._usual_at(system, day, store)
        if known is None or known.days < _FEWEST_DAYS:
            return ()
        first = day - DRIFT_DAYS
        days = await store.by_day(system, first, day)
        hours = range(first * 24, until + 1)
        sums = drifting(hours_of(days, hours), known, self._limits)
        beyond = zip(hours, sums, strict=True)
        return tuple(hour for hour, is_beyond in beyond if is_beyond and hour >= day * 24)

    def forget(self) -> None:
        """State was lost."""
        self._usual.clear()
        self._hours.clear()
        self._drifting.clear()
