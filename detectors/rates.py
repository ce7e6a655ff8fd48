"""How many logins failed and got in, minute by minute: from it an attack on everybody is read.

Of failures count those that an address could be blamed for: on a device that the account knows it
is the owner's own mistake. Beside the two counts of a minute stands a sketch of how many accounts
and addresses failed, and beside those of a day how many accounts in each hour: each sets one bit
(linear counting, Whang et al. 1990), so whatever comes twice or out of order changes nothing.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple, Protocol

from .addresses import counted_as
from .attempts import short_hash
from .events import DAY_MS, HOUR_MS, LoginEvent

MINUTE_MS: Final = 60_000
SKETCH_BITS: Final = 128
"""Of one minute and dimension: tells 30 from 25 (standard error 9 %), and "hundreds" beyond."""
HOUR_BITS: Final = 60 * 2 * SKETCH_BITS
ACCOUNT_BITS: Final = 4_096
"""Of one hour: tells some twenty thousand accounts apart (standard error 2 % at a thousand)."""
DAY_BITS: Final = 24 * ACCOUNT_BITS


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


class Day(NamedTuple):
    """A day as a store keeps it: counts, and a sketch of the accounts that failed in each hour."""

    counts: Mapping[str, int]
    sketch: bytes = b""

    def failing(self, of_day: int) -> int:
        """The bits of the accounts that failed in an hour."""
        width = ACCOUNT_BITS // 8
        return int.from_bytes(self.sketch[width * of_day : width * (of_day + 1)], "big")


class Stretch(NamedTuple):
    """An hour or more: successes, failures, and accounts that failed but not the hour before: a
    forgotten telephone that repeats its old password all day counts once.
    """

    successes: float
    failures: float
    accounts: float


NO_DAY: Final = Day({})


def hours_of(days: Mapping[int, Day], hours: Iterable[int]) -> list[Stretch]:
    """These hours (since 1970), as far as their days are given."""
    found = []
    for hour in hours:
        day, of_day = days.get(hour // 24, NO_DAY), hour % 24
        before = days.get((hour - 1) // 24, NO_DAY).failing((hour - 1) % 24)
        both = before | day.failing(of_day)
        found.append(
            Stretch(
                day.counts.get(hour_field(of_day, "S"), 0),
                day.counts.get(hour_field(of_day, "F"), 0),
                distinct(both, ACCOUNT_BITS) - distinct(before, ACCOUNT_BITS),
            )
        )
    return found


def distinct(bits: int, size: int = SKETCH_BITS) -> float:
    """How many values set these bits, by linear counting; infinite where none is left clear."""
    clear = size - bits.bit_count()
    return math.inf if clear == 0 else size * math.log(size / clear)


@dataclass(slots=True)
class Tallies:
    """What a batch adds to a system's counts: by day and by hour since 1970 (of everybody and of
    crowds), and the bits that are set in the sketches of an hour and of a day.
    """

    days: dict[int, Counter[str]] = field(default_factory=dict)
    hours: dict[int, Counter[str]] = field(default_factory=dict)
    crowds: dict[int, Counter[str]] = field(default_factory=dict)
    bits: dict[int, set[int]] = field(default_factory=dict)
    day_bits: dict[int, set[int]] = field(default_factory=dict)


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


def add_minutes(logins: Mapping[tuple[str, int], int], tallies: Tallies) -> None:
    """Count logins, so many of `S` or `F` and minute, by minute of the hour and by hour of day."""
    for (what, minute), number in logins.items():
        hour, of_hour = divmod(minute, 60)
        day, of_day = divmod(hour, 24)
        tallies.hours.setdefault(hour, Counter())[f"{of_hour}{what}"] += number
        tallies.days.setdefault(day, Counter())[hour_field(of_day, what)] += number


def add_failing(login: Counted, address: str | None, tallies: Tallies) -> None:
    """Mark account and address of a failure in the sketches of its minute and hour."""
    hour, within = divmod(login.at_ms, HOUR_MS)
    start = within // MINUTE_MS * 2 * SKETCH_BITS
    bits = tallies.bits.setdefault(hour, set())
    if login.owner is not None:
        bits.add(start + login.owner[0] % SKETCH_BITS)
        day, of_day = divmod(hour, 24)
        slot = int.from_bytes(login.owner[:4], "big") % ACCOUNT_BITS
        tallies.day_bits.setdefault(day, set()).add(of_day * ACCOUNT_BITS + slot)
    if address is not None:
        slot = short_hash(counted_as(address))[0] % SKETCH_BITS
        bits.add(start + SKETCH_BITS + slot)


def hour_field(of_day: int, what: str) -> str:
    """Under what an hour's logins stand among the counts of its day."""
    return f"H:{of_day}:{what}"


class Usual(NamedTuple):
    """How customers alone fail: failures and failing accounts for each login that succeeds, and how
    far an hour's accounts stray from it (their variance over that of a Poisson count).
    """

    ratio: float
    accounts: float
    dispersion: float
    days: int


FEWEST_SUCCESSES: Final = 1_000
"""Of the past, before anything is called usual (as with shares: DESIGN.md 3)."""
_FEW: Final = 5.0
"""Expected failures of an hour below which its spread says nothing."""
_QUIET_SHARE: Final = 0.2
"""The day at this share of all days, by failures a success, is taken for one without an attack."""
_ALIKE: Final = 1.5
"""Days with at most so many times its failures count as quiet too."""
_FAR: Final = 25.0


def usual(days: Mapping[int, Day]) -> Usual | None:
    """What is usual, from days of the past; None while there are too few successes.

    Only quiet days count: an attack that lasts for weeks must not become what is usual (feeding
    attacks into a baseline wrecks it: Wiefling et al., TOPS 2022), unless it is four days of five.
    """
    hours = [hours_of(days, range(day * 24, day * 24 + 24)) for day in days]
    told = [_sum(of_day) for of_day in hours]
    enough = sorted(
        (day.accounts / day.successes, number)
        for number, day in enumerate(told)
        if day.successes >= FEWEST_SUCCESSES / 10
    )
    if sum(told[number].successes for _, number in enough) < FEWEST_SUCCESSES:
        return None
    limit = enough[int(_QUIET_SHARE * (len(enough) - 1))][0] * _ALIKE
    quiet = [number for share, number in enough if share <= limit]
    successes, failures, accounts = _sum([told[number] for number in quiet])
    share = max(accounts, 1) / successes
    strays = [
        min((hour.accounts - share * hour.successes) ** 2 / (share * hour.successes), _FAR)
        for number in quiet
        for hour in hours[number]
        if share * hour.successes >= _FEW
    ]
    dispersion = max(1.0, sum(strays) / len(strays)) if strays else 1.0
    return Usual(max(failures, 1) / successes, share, dispersion, len(quiet))


def _sum(parts: Sequence[Stretch]) -> Stretch:
    return Stretch(*map(sum, zip(*parts, strict=True)))


def day_of(hour: int) -> int:
    """The day since 1970 of an hour since 1970."""
    return hour * HOUR_MS // DAY_MS
