"""From where a system's customers come: successes a day by country and network, and their shares.

Counted once each, although batches may come again: counts of a partition carry a fence, the offset
up to which they are in. Shares are read as they stood at the end of the day before yesterday, so
neither disorder nor a day's late events change a judgement (`as_of`), over 90 days.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple, Protocol

from .account_memory import WARM_AFTER
from .attempts import COMMON_ASN, RARE_COUNTRY
from .events import DAY_MS, HOUR_MS
from .rates import MINUTE_MS, Counted, Day, Hour, Tallies, add_failing, add_minutes
from .slots import SLICE_MS, add_crowd, network_slot, program, program_slot

DAYS: Final = 90
SETTLED_DAYS: Final = 2
"""Yesterday may still get late events; what is older may not (LATENESS is six hours)."""
_SHARES_KEPT: Final = 3
"""Days of a system: yesterday's, today's and that of a clock that is ahead."""
MINUTES_A_DAY: Final = DAY_MS // MINUTE_MS
MINUTES_A_SLICE: Final = SLICE_MS // MINUTE_MS
CROWDS_KEPT_MS: Final = 24 * HOUR_MS
"""By the wall clock, after the last write: longer than the log of a crowd is kept."""
MINUTES_KEPT_MS: Final = 48 * HOUR_MS
"""By the wall clock, after the last write: longer than any log is judged by them (RETENTION_MS)."""
RARE_SHARE: Final = 0.001
"""A country with fewer of the successes is one of unknown origin (DETECTIONS.md 5, row 11)."""
COMMON_SHARE: Final = 0.01
"""A network with more of them is no news by itself: that is where customers are. Ours, measured on
profile G: without it a tenth of the logins on a new device would be asked about.
"""

TOTAL: Final = "S"
"""All successes of a day (UTC); beside it `C:TW`, `A:64496`, the hours of `rates.hour_field` and
`N1fS`, `N1fF` of the slots of `detectors/slots`.
"""


class CensusStore(Protocol):
    """Keeps the counts of systems by day, hour and minute."""

    async def count(
        self, system: str, partition: int, first: int, end: int, tallies: Tallies
    ) -> int:
        """Add the counts of offsets [first, end), unless some of them are in already; bits of
        sketches are set in any case.

        Returns the offset up to which they were: `first` or less where the counts were added, else
        the offset from which on they are to be counted and handed over again.
        """
        ...

    async def by_day(self, system: str, first_day: int, last_day: int) -> Mapping[int, Day]:
        """Each of these days (both inclusive) of which anything is counted."""
        ...

    async def by_minute(self, system: str, hours: Sequence[int]) -> Mapping[int, Hour]:
        """The minutes of each of these hours since 1970; kept for MINUTES_KEPT_MS."""
        ...

    async def by_crowd(self, system: str, hour: int, fields: Sequence[str]) -> Mapping[str, int]:
        """Those of these counts of crowds (`slots.add_crowd`) of an hour since 1970 that there
        are; kept for CROWDS_KEPT_MS.
        """
        ...


@dataclass(frozen=True, slots=True)
class Shares:
    """How the successes of a system spread over countries and networks."""

    counts: Mapping[str, int] = field(default_factory=dict)

    @property
    def known(self) -> bool:
        """Whether there are enough to speak of shares (DESIGN.md 3: from the 1,000th)."""
        return self.counts.get(TOTAL, 0) >= WARM_AFTER

    def marks(self, country: str | None, asn: int | None) -> int:
        """What the shares say of a place; nothing of what is not known."""
        if not self.known:
            return 0
        total = self.counts[TOTAL]
        marks = 0
        if country is not None and self.counts.get(f"C:{country}", 0) < RARE_SHARE * total:
            marks |= RARE_COUNTRY
        if asn is not None and self.counts.get(f"A:{asn}", 0) >= COMMON_SHARE * total:
            marks |= COMMON_ASN
        return marks


class Placed(Counted, Protocol):
    """An accepted login as the census counts it."""

    @property
    def offset(self) -> int:
        """Where it stood in its partition."""
        ...

    @property
    def country(self) -> str | None:
        """Where it came from, as far as known."""
        ...

    @property
    def asn(self) -> int | None:
        """The network it came from, as far as known."""
        ...


class Blamed(NamedTuple):
    """A failure that counts against its address: not on a device that the account knows."""

    login: Placed
    address: str | None


async def take(
    logins: Sequence[Placed],
    blamed: Sequence[Blamed],
    partition: int,
    span: tuple[int, int],
    store: CensusStore,
) -> None:
    """Count the logins of offsets [first, end) of a partition, each once for ever."""
    first, end = span
    for system, tallies in _tallies(logins, blamed, first).items():
        fence = await store.count(system, partition, first, end, tallies)
        while first < fence < end:
            asked, left = fence, _tallies(logins, blamed, fence).get(system, Tallies())
            fence = await store.count(system, partition, asked, end, left)
            if fence <= asked:
                break


_Group = tuple[str, str, int, str | None, int | None, str | None, str | None]
"""Logins alike: system, outcome, minute, country, network, fingerprint, user agent."""


def _tallies(logins: Sequence[Placed], blamed: Sequence[Blamed], first: int) -> dict[str, Tallies]:
    """What offsets from `first` on add, by system."""
    # One count a login; all others are reckoned from groups, which are fewer.
    groups: Counter[_Group] = Counter(
        [
            (
                event.system,
                "S",
                login.at_ms // MINUTE_MS,
                login.country,
                login.asn,
                event.fingerprint,
                event.user_agent,
            )
            for login in logins
            if (event := login.event).outcome == "success"
            and event.action == "login"
            and login.offset >= first
        ]
    )
    found: defaultdict[str, Tallies] = defaultdict(Tallies)
    for login, address in blamed:
        event = login.event
        if login.offset >= first:
            minute, place = login.at_ms // MINUTE_MS, (login.country, login.asn)
            groups[event.system, "F", minute, *place, event.fingerprint, event.user_agent] += 1
            add_failing(login, address, found[event.system])
    _add(groups, found)
    return dict(found)


def _add(groups: Mapping[_Group, int], found: defaultdict[str, Tallies]) -> None:
    places: Counter[tuple[str, int, str | None, int | None]] = Counter()
    minutes: defaultdict[str, Counter[tuple[str, int]]] = defaultdict(Counter)
    crowds: defaultdict[tuple[str, str, str], Counter[int]] = defaultdict(Counter)
    for (system, what, minute, country, asn, fingerprint, agent), number in groups.items():
        minutes[system][what, minute] += number
        if what == "S":
            places[system, minute // MINUTES_A_DAY, country, asn] += number
        if asn is not None:
            crowds[system, network_slot(asn), what][minute // MINUTES_A_SLICE] += number
        if (name := program(fingerprint, agent)) is not None:
            crowds[system, program_slot(name), what][minute // MINUTES_A_SLICE] += number
    for (system, day, country, asn), number in places.items():
        counts = found[system].days.setdefault(day, Counter())
        counts[TOTAL] += number
        if country is not None:
            counts[f"C:{country}"] += number
        if asn is not None:
            counts[f"A:{asn}"] += number
    for system, told in minutes.items():
        add_minutes(told, found[system])
    for (system, slot, what), at in crowds.items():
        add_crowd(slot, what, at, found[system])


class Census:
    """The shares of each system as of a day; read once a day and process.

    Of the last few days: around midnight and from late sources batches hold logins of several, and
    ninety days of counts take longer to read than a batch to judge.
    """

    def __init__(self) -> None:
        self._known: dict[str, dict[int, Shares]] = {}

    async def shares(self, system: str, at_ms: int, store: CensusStore) -> Shares:
        """The shares by which a login at `at_ms` is judged."""
        day = at_ms // DAY_MS
        known = self._known.setdefault(system, {})
        if (shares := known.get(day)) is None:
            counts: Counter[str] = Counter()
            for told in (await store.by_day(system, day - DAYS, day - SETTLED_DAYS)).values():
                counts.update(told.counts)
            shares = known[day] = Shares(counts)
            while len(known) > _SHARES_KEPT:
                del known[next(iter(known))]
        return shares

    def forget(self) -> None:
        """State was lost."""
        self._known.clear()
