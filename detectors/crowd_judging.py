"""Whether logins of a network or by a program are an attack: by their share of bad attempts
against what is usual there and against all others at the same time, never by a count alone.

Judged at the end of slices of five minutes, each when every partition has come a minute further
(`as_of`): so the counts are whole, however batches are cut.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import groupby
from typing import Final, NamedTuple

from .attempts import NO_ADDRESS, place_bytes
from .counting import Hot
from .crowds import Pair, Ratios
from .events import AS_OF_MS
from .look_back import counted
from .rule import NEVER, Clause, Sighting
from .slots import SLICE_MS
from .windows import SubjectLog

_NOBODY: Final = b""
_NOWHERE: Final = counted(NO_ADDRESS)


class Bounds(NamedTuple):
    """So many failures by accounts from addresses in so many slices, where a share of the attempts
    is bad: `bad`, and `times` that of all others; or `surely`, whatever others do.
    """

    slices: int
    failures: int
    accounts: int
    addresses: int
    bad: float
    times: float
    surely: float


class _Instant(NamedTuple):
    """The end of a slice: the failures (indices into the log) of the window before it."""

    slice_: int
    hot: Hot
    accounts: int
    addresses: int


def judged(log: SubjectLog, bounds: Bounds, clause: Clause, surely: Clause) -> list[Sighting]:
    """Slices at whose end the window was bad, under `surely` where it was beyond doubt."""
    found: dict[bool, list[Hot]] = {False: [], True: []}
    pending = False
    lacking = max(bounds.accounts, bounds.addresses)
    for one in _instants(log, bounds.slices):
        short = max(bounds.accounts - one.accounts, bounds.addresses - one.addresses)
        lacking = min(lacking, short)
        if short > 0:
            continue
        if (one.slice_ + 1) * SLICE_MS + AS_OF_MS > log.settled_ms:
            pending = True
            continue
        here, others = log.crowd.until(one.slice_, bounds.slices)
        if here.failures >= bounds.failures:
            beyond_doubt = is_bad(here, others, log.crowd.ratios(one.slice_), bounds)
            if beyond_doubt is not None:
                found[beyond_doubt].append(one.hot)
    # What has the numbers and not the share may get it by failures that the sample leaves out.
    restless = lacking <= 0
    quiet = NEVER if restless else lacking
    return [
        Sighting(clause, found[False], quiet, pending=pending, restless=restless),
        Sighting(surely, found[True], quiet, pending=pending, restless=restless),
    ]


def is_bad(here: Pair, others: Pair, usual: Ratios, bounds: Bounds) -> bool | None:
    """None: no attack to be seen; True: an attack beyond doubt."""
    share = here.bad(usual.here)
    if share >= bounds.surely:
        return True
    stands_out = share >= bounds.times * others.bad(usual.everybody)
    return False if share >= bounds.bad and stands_out else None


def _instants(log: SubjectLog, slices: int) -> Iterator[_Instant]:
    # What is not told is counted too, in one place, and is no account and no address.
    accounts: Counter[bytes] = Counter({_NOBODY: 1})
    addresses: Counter[bytes] = Counter({_NOWHERE: 1})
    who = [account or _NOBODY for account in log.accounts]
    where = [counted(place_bytes(entry)[0]) for entry in log.entries]
    first = 0
    for slice_, group in groupby(range(len(log)), key=lambda index: log.at[index] // SLICE_MS):
        last = first
        for last in group:
            accounts[who[last]] += 1
            addresses[where[last]] += 1
        while log.at[first] < (slice_ + 1 - slices) * SLICE_MS:
            _leave(accounts, who[first])
            _leave(addresses, where[first])
            first += 1
        yield _Instant(slice_, Hot(first, last), len(accounts) - 1, len(addresses) - 1)


def _leave(counts: Counter[bytes], value: bytes) -> None:
    counts[value] -= 1
    if not counts[value]:
        del counts[value]
