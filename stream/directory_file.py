"""The directory of customers as one immutable file: keyed hashes of every alias, sorted.

    MAGIC            8 bytes
    SHA-256         32        of everything behind it
    length           4        of the header, big-endian
    header                    JSON, `Header`
    records         25 each   alias (12, keyed) | class (1) | customer (12, keyed; zeros: shared)

Records are in the order of their bytes, an alias once: looked up by bisection, memory-mapped, so
that all workers of a machine share one copy. A million customers with three aliases take 75 MB.
"""

from __future__ import annotations

import hashlib
import mmap
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime
from functools import lru_cache
from itertools import groupby
from pathlib import Path
from typing import Final
from unicodedata import normalize

import msgspec

from detectors.errors import LoginwardError
from detectors.events import AccountClass
from detectors.facts import Listed
from detectors.pseudonyms import ACCOUNT_BYTES, Pseudonyms

MAGIC: Final = b"LWDIR\x00\x00\x01"
RECORD: Final = 2 * ACCOUNT_BYTES + 1
CLASSES: Final[tuple[AccountClass, ...]] = ("customer", "staff", "prospect", "closed")
"""By precedence: where an alias was given out anew, its present holder counts."""

_SUM_END: Final = len(MAGIC) + 32
_HEADER_AT: Final = _SUM_END + 4
_LONGEST_HEADER: Final = 65_536
_SHARED: Final = bytes(ACCOUNT_BYTES)
_CACHED: Final = 131_072


class Header(msgspec.Struct, frozen=True, kw_only=True):
    """What the file says of itself; times are aware UTC."""

    version: str
    """12 hex digits of the SHA-256 over key id and records: the same list has the same one."""
    key_id: str
    as_of: datetime
    """When the list was exported from the master data: its age counts from here."""
    loaded_at: datetime
    aliases: int
    customers: int
    """Different customers with at least one alias of class `customer`."""
    classes: dict[str, int]
    """Aliases by class."""
    shared: int
    """Aliases that several customers hold: their class is known, whose they are is not."""
    source_sha256: str
    shrink_reason: str = ""
    """Why it was to be taken even if much smaller than the one before; empty: it was not."""


def folded(account: str) -> str:
    """An account as the directory compares it: whole-width or lower-case typing is the same name.

    People type `a１２３` where the master data says `A123`; a verdict "no such account" must not
    come from that.
    """
    return normalize("NFKC", account).strip().casefold()


def record(account: str, account_class: AccountClass, customer: str, names: Pseudonyms) -> bytes:
    """One alias of one customer, as it is sorted and kept."""
    return (
        names.account_bytes(folded(account))
        + bytes((CLASSES.index(account_class),))
        + names.customer(customer)
    )


def encode(
    records: Iterable[bytes],
    *,
    key_id: str,
    as_of: datetime,
    loaded_at: datetime,
    source_sha256: str,
    shrink_reason: str = "",
) -> bytes:
    """The file of these records (see `record`), in any order; repeated ones count once."""
    ordered = sorted(set(records))
    body, shared = _one_an_alias(ordered)
    classes = Counter(body[ACCOUNT_BYTES::RECORD])
    present = {r[ACCOUNT_BYTES + 1 :] for r in ordered if r[ACCOUNT_BYTES] == 0}
    header = Header(
        version=hashlib.sha256(key_id.encode() + body).hexdigest()[:12],
        key_id=key_id,
        as_of=as_of.astimezone(UTC),
        loaded_at=loaded_at.astimezone(UTC),
        aliases=len(body) // RECORD,
        customers=len(present),
        classes={name: classes[code] for code, name in enumerate(CLASSES)},
        shared=shared,
        source_sha256=source_sha256,
        shrink_reason=shrink_reason,
    )
    told = msgspec.json.encode(header)
    rest = len(told).to_bytes(4, "big") + told + body
    return MAGIC + hashlib.sha256(rest).digest() + rest


