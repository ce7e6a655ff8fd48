"""Where everything of the archive lies: one folder a partition, names that say which offsets."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

HEADS = "heads.jsonl"
SEAL_SUFFIX = ".seal"
TEMPORARY = ".tmp-"

# Twenty digits hold every offset Kafka can give (a signed 64-bit number), so names sort by offset.
_SEAL = re.compile(r"(?P<first>\d{20})\.seal", re.ASCII)
_DATA = re.compile(
    r"(?P<first>\d{20})-(?P<last>\d{20})\.(?P<tag>[0-9a-f]{16})\.(?:parquet|key)", re.ASCII
)
_TOPIC_ID = re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class PartitionId:
    """One partition of one topic as it was made once; with an offset, the identity of a record.

    `topic` is our name of it (without `kafka.topic_prefix`); `topic_id` is Kafka's own id, which
    changes when a topic is deleted and made anew, so that equal offsets never mean two records.
    """

    topic: str
    topic_id: str
    partition: int

    def folder(self, root: Path) -> Path:
        """`<root>/<topic>/<topic id>/<partition>`."""
        return root / self.topic / self.topic_id / str(self.partition)

    def __str__(self) -> str:
        return f"{self.topic}/{self.topic_id}/{self.partition}"


def seal_name(first: int) -> str:
    """The seal of the segment that begins at `first`; there can be only one, so it commits."""
    return f"{first:020d}{SEAL_SUFFIX}"


def data_stem(first: int, last: int, sha256: str) -> str:
    """Name of a segment's files before the suffix; two writers of one range never share it."""
    return f"{first:020d}-{last:020d}.{sha256[:16]}"


def first_of_seal(name: str) -> int | None:
    """The offset a seal's name begins at; None where the name is no seal's."""
    match = _SEAL.fullmatch(name)
    return int(match["first"]) if match else None


def range_of_data(name: str) -> tuple[int, int] | None:
    """First and last offset in a Parquet or key file's name; None where it is another name."""
    match = _DATA.fullmatch(name)
    return (int(match["first"]), int(match["last"])) if match else None


def seals(folder: Path) -> list[int]:
    """First offsets of all seals in a partition's folder, ascending; empty where there is none."""
    if not folder.is_dir():
        return []
    found = (first_of_seal(entry.name) for entry in folder.iterdir())
    return sorted(first for first in found if first is not None)


def partitions(root: Path) -> Iterator[PartitionId]:
    """Every partition the archive has a folder for, sorted by topic, topic id and number."""
    found = []
    for folder in root.glob("*/*/*"):
        topic, topic_id, number = folder.parts[-3:]
        if (
            folder.is_dir()
            and number.isascii()
            and number.isdigit()
            and _TOPIC_ID.fullmatch(topic_id)
        ):
            found.append(PartitionId(topic=topic, topic_id=topic_id, partition=int(number)))
    yield from sorted(found)
