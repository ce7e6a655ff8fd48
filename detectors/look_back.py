"""What an address or network let in before it turned bad: its successes of five days, reopened.

A thief often logs in before anybody has seen him attack (DETECTIONS.md 5, row 8). But a carrier's
address that turns bad has let in hundreds of its own customers, so a success is reopened only if
it does not look like them: never on a device that the account knows; where more known customers
than strangers log in, only on a new device from a new place; where no device is told, only from a
new place, or where few accounts log in at all. In a system's first week no customer is known well
enough to tell a NAT by, so each address may be one.

An address *turns* bad at a flagged instant after a day without one; of a log that was trimmed only
turns are looked at of which the whole day before is sure to be kept, so that trimming makes no new
ones. All is read as it stood 60 s before (`as_of`).
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, NamedTuple

from .attempts import (
    COMMON_ASN,
    KNOWN_DEVICE,
    MAPPED,
    NEW_ASN,
    NEW_COUNTRY,
    NEW_DEVICE,
    UNFAMILIAR,
    YOUNG,
    flags_of,
    place_bytes,
    tells_device,
)
from .counting import present_ms
from .events import AS_OF_MS
from .guard import Known
from .windows import LATENESS_MS, LONGEST_QUIET_MS, LONGEST_WINDOW_MS, SubjectLog

_LOOKED_AT_MS: Final = LONGEST_QUIET_MS + LATENESS_MS
"""How far behind a log's present the whole day before a turn is kept (RETENTION_MS)."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """`few` accounts behind an address may be judged without a device; a network only where
    `bad_percent` of its addresses turned bad.
    """

    span_ms: int
    few: int
    bad_percent: int


class Reopened(NamedTuple):
    """What is reopened at a turn: of each account and address its logins in the order of time,
    accounts by risk (device and place new first).
    """

    turned_ms: int
    accounts: dict[bytes, dict[bytes, list[bytes]]]


def turns(log: SubjectLog) -> list[int]:
    """When the subject of a log turned bad."""
    since = present_ms(log.at) - _LOOKED_AT_MS
    before = [at - LONGEST_WINDOW_MS - 1 for at in log.flagged[:1]] + [*log.flagged[:-1]]
    return [
        at
        for at, last in zip(log.flagged, before, strict=True)
        if at - last > LONGEST_WINDOW_MS
        and (log.whole or at > since or log.at[0] < at - LONGEST_WINDOW_MS)
    ]


def is_settled(log: SubjectLog, turned_ms: int) -> bool:
    """Whether nothing that is on its way may still move a turn ahead."""
    return turned_ms <= log.settled_ms - AS_OF_MS


def reopened(log: SubjectLog, turned_ms: int, bounds: Bounds) -> Reopened:
    """The successes before a turn that do not look like the address's own customers."""
    entered = _entered(log, turned_ms, bounds)
    found: dict[bytes, dict[bytes, list[bytes]]] = {}
    if entered and (log.kind == "ip" or _is_bad(log, turned_ms, entered, bounds.bad_percent)):
        bad = set() if log.kind == "ip" else _bad_addresses(log, turned_ms)
        for account, entry in _strangers(log, turned_ms, entered, bounds.few):
            where = counted(place_bytes(entry)[0])
            if where not in bad:  # its own turn reopens what it let in
                found.setdefault(account, {}).setdefault(where, []).append(entry)
    return Reopened(turned_ms, dict(sorted(found.items(), key=_by_risk)))


def _entered(log: SubjectLog, turned_ms: int, bounds: Bounds) -> list[tuple[bytes, bytes]]:
    """Who got in before the turn, and by what."""
    logins = log.logins
    if logins is None:
        return []
    first = bisect_left(logins.at, turned_ms - bounds.span_ms + 1)
    end = bisect_left(logins.at, turned_ms)
    told = zip(logins.accounts[first:end], logins.entries[first:end], strict=True)
    return [(account, entry) for account, entry in told if account is not None]


def _strangers(
    log: SubjectLog, turned_ms: int, entered: list[tuple[bytes, bytes]], few: int
) -> Iterator[tuple[bytes, bytes]]:
    unknown = [(who, entry) for who, entry in entered if not flags_of(entry) & KNOWN_DEVICE]
    customers = Known(log).customers(turned_ms)
    shared = 0 < customers >= len({who for who, _ in unknown})
    are_few = len({who for who, _ in entered}) <= few and not any(
        tells_device(entry) for _, entry in entered
    )
    for who, entry in unknown:
        device, place = _news(entry)
        may_be_nat = shared or flags_of(entry) & YOUNG
        if (device and place) or (not may_be_nat and (device or place or are_few)):
            yield who, entry


def _news(entry: bytes) -> tuple[bool, bool]:
    """Whether device and place are new to the account."""
    flags = flags_of(entry)
    if flags & UNFAMILIAR:
        return True, True
    network = flags & NEW_ASN and not flags & COMMON_ASN
    return bool(flags & NEW_DEVICE), bool(flags & NEW_COUNTRY or network)


def _by_risk(one: tuple[bytes, dict[bytes, list[bytes]]]) -> tuple[int, bytes]:
    account, places = one
    news = (_news(entry) for entries in places.values() for entry in entries)
    return -max(2 * device + 2 * place + device for device, place in news), account


def _bad_addresses(log: SubjectLog, turned_ms: int) -> set[bytes]:
    """The addresses of a network that had turned bad by then, within a day."""
    return {
        counted(place_bytes(entry)[0])
        for at, entry in zip(log.at, log.entries, strict=True)
        if turned_ms - LONGEST_WINDOW_MS < at <= turned_ms
    }


def _is_bad(
    log: SubjectLog, turned_ms: int, entered: list[tuple[bytes, bytes]], percent: int
) -> bool:
    """Whether so many of the addresses seen in a network, attacking or logging in, are bad."""
    bad = _bad_addresses(log, turned_ms)
    seen = bad.union(counted(place_bytes(entry)[0]) for _, entry in entered)
    return 100 * len(bad) >= percent * len(seen)


def counted(where: bytes) -> bytes:
    """A packed address as rules count it: IPv4, or the /64 of IPv6."""
    return where if where.startswith(MAPPED) else where[:8] + bytes(8)
