"""How many logins of a provider's network, or by one program, failed and got in, five minutes by
five: from it is read what share of them is nobody's. Where they are counted: detectors/slots.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from statistics import median
from typing import Final, NamedTuple

from .attack_mode import USUAL_DAYS
from .census import SETTLED_DAYS, CensusStore
from .events import AS_OF_MS, HOUR_MS
from .rates import Day, day_of, usual
from .slots import SLICE_MS, SLICES

_FEWEST_A_DAY: Final = 20
"""Successes of a slot in a day that tell how its customers fail."""
_FEWEST_DAYS: Final = 3
_KEPT: Final = 8_192
_DAYS_KEPT: Final = 8


class Pair(NamedTuple):
    """Successes and failures."""

    successes: int = 0
    failures: int = 0

    def less(self, other: Pair) -> Pair:
        """Those that are not among `other`."""
        return Pair(self.successes - other.successes, self.failures - other.failures)

    def bad(self, ratio: float) -> float:
        """Which share is nobody's, where `ratio` failures a success are the customers' own
        (Herley and Schechter, NDSS 2019); nothing of nothing.
        """
        total = self.successes + self.failures
        return max(0.0, self.failures - ratio * self.successes) / total if total else 0.0


NOBODY: Final = Pair()


class Ratios(NamedTuple):
    """How many failures a success are usual here and with everybody; 0: not known."""

    here: float = 0.0
    everybody: float = 0.0


@dataclass(frozen=True, slots=True)
class Crowd:
    """Of one network or program, and of all: slices (of five minutes since 1970) with any login."""

    here: Mapping[int, Pair] = field(default_factory=dict)
    everybody: Mapping[int, Pair] = field(default_factory=dict)
    usual: Mapping[int, Ratios] = field(default_factory=dict)
    """By day since 1970."""

    def until(self, last: int, slices: int) -> tuple[Pair, Pair]:
        """Of so many slices up to `last`: what was here, and what was with all others."""
        span = range(last - slices + 1, last + 1)
        here, everybody = _total(self.here, span), _total(self.everybody, span)
        return here, everybody.less(here)

    def between(self, first_ms: int, last_ms: int) -> Pair:
        """What was here in the slices from one instant to another."""
        return _total(self.here, range(first_ms // SLICE_MS, last_ms // SLICE_MS + 1))

    def ratios(self, last: int) -> Ratios:
        """What was usual on the day of a slice."""
        return self.usual.get(day_of(last // SLICES), Ratios())


NO_CROWD: Final = Crowd()


def _total(slices: Mapping[int, Pair], span: range) -> Pair:
    found = [slices.get(number, NOBODY) for number in span]
    return Pair(sum(one.successes for one in found), sum(one.failures for one in found))


class Slot(NamedTuple):
    """What is asked of: a slot, from one instant to another."""

    name: str
    first_ms: int
    last_ms: int

    @property
    def names(self) -> tuple[str, str]:
        """The slot, and that of everybody."""
        return self.name, self.name[0]

    @property
    def hours(self) -> range:
        """The hours (since 1970) that tell of it."""
        return range(self.first_ms // HOUR_MS - 1, self.last_ms // HOUR_MS + 1)


_Key = tuple[str, int, str]


class Crowds:
    """Reads crowds; what is settled is read once a process, bounded."""

    def __init__(self) -> None:
        self._read: OrderedDict[_Key, Mapping[int, Pair]] = OrderedDict()
        self._days: OrderedDict[tuple[str, int], Mapping[int, Day]] = OrderedDict()
        self._ratios: OrderedDict[tuple[str, str, int], Ratios] = OrderedDict()

    async def of(
        self, system: str, wanted: Iterable[Slot], over_ms: int, store: CensusStore
    ) -> dict[Slot, Crowd]:
        """The crowds of these slots; what lies before `over_ms` is over for good, and kept."""
        asked = list(wanted)
        keys = {(hour, name) for one in asked for hour in one.hours for name in one.names}
        slices = await self._slices(system, keys, over_ms, store)
        found = {}
        for one in asked:
            here, everybody = (
                {n: pair for hour in one.hours for n, pair in slices[hour, name].items()}
                for name in one.names
            )
            days = {day_of(hour) for hour in one.hours}
            usual_ = {day: await self._usual(system, one.name, day, store) for day in days}
            found[one] = Crowd(here, everybody, usual_)
        return found

    async def _slices(
        self, system: str, keys: set[tuple[int, str]], over_ms: int, store: CensusStore
    ) -> dict[tuple[int, str], Mapping[int, Pair]]:
        found: dict[tuple[int, str], Mapping[int, Pair]] = {}
        missing: dict[int, list[str]] = {}
        for hour, slot in keys:
            known = self._read.get((system, hour, slot))
            if known is None:
                missing.setdefault(hour, []).append(slot)
            else:
                found[hour, slot] = known
        for hour, slots in missing.items():
            fields = [f"{slot}:{n}{what}" for slot in slots for n in range(SLICES) for what in "SF"]
            counts = await store.by_crowd(system, hour, fields)
            for slot in slots:
                found[hour, slot] = told = _pairs(counts, slot, hour * SLICES)
                if (hour + 1) * HOUR_MS + AS_OF_MS <= over_ms:
                    self._read[system, hour, slot] = told
        while len(self._read) > _KEPT:
            self._read.popitem(last=False)
        return found

    async def _usual(self, system: str, slot: str, day: int, store: CensusStore) -> Ratios:
        days = self._days.get((system, day))
        if days is None:
            days = await store.by_day(system, day - USUAL_DAYS, day - SETTLED_DAYS)
            self._days[system, day] = days
            while len(self._days) > _DAYS_KEPT:
                self._days.popitem(last=False)
        if (known := self._ratios.get((system, slot, day))) is None:
            everybody = usual(days)
            ratio = 0.0 if everybody is None else everybody.ratio
            known = self._ratios[system, slot, day] = Ratios(
                max(ratio, own_ratio(days, slot)), ratio
            )
            while len(self._ratios) > _KEPT:
                self._ratios.popitem(last=False)
        return known

    def forget(self) -> None:
        """State was lost."""
        self._read.clear()
        self._days.clear()
        self._ratios.clear()


def own_ratio(days: Mapping[int, Day], slot: str) -> float:
    """Failures a success on half of a slot's days: an attack that lasts less long teaches nothing
    (Wiefling et al., TOPS 2022). 0 while there are too few days.
    """
    told = [
        day.counts.get(f"{slot}F", 0) / successes
        for day in days.values()
        if (successes := day.counts.get(f"{slot}S", 0)) >= _FEWEST_A_DAY
    ]
    return median(told) if len(told) >= _FEWEST_DAYS else 0.0


def _pairs(counts: Mapping[str, int], slot: str, first: int) -> dict[int, Pair]:
    found = {}
    for number in range(SLICES):
        pair = Pair(counts.get(f"{slot}:{number}S", 0), counts.get(f"{slot}:{number}F", 0))
        if pair != NOBODY:
            found[first + number] = pair
    return found
