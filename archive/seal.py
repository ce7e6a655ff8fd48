r"""A seal: what a segment holds, the hash of its file and of the seal before it, signed.

A seal file has two lines: the body (canonical JSON, keys sorted) and its Ed25519 signature in
base64. The body's SHA-256 is the link of the chain:

    head -1 FILE | tr -d '\n' | sha256sum
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Iterable
from typing import Literal

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from .errors import ArchiveError
from .keys import ArchiveKeys

NO_SEAL = "0" * 64
"""What the first seal of a partition names as the one before it."""

LARGEST = 32 * 1024 * 1024
"""Bytes of a seal file at most; 100,000 records, every second one rejected, need 2 MB."""

Range = tuple[int, int]
"""First and last offset, both inside."""


class DataFile(msgspec.Struct, frozen=True, kw_only=True):
    """The Parquet file of a segment: its name, its size in bytes and its SHA-256 in hex."""

    name: str
    size: int
    sha256: str


class Seal(msgspec.Struct, frozen=True, kw_only=True):
    """One segment. Every offset from `first` to `last` is a row, or in one of the three lists.

    `rejected` did not decode (their bytes stand in `logins.rejected`); `absent` were not in Kafka
    though later ones were (compaction, transaction marks); `expired` were deleted by Kafka's
    retention before they could be archived. `from_ms`/`to_ms` are Kafka's timestamps of the rows,
    `occurred_from_us`/`occurred_to_us` the events' own (logins alone), since 1970 UTC.
    """

    format: Literal["loginward-seal/1"] = "loginward-seal/1"
    schema: str
    topic: str
    topic_id: str
    partition: int
    sequence: int
    first: int
    last: int
    rows: int
    rejected: tuple[Range, ...] = ()
    absent: tuple[Range, ...] = ()
    expired: tuple[Range, ...] = ()
    file: DataFile | None
    data_key_sha256: str | None = None
    pseudonym_key: str | None = None
    last_digest: str
    from_ms: int | None
    to_ms: int | None
    occurred_from_us: int | None = None
    occurred_to_us: int | None = None
    previous: str
    sealed_at: str
    key_id: str


class SignedSeal(msgspec.Struct, frozen=True, kw_only=True):
    """A seal as it stands in its file."""

    seal: Seal
    body: bytes
    signature: bytes

    @property
    def sha256(self) -> str:
        """The link of the chain, in hex: what the next seal names as `previous`, and a head."""
        return hashlib.sha256(self.body).hexdigest()


def sign(seal: Seal, keys: ArchiveKeys) -> SignedSeal:
    """`seal` with its body and signature."""
    body = msgspec.json.encode(seal, order="sorted")
    return SignedSeal(seal=seal, body=body, signature=keys.sign(body))


def encode(signed: SignedSeal) -> bytes:
    """The bytes of a seal file."""
    return signed.body + b"\n" + base64.b64encode(signed.signature) + b"\n"


def decode(data: bytes) -> SignedSeal:
    """A seal file's bytes, parsed but not yet verified. Raises ArchiveError where it is none."""
    if len(data) > LARGEST:
        raise ArchiveError(f"{len(data)} bytes; a seal has at most {LARGEST}")
    body, _, rest = data.partition(b"\n")
    line, end, beyond = rest.partition(b"\n")
    if not end or beyond:
        raise ArchiveError("not two lines (body, signature)")
    try:
        signature = base64.b64decode(line, validate=True)
        if base64.b64encode(signature) != line:
            raise ArchiveError("its signature is not written as base64 writes it")
        return SignedSeal(seal=msgspec.json.decode(body, type=Seal), body=body, signature=signature)
    except (msgspec.DecodeError, binascii.Error, UnicodeDecodeError) as failure:
        raise ArchiveError(f"not a seal: {failure}") from None


def is_signed_by(signed: SignedSeal, key: Ed25519PublicKey) -> bool:
    """Whether the signature is `key`'s over exactly these bytes."""
    try:
        key.verify(signed.signature, signed.body)
    except InvalidSignature:
        return False
    return True


def ranges(offsets: Iterable[int]) -> tuple[Range, ...]:
    """Ascending offsets as ranges, neighbours joined."""
    found: list[Range] = []
    for offset in offsets:
        if found and offset == found[-1][1] + 1:
            found[-1] = (found[-1][0], offset)
        else:
            found.append((offset, offset))
    return tuple(found)


def span(parts: Iterable[Range]) -> int:
    """How many offsets the ranges hold."""
    return sum(last - first + 1 for first, last in parts)