def _one_an_alias(ordered: list[bytes]) -> tuple[bytes, int]:
    """Sorted records with each alias once, and how many aliases several customers hold."""
    kept = bytearray()
    shared = 0
    for _, group in groupby(ordered, key=lambda r: r[:ACCOUNT_BYTES]):
        first, *others = group
        holder = first[: ACCOUNT_BYTES + 1]
        if any(other.startswith(holder) for other in others):
            kept += holder + _SHARED
            shared += 1
        else:
            kept += first
    return bytes(kept), shared


class CustomerDirectory:
    """A file of `encode`, open for look-ups. `names` must hold the key it was made with.

    Raises LoginwardError where the bytes are no such file, damaged, or of another key; `place`
    names it in messages.
    """

    def __init__(self, data: bytes | mmap.mmap, names: Pseudonyms, place: str) -> None:
        self.header, self._start = _checked(data, place)
        if self.header.key_id != names.key_id:
            raise LoginwardError(
                f"{place}: made with the pseudonym key {self.header.key_id}, this installation's "
                f"is {names.key_id}; load the list again: loginward customers load FILE.csv"
            )
        self._data = data
        self._names = names
        # Attempts come in bursts on the same accounts; the cache dies with the file.
        self.look_up = lru_cache(maxsize=_CACHED)(self._look_up)

    def __len__(self) -> int:
        return self.header.aliases

    def __getitem__(self, number: int) -> bytes:
        """The keyed alias of a record, for bisection."""
        start = self._start + number * RECORD
        return self._data[start : start + ACCOUNT_BYTES]

    def _look_up(self, account: str) -> Listed | None:
        """What is listed for `account` as typed; None: it is in no list."""
        alias = self._names.account_bytes(folded(account))
        number = bisect_left(self, alias)
        if number == len(self) or self[number] != alias:
            return None
        start = self._start + number * RECORD + ACCOUNT_BYTES
        customer = self._data[start + 1 : start + 1 + ACCOUNT_BYTES]
        return Listed(CLASSES[self._data[start]], None if customer == _SHARED else customer)


def open_file(path: Path, names: Pseudonyms) -> CustomerDirectory:
    """The directory in `path`, memory-mapped and checked whole. Raises LoginwardError."""
    return CustomerDirectory(_mapped(path), names, str(path))


def read_header(path: Path) -> Header:
    """What the file in `path` says of itself, whatever key it was made with.

    Raises LoginwardError where it is damaged.
    """
    return _checked(_mapped(path), str(path))[0]


def _mapped(path: Path) -> mmap.mmap:
    try:
        with path.open("rb") as file:
            return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    except (OSError, ValueError) as failure:  # an empty file cannot be mapped: ValueError
        told = failure.strerror if isinstance(failure, OSError) else "it is empty"
        raise LoginwardError(
            f"{path}: {told}; load the list again: loginward customers load FILE.csv"
        ) from None


def is_directory_file(path: Path) -> bool:
    """Whether `path` begins like a file of `encode`."""
    with path.open("rb") as file:
        return file.read(len(MAGIC)) == MAGIC


def _checked(data: bytes | mmap.mmap, place: str) -> tuple[Header, int]:
    """The header and where the records start, if every byte is as it was written."""
    if data[: len(MAGIC)] != MAGIC:
        raise LoginwardError(f"{place}: is no directory of customers that this version can read")
    damaged = LoginwardError(
        f"{place}: damaged; load the list again: loginward customers load FILE.csv"
    )
    with memoryview(data) as whole:
        if hashlib.sha256(whole[_SUM_END:]).digest() != whole[len(MAGIC) : _SUM_END]:
            raise damaged
    length = int.from_bytes(data[_SUM_END:_HEADER_AT], "big")
    start = _HEADER_AT + length
    if length > _LONGEST_HEADER or start > len(data):
        raise damaged
    try:
        header = msgspec.json.decode(data[_HEADER_AT:start], type=Header)
    except msgspec.DecodeError:
        raise damaged from None
    if start + header.aliases * RECORD != len(data):
        raise damaged
    return header, start
