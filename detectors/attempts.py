"""One login as a subject's log keeps it: fixed head, then what an alert needs as evidence.

at       6 bytes  milliseconds since 1970, big-endian: bytewise order is time order
event    8        keyed hash of (emitter, event_id): ties in time have one order everywhere
account  12       pseudonym, zeros where the source has no account
flags    4        reason (low three bits) and the marks below
length   2        of the event id
suffix   8        only with IPV6: the half of the address that the subject (/64) does not say
context  35       only with PLACED: address (16), country, AS, agent (4), device (8), channel
event_id          UTF-8, as on the wire
"""

from __future__ import annotations

import ipaddress
import struct
from collections.abc import Iterable, Sequence
from functools import lru_cache
from hashlib import blake2b
from typing import Final, NamedTuple, get_args

from .events import Channel, LoginEvent, Reason
from .facts import Facts, says_non_customer
from .pseudonyms import ACCOUNT_BYTES, Pseudonyms

HEAD = struct.Struct(">HI8s12sIH")
HEAD_BYTES: Final = HEAD.size
"""No attempt is shorter: with it a store turns "k more attempts" into bytes."""

NO_ACCOUNT: Final = 0x10
IPV6: Final = 0x20
NON_CUSTOMER: Final = 0x40
PLACED: Final = 0x80
SUCCESS: Final = 0x100
KNOWN_DEVICE: Final = 0x200
"""The account has logged in with this device before."""
OLD_DEVICE: Final = 0x400
"""... for a week at least: what the NAT guard counts."""
NEW_DEVICE: Final = 0x800
"""The device is told, the account's memory is warm, and the device is not in it."""
NEW_COUNTRY: Final = 0x1000
NEW_ASN: Final = 0x2000
RISKY_NETWORK: Final = 0x4000
"""From a network for rent or for hiding, or on a list of threat intelligence."""
RARE_COUNTRY: Final = 0x8000
"""From a country with hardly a success in the system's past."""
LATE: Final = 0x10000
"""Over 24 hours old when it arrived: nobody is told of it any more (promise 7)."""

COMMON_ASN: Final = 0x20000
"""From a network in which many of the system's customers are: no news by itself."""

MAPPED: Final = b"\0" * 10 + b"\xff\xff"
"""How an IPv4 address begins among 16 bytes (`packed_address`)."""

COLD: Final = 0x40000
"""State was lost, or the device is told while the system's memory is young: it may be the account's
own, so no customer is told (promise 7).
"""

UNFAMILIAR: Final = 0x80000
"""The device is not among those of the account, nor is the country, network or program, however
few those are: of an account that is hardly known too, once the system was watched for a week.
"""

YOUNG: Final = 0x100000
"""The system was watched for less than a week: no device is old, and no NAT can be told."""

LEARNING: Final = 0x20000000
"""With a program of an account of less than ninety days: most of its places were never seen."""

DORMANT: Final = 0x8000000
"""The account had not logged in for half a year, and had before (account_memory)."""

SINGLE_FACTOR: Final = 0x800000
"""Without a second factor, in a system that demands one."""

ELSEWHERE: Final = 0x100000000
"""Another country than this login's was used for the first time within the last day: said of a
success when it is read, and in no entry.
"""

HIDDEN: Final = 0x40000000
"""From an address that does not tell where its user is: for rent, or a relay of many."""

DICTIONARY: Final = 0x80000000
"""A name that is no customer's, and was tried from several addresses before (name_dictionary)."""

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
_REASON_BITS: Final = 0x07
_MFA_FAILED: Final = _REASON_CODE["mfa_failed"]
_CHANNELS: Final[tuple[Channel | None, ...]] = (None, *get_args(Channel))
_CHANNEL_CODE: Final = {channel: code for code, channel in enumerate(_CHANNELS)}
_IDENTIFIED: Final = 14
"""Bytes that name an event: its time and its identity."""
_NO_ACCOUNT: Final = bytes(ACCOUNT_BYTES)
_CONTEXT = struct.Struct(">16s2sI4s8sB")
_PLACED_HEAD = struct.Struct(HEAD.format + "16s6s4s8sB")
"""HEAD and context at once: what nearly every login is packed with."""
CONTEXT_BYTES: Final = _CONTEXT.size
_SUFFIX_BYTES: Final = 8
_SHORT: Final = blake2b(digest_size=8)
NO_ADDRESS: Final = bytes(16)
ADDRESS: Final = slice(HEAD_BYTES, HEAD_BYTES + 16)
"""Where the packed address stands in a PLACED entry."""
_NOTHING_4: Final = bytes(4)
_NOTHING_8: Final = bytes(8)
_BYTE: Final = 8
# Of an entry's flags, at bytes 26 to 29: the byte in which each mark of the layout stands.
_FLAGS_LOW: Final = 29


