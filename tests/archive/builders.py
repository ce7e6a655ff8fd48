"""Fake records, keys and stores for the archive's tests."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from archive import keys
from archive.layout import PartitionId
from archive.partition import PartitionArchive, Store
from archive.records import Record
from detectors.pseudonyms import Pseudonyms

PART = PartitionId(topic="logins", topic_id="AAAAAAAAAAAAAAAAAAAAAA", partition=0)
ALERTS = PartitionId(topic="alerts", topic_id="BBBBBBBBBBBBBBBBBBBBBB", partition=1)
REJECTED = PartitionId(topic="logins.rejected", topic_id="CCCCCCCCCCCCCCCCCCCCCC", partition=0)
PSEUDONYMS = Pseudonyms(bytes(range(32)))
AT = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
SECONDS = 1_795_348_800
"""2026-11-22T12:00:00Z."""


def login(number: int, **fields: Any) -> bytes:
    """A login record's bytes; `number` chooses account, address and time."""
    spread = random.Random(number)
    event: dict[str, Any] = {
        "schema": 1,
        "event_id": f"e{number}",
        "occurred_at": f"2026-11-22T12:{number // 60 % 60:02d}:{number % 60:02d}Z",
        "system": "web",
        "account": f"A{spread.randrange(40):09d}",
        "ip": f"203.0.113.{spread.randrange(256)}",
        "outcome": spread.choice(["success", "failure"]),
    }
    return msgspec.json.encode(event | fields)


def record(offset: int, value: bytes | None, **more: Any) -> Record:
    """A record as Kafka would give it, a millisecond after the one before."""
    return Record(offset=offset, timestamp=SECONDS * 1000 + offset, value=value, **more)


def logins(first: int, count: int) -> list[Record]:
    """Records of `count` logins at consecutive offsets."""
    return [record(offset, login(offset)) for offset in range(first, first + count)]


def store(folder: Path) -> Store:
    """A store in `folder` with a key of its own (made on first use)."""
    root = folder / "archive"
    root.mkdir(mode=0o700, exist_ok=True)
    return Store(
        root=root,
        keys=keys.ensure_keys(folder / "keys" / "archive.pem", root),
        pseudonyms=PSEUDONYMS,
    )


def open_part(
    where: Store, part: PartitionId = PART, *, log_start: int = 0, log_end: int = 2**62
) -> PartitionArchive:
    """Take over a partition as the archiver would."""
    return PartitionArchive.take_over(where, part, log_start=log_start, log_end=log_end)


def seal(where: Store, records: Sequence[Record], part: PartitionId = PART) -> None:
    """Seal `records` as one segment at the end of the partition's chain."""
    shelf = open_part(where, part, log_start=records[0].offset)
    shelf.add(records, 0.0)
    shelf.seal(AT)
