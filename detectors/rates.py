"""How many logins failed and got in, minute by minute: from it an attack on everybody is read.

Of failures count those that an address could be blamed for: on a device that the account knows it
is the owner's own mistake. Beside the two counts of a minute stands a sketch of how many accounts
and addresses failed: each sets one of 128 bits (linear counting, Whang et al. 1990), so whatever
comes twice or out of order changes nothing.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple, Protocol

from .addresses import counted_as
from .attempts import short_hash
from .events import DAY_MS, HOUR_MS, LoginEvent

MINUTE_MS: Final = 60_000
SKETCH_BITS: Final = 128
"""Of one minute and dimension: tells 30 from 25 (standard error 9 %), and "hundreds" beyond."""
HOUR_BITS: Final = 60 * 2 * SKETCH_BITS


class Minute(NamedTuple):
    """What happened in a minute; `accounts` and `addresses` are the bits of those that failed."""

    successes: int = 0
    failures: int = 0
    accounts: int = 0
    addresses: int = 0


NOTHING: Final = Minute()


class Hour(NamedTuple):
    """An hour as a store keeps it: counts under `<minute>S` and `<minute>F`, and a sketch."""

    counts: Mapping[str, int]
    sketch: bytes

    def minute(self, number: int) -> Minute:
        """The minute `number` (0 to 59) of the hour."""
        width = SKETCH_BITS // 8
        start = 2 * width * number
        return Minute(
            self.counts.get(f"{number}S", 0),
            self.counts.get(f"{number}F", 0),
            int.from_bytes(self.sketch[start : start + width], "big"),
            int.from_bytes(self.sketch[start + width : start + 2 * width], "big"),
        )


def distinct(bits: int) -> float:
    """How many values set these bits, by linear counting; infinite where none is left clear."""
    clear = SKETCH_BITS - bits.bit_count()
    return math.inf if clear == 0 else SKETCH_BITS * math.log(SKETCH_BITS / clear)


@dataclass(slots=True)
class Tallies:
    """What a batch adds to a system's counts: by day since 1970, by hour since 1970, and the bits
    that are set in an hour's sketch.
    """

    days: dict[int, Counter[str]] = field(default_factory=dict)
    hours: dict[int, Counter[str]] = field(default_factory=dict)
    bits: dict[int, set[int]] = field(default_factory=dict)


class Counted(Protocol):
    """A login as it is counted."""

    @property
    def event(self) -> LoginEvent:
        """What the source told."""
        ...

    @property
    def at_ms(self) -> int:
        """The time rules use."""
        ...

    @property
    def owner(self) -> bytes | None:
        """Whose it is; None where the source has no account."""
        ...


def add_minutes(logins: Sequence[tuple[str, int]], tallies: Tallies) -> None:
    """Count logins, each an `S` or `F` and its time, by minute of the hour and by hour of day."""
    for (what, minute), number in Counter((what, at // MINUTE_MS) for what, at in logins).items():
        hour, of_hour = divmod(minute, 60)
        day, of_day = divmod(hour, 24)
        tallies.hours.setdefault(hour, Counter())[f"{of_hour}{what}"] += number
        tallies.days.setdefault(day, Counter())[hour_field(of_day, what)] += number


def add_failing(login: Counted, address: str | None, tallies: Tallies) -> None:
    """Mark account and address of a failure in the sketch of its minute."""
    hour, within = divmod(login.at_ms, HOUR_MS)
    start = within // MINUTE_MS * 2 * SKETCH_BITS
    bits = tallies.bits.setdefault(hour, set())
    if login.owner is not None:
        bits.add(start + login.owner[0] % SKETCH_BITS)
    if address is not None:
        slot = short_hash(counted_as(address))[0] % SKETCH_BITS
        bits.add(start + SKETCH_BITS + slot)


def hour_field(of_day: int, what: str) -> str:
    """Under what an hour's logins stand among the counts of its day."""
    return f"H:{of_day}:{what}"


class Usual(NamedTuple):
    """How customers alone fail: failures for each login that succeeds, and how far an hour strays
    from it (its variance over that of a Poisson count).
    """

    ratio: float
    dispersion: float
    days: int

    def failures(self, successes: float) -> float:
        """As many as are to be expected beside so many successes."""
        return self.ratio * successes


FEWEST_SUCCESSES: Final = 1_000
"""Of the past, before anything is called usual (as with shares: DESIGN.md 3)."""
_FEW: Final = 5.0
"""Expected failures of an hour below which its spread says nothing."""
_QUIET_SHARE: Final = 0.2
"""The day at this share of all days, by failures a success, is taken for one without an attack."""
_ALIKE: Final = 1.5
"""Days with at most so many times its failures count as quiet too."""
_FAR: Final = 25.0


def usual(days: Mapping[int, Mapping[str, int]]) -> Usual | None:
    """What is usual, from days of the past; None while there are too few successes.

    Only quiet days count: an attack that lasts for weeks must not become what is usual (feeding
    attacks into a baseline wrecks it: Wiefling et al., TOPS 2022), unless it is four days of five.
    """
    sums = {day: _sums(counts) for day, counts in days.items()}
    told = sorted((f / s, day) for day, (s, f) in sums.items() if s >= FEWEST_SUCCESSES / 10)
    if sum(sums[day][0] for _, day in told) < FEWEST_SUCCESSES:
        return None
    limit = told[int(_QUIET_SHARE * (len(told) - 1))][0] * _ALIKE
    quiet = [day for share, day in told if share <= limit]
    successes = sum(sums[day][0] for day in quiet)
    ratio = max(sum(sums[day][1] for day in quiet), 1) / successes
    strays = [
        min((f - ratio * s) ** 2 / (ratio * s), _FAR)
        for day in quiet
        for s, f in (hour_of(days[day], number) for number in range(24))
        if ratio * s >= _FEW
    ]
    return Usual(ratio, max(1.0, sum(strays) / len(strays)) if strays else 1.0, len(quiet))


def hour_of(counts: Mapping[str, int], of_day: int) -> tuple[int, int]:
    """Successes and failures of an hour, from the counts of its day."""
    return counts.get(hour_field(of_day, "S"), 0), counts.get(hour_field(of_day, "F"), 0)


def _sums(counts: Mapping[str, int]) -> tuple[int, int]:
    hours = [hour_of(counts, number) for number in range(24)]
    return sum(s for s, _ in hours), sum(f for _, f in hours)


def day_of(hour: int) -> int:
    """The day since 1970 of an hour since 1970."""
    return hour * HOUR_MS // DAY_MS