class Context(NamedTuple):
    """Where a login came from and with what; None (and empty) is not known.

    `agent` and `device` are hashes of what the client calls itself, good for telling them apart.
    """

    address: str
    country: str | None
    asn: int | None
    agent: bytes
    device: bytes
    channel: Channel | None


class Attempt(NamedTuple):
    """A login of a subject; `account` is None where the source has none."""

    at_ms: int
    event: bytes
    account: bytes | None
    flags: int
    event_id: str
    suffix: bytes
    context: Context | None = None

    @property
    def reason(self) -> Reason | None:
        """Why it failed, as the source told it."""
        return _REASONS[self.flags & _REASON_BITS]


def pack(
    event: LoginEvent,
    address: str,
    identity: bytes,
    at: int,
    names: Pseudonyms,
    known: Facts | None = None,
    marks: int = 0,
) -> bytes:
    """`event` as an entry of the log of `address` (canonical), with what is `known` beside it.

    With PLACED among `marks` the entry also says where from: for logs of other subjects.
    """
    account = None if event.account is None else names.account_bytes(event.account)
    non_customer = says_non_customer(event) if known is None else known.non_customer
    if non_customer:
        marks |= NON_CUSTOMER
    if marks & PLACED:
        device = None if event.device_id is None else short_hash(event.device_id)
        where = packed_address(address) if address else NO_ADDRESS
        return placed(event, where, place_of(event, known), device, account, identity, at, marks)
    return plain(event, address, account, identity, at, marks)


def placed(
    event: LoginEvent,
    where: bytes,
    place: tuple[str | None, int | None],
    device: bytes | None,
    account: bytes | None,
    identity: bytes,
    at: int,
    marks: int,
) -> bytes:
    """An entry with its context, from what is known of the login; see `pack`.

    `where` is its packed address, `place` country and AS number, `device` a short hash.
    """
    if account is None:
        marks |= NO_ACCOUNT
        account = _NO_ACCOUNT
    event_id = event.event_id.encode("utf-8", "surrogatepass")
    return (
        _PLACED_HEAD.pack(
            at >> 32,
            at & 0xFFFFFFFF,
            identity,
            account,
            marks | _REASON_CODE[event.reason],
            len(event_id),
            where,
            _place(*place),
            _NOTHING_4 if event.user_agent is None else short_hash(event.user_agent)[:4],
            device or _NOTHING_8,
            _CHANNEL_CODE[event.channel],
        )
        + event_id
    )


def plain(
    event: LoginEvent, address: str, account: bytes | None, identity: bytes, at: int, marks: int
) -> bytes:
    """An entry without context, for the log of its own address; see `pack`."""
    if account is None:
        marks |= NO_ACCOUNT
        account = _NO_ACCOUNT
    marks |= _REASON_CODE[event.reason]
    event_id = event.event_id.encode("utf-8", "surrogatepass")
    suffix = b""
    if ":" in address:
        marks |= IPV6
        suffix = packed_address(address)[8:]
    head = HEAD.pack(at >> 32, at & 0xFFFFFFFF, identity, account, marks, len(event_id))
    return head + suffix + event_id


@lru_cache(maxsize=4_096)
def _place(country: str | None, asn: int | None) -> bytes:
    return (country or "").encode().ljust(2, b"\0") + (asn or 0).to_bytes(4, "big")


def place_of(event: LoginEvent, known: Facts | None) -> tuple[str | None, int | None]:
    """Country and AS number, by what is `known`, else by what the event itself says."""
    if known is not None:
        return known.country, known.asn
    origin = event.origin
    return (None, None) if origin is None else (origin.country, origin.asn)


@lru_cache(maxsize=65_536)
def short_hash(text: str) -> bytes:
    """Eight bytes that tell devices, agents and places apart; no secret, no pseudonym."""
    digest = _SHORT.copy()  # a third cheaper than a new one, as with pseudonyms
    digest.update(text.encode("utf-8", "surrogatepass"))
    return digest.digest()


def distinct(blob: bytes, *, fullest: bool = False) -> list[bytes]:
    """The entries of a log in the order (time, identity), each event once.

    An event may come again with other facts, after a new directory was loaded: whatever the order,
    the smaller entry stays, the one that says less of it; with `fullest` the larger one.
    """
    entries = sorted(set(split(blob)))
    if len({entry[:_IDENTIFIED] for entry in entries}) == len(entries):
        return entries
    ordered = entries if fullest else reversed(entries)
    return sorted({entry[:_IDENTIFIED]: entry for entry in ordered}.values())


def earliest(blob: bytes) -> list[bytes]:
    """The entries of a log in the order of time, of each identity the earliest: what is told of a
    subject by another log may come to be dated earlier, never later.
    """
    first: dict[bytes, bytes] = {}
    for entry in sorted(set(split(blob))):
        first.setdefault(entry[6:_IDENTIFIED], entry)
    return sorted(first.values())


