"""What `archive verify` finds: where, what is wrong, what was expected, what is there."""

from __future__ import annotations

from typing import Literal

import msgspec

What = Literal[
    "missing_segment",  # offsets between two seals, or before the first, that no seal accounts for
    "overlap",  # a seal begins before the one before it ends
    "order",  # place in the chain: sequence, or the name of the seal before
    "misplaced",  # a seal's content belongs to another name or folder
    "bad_seal",  # not a seal at all
    "signature",  # not signed by a key we were given, or altered after signing
    "accounting",  # rows and lists do not add up to the range
    "missing_file",
    "altered_file",
    "wrong_rows",  # rows, identities or times in the file are not the seal's
    "key_file",  # accounts of the segment cannot be decrypted
    "truncated",  # a head that was kept names a seal that is not there
    "bad_head",
    "permissions",
    "unknown_file",
]
"""Closed set, in the order of how much it should worry."""


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that is not as it was sealed; `path` is relative to the archive."""

    path: str
    what: What
    expected: str
    found: str

    def __str__(self) -> str:
        return f"{self.path}: {self.what}: expected {self.expected}, found {self.found}"


class Report(msgspec.Struct, kw_only=True):
    """What was looked at, and what was wrong.

    `rejected`, `absent` and `expired` are offsets that seals name as not kept (see `Seal`): no
    findings, but `expired` is a loss that happened before sealing. `leftovers` are files of writers
    that were killed; the archiver removes them.
    """

    partitions: int = 0
    segments: int = 0
    records: int = 0
    rejected: int = 0
    absent: int = 0
    expired: int = 0
    file_bytes: int = 0
    heads: int = 0
    leftovers: int = 0
    accounts_checked: bool = False
    findings: list[Finding] = []
