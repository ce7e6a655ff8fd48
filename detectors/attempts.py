"""One failed login as a subject's log keeps it: fixed head, then what an alert needs as evidence.

at       6 bytes  milliseconds since 1970, big-endian: bytewise order is time order
event    8        keyed hash of (emitter, event_id): ties in time have one order everywhere
account  12       pseudonym, zeros where the source has no account
flags    1        reason (low three bits), NO_ACCOUNT, IPV6, NON_CUSTOMER
length   2        of the event id
suffix   8        only with IPV6: the half of the address that the subject (/64) does not say
event_id          UTF-8, as on the wire
"""

from __future__ import annotations

import ipaddress
import struct
from functools import lru_cache
from typing import Final, NamedTuple

from .events import LoginEvent, Reason
from .facts import Facts, says_non_customer
from .pseudonyms import ACCOUNT_BYTES, Pseudonyms

HEAD = struct.Struct(">HI8s12sBH")
HEAD_BYTES: Final = HEAD.size
"""No attempt is shorter: with it a store turns "k more attempts" into bytes."""

NO_ACCOUNT: Final = 0x10
IPV6: Final = 0x20
NON_CUSTOMER: Final = 0x40

_REASONS: Final[tuple[Reason | None, ...]] = (
    None,
    "bad_password",
    "unknown_account",
    "locked",
    "expired",
    "mfa_failed",
    "other",
)
_REASON_CODE: Final = {reason: code for code, reason in enumerate(_REASONS)}
_IDENTIFIED: Final = 14
"""Bytes that name an event: its time and its identity."""
_NO_ACCOUNT: Final = bytes(ACCOUNT_BYTES)


class Attempt(NamedTuple):
    """A failed login of a subject; `account` is None where the source has none."""

    at_ms: int
    event: bytes
    account: bytes | None
    flags: int
    event_id: str
    suffix: bytes

    @property
    def reason(self) -> Reason | None:
        """Why it failed, as the source told it."""
        return _REASONS[self.flags & 0x07]


def pack(
    event: LoginEvent,
    address: str,
    identity: bytes,
    at: int,
    names: Pseudonyms,
    known: Facts | None = None,
) -> bytes:
    """`event` as an entry of the log of `address` (canonical), with what is `known` beside it."""
    flags = _REASON_CODE[event.reason]
    if says_non_customer(event) if known is None else known.non_customer:
        flags |= NON_CUSTOMER
    account = _NO_ACCOUNT
    if event.account is None:
        flags |= NO_ACCOUNT
    else:
        account = names.account_bytes(event.account)
    event_id = event.event_id.encode("utf-8", "surrogatepass")
    if ":" not in address:
        return (
            HEAD.pack(at >> 32, at & 0xFFFFFFFF, identity, account, flags, len(event_id)) + event_id
        )
    head = HEAD.pack(at >> 32, at & 0xFFFFFFFF, identity, account, flags | IPV6, len(event_id))
    return head + _suffix(address) + event_id


def distinct(blob: bytes) -> list[bytes]:
    """The entries of a log in the order (time, identity), each event once.

    An event may come again with other facts, after a new directory was loaded: whatever the order,
    the smaller entry stays, the one that says less of it.
    """
    entries = sorted(set(split(blob)))
    if len({entry[:_IDENTIFIED] for entry in entries}) == len(entries):
        return entries
    first = {entry[:_IDENTIFIED]: entry for entry in reversed(entries)}
    return sorted(first.values())


def split(blob: bytes) -> list[bytes]:
    """The entries of a log in the order in which they were appended, duplicates included."""
    entries = []
    position, end = 0, len(blob)
    while position < end:
        length = HEAD_BYTES + (blob[position + 27] << 8) + blob[position + 28]
        if blob[position + 26] & IPV6:
            length += 8
        entries.append(blob[position : position + length])
        position += length
    return entries


def unpack(entry: bytes) -> Attempt:
    """One entry as a fact."""
    high, low, event, account, flags, _ = HEAD.unpack_from(entry)
    start = HEAD_BYTES + (8 if flags & IPV6 else 0)
    return Attempt(
        (high << 32) | low,
        event,
        None if flags & NO_ACCOUNT else account,
        flags,
        entry[start:].decode("utf-8", "surrogatepass"),
        entry[HEAD_BYTES:start],
    )


def account_of(entry: bytes) -> bytes | None:
    """The pseudonym of an entry, None where the source has no account."""
    return None if entry[26] & NO_ACCOUNT else entry[14:26]


def address_of(network: str, suffix: bytes) -> str:
    """The full address of an attempt in the log of a /64."""
    prefix = int(ipaddress.IPv6Network(network).network_address)
    return str(ipaddress.IPv6Address(prefix | int.from_bytes(suffix, "big")))


@lru_cache(maxsize=16_384)
def _suffix(address: str) -> bytes:
    return ipaddress.IPv6Address(address).packed[8:]