def split(blob: bytes) -> list[bytes]:
    """The entries of a log in the order in which they were appended, duplicates included."""
    entries = []
    position, end = 0, len(blob)
    while position < end:
        length = HEAD_BYTES + (blob[position + 30] << 8) + blob[position + 31]
        marks = blob[position + _FLAGS_LOW]
        if marks & PLACED:
            length += CONTEXT_BYTES
        elif marks & IPV6:
            length += _SUFFIX_BYTES
        entries.append(blob[position : position + length])
        position += length
    return entries


def holds_several(blob: bytes) -> bool:
    """Whether a log holds more than one entry (of an address: without context)."""
    if not blob:
        return False
    suffix = _SUFFIX_BYTES if blob[_FLAGS_LOW] & IPV6 else 0
    return len(blob) > HEAD_BYTES + suffix + (blob[30] << 8) + blob[31]


def unpack(entry: bytes) -> Attempt:
    """One entry as a fact."""
    high, low, event, account, flags, length = HEAD.unpack_from(entry)
    start = len(entry) - length
    context = None
    if flags & PLACED:
        context = _told(entry)
    return Attempt(
        (high << 32) | low,
        event,
        None if flags & NO_ACCOUNT else account,
        flags,
        entry[start:].decode("utf-8", "surrogatepass"),
        entry[HEAD_BYTES:start] if flags & IPV6 else b"",
        context,
    )


def _told(entry: bytes) -> Context:
    address, country, asn, agent, device, channel = _CONTEXT.unpack_from(entry, HEAD_BYTES)
    return Context(
        address="" if address == bytes(16) else written_address(address),
        country=country.rstrip(b"\0").decode() or None,
        asn=asn or None,
        agent=b"" if agent == _NOTHING_4 else agent,
        device=b"" if device == _NOTHING_8 else device,
        channel=_CHANNELS[channel],
    )


def flags_of(entry: bytes) -> int:
    """The marks of an entry, without unpacking the rest."""
    return int.from_bytes(entry[26:30], "big")


def event_id_of(entry: bytes) -> str:
    """The event id of an entry, without unpacking the rest."""
    length = (entry[30] << 8) | entry[31]
    return entry[len(entry) - length :].decode("utf-8", "surrogatepass")


def marked(entries: Iterable[bytes], marks: int) -> list[bool]:
    """Of each entry whether it has any of these marks: `flags_of` for a whole log, at a third of
    the cost. The marks must lie in one byte of the flags, as they stand in the layout.
    """
    index = ((marks & -marks).bit_length() - 1) // _BYTE
    at, bits = _FLAGS_LOW - index, marks >> index * _BYTE
    if bits.bit_length() > _BYTE:
        raise ValueError(f"marks {marks:#x} do not lie in one byte")
    return [entry[at] & bits > 0 for entry in entries]


def is_mfa_failed(entry: bytes) -> bool:
    """Whether it is a right password that was stopped at the second factor."""
    return entry[_FLAGS_LOW] & _REASON_BITS == _MFA_FAILED


def mfa_failed(entries: Sequence[bytes]) -> list[int]:
    """Which entries of a log are right passwords that were stopped at the second factor."""
    return [
        index
        for index, entry in enumerate(entries)
        if entry[_FLAGS_LOW] & _REASON_BITS == _MFA_FAILED
    ]


def account_of(entry: bytes) -> bytes | None:
    """The pseudonym of an entry, None where the source has no account."""
    return None if entry[_FLAGS_LOW] & NO_ACCOUNT else entry[14:26]


def tells_device(entry: bytes) -> bool:
    """Whether a PLACED entry names a device."""
    return entry[HEAD_BYTES + 26 : HEAD_BYTES + 34] != _NOTHING_8


def place_bytes(entry: bytes) -> tuple[bytes, bytes, bytes, bytes]:
    """Address, country, AS and agent of a PLACED entry as they stand: zeros are not known."""
    return (
        entry[HEAD_BYTES : HEAD_BYTES + 16],
        entry[HEAD_BYTES + 16 : HEAD_BYTES + 18],
        entry[HEAD_BYTES + 18 : HEAD_BYTES + 22],
        entry[HEAD_BYTES + 22 : HEAD_BYTES + 26],
    )


def address_of(network: str, suffix: bytes) -> str:
    """The full address of an attempt in the log of a /64."""
    prefix = int(ipaddress.IPv6Network(network).network_address)
    return str(ipaddress.IPv6Address(prefix | int.from_bytes(suffix, "big")))


@lru_cache(maxsize=65_536)
def packed_address(address: str) -> bytes:
    """A canonical address as 16 bytes, IPv4 mapped into IPv6: networks are ranges of it."""
    if ":" in address:
        return ipaddress.IPv6Address(address).packed
    return MAPPED + bytes(map(int, address.split(".")))


@lru_cache(maxsize=65_536)
def written_address(packed: bytes) -> str:
    """The canonical spelling of `packed_address`."""
    if packed.startswith(MAPPED):
        return str(ipaddress.IPv4Address(packed[12:]))
    return str(ipaddress.IPv6Address(packed))
