"""The heads of all chains, a line a seal: a copy of it elsewhere shows a truncated tail."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec

from .durable import append_line
from .layout import HEADS
from .seal import SignedSeal


class Head(msgspec.Struct, frozen=True, kw_only=True):
    """The newest seal of a partition when the line was written; `sha256` is the seal's."""

    topic: str
    topic_id: str
    partition: int
    first: int
    last: int
    sha256: str
    sealed_at: str


def head_of(signed: SignedSeal) -> Head:
    """The head that a seal makes."""
    seal = signed.seal
    return Head(
        topic=seal.topic,
        topic_id=seal.topic_id,
        partition=seal.partition,
        first=seal.first,
        last=seal.last,
        sha256=signed.sha256,
        sealed_at=seal.sealed_at,
    )


def append(root: Path, signed: SignedSeal) -> None:
    """Add the head of a new seal to the archive's list."""
    append_line(root / HEADS, msgspec.json.encode(head_of(signed)))


def read(path: Path) -> Iterator[tuple[int, Head | None]]:
    """The heads of a file with their line numbers; None for a line that is no head.

    A last line without an end was cut by a power loss and is passed over.
    """
    with path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            if not line.endswith(b"\n"):
                return
            try:
                yield number, msgspec.json.decode(line, type=Head)
            except (msgspec.DecodeError, UnicodeDecodeError):
                yield number, None
