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


def encode(head: Head) -> bytes:
    """One line of the list, without its end."""
    return msgspec.json.encode(head)


def decode(line: bytes) -> Head | None:
    """The head in a line; None where it is none."""
    try:
        return msgspec.json.decode(line, type=Head)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None


def append(root: Path, signed: SignedSeal) -> None:
    """Add the head of a new seal to the archive's list."""
    append_line(root / HEADS, encode(head_of(signed)))


def lines(path: Path) -> Iterator[tuple[int, bytes]]:
    """The lines of a list of heads with their numbers, without their ends; empty ones left out."""
    with path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            if line.strip():
                yield number, line.removesuffix(b"\n")
