"""Logins of the past from addresses that somebody asks about, segment by segment."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from hashlib import blake2b
from pathlib import Path
from typing import Any, Final, NamedTuple

import duckdb

from detectors.daily import CANARY
from detectors.events import LoginEvent, milliseconds

from . import times
from .daily.files import LoginFile, login_files
from .database import database_of
from .errors import ArchiveError

_AT_ONCE: Final = 10_000
MOST_REMEMBERED: Final = 1_000_000
"""Identities by which a redelivered login is known again: about 100 MB. Beyond that it may count
twice, and the answer says "at least".
"""


class Hit(NamedTuple):
    """A login, by the time that the rules use; `sure` is False where it may have counted before."""

    at_ms: int
    address: str
    success: bool
    sure: bool


def hunted(
    root: Path,
    wanted: Callable[[str], bool],
    *,
    since: datetime,
    until: datetime,
    progress: Callable[[int, int], object] = lambda _done, _all: None,
) -> Iterator[Hit]:
    """Logins of [since, until) from addresses that are `wanted`, each once, in no order.

    One segment is in memory at a time. `progress` is told how many segments are done, of how many.
    Raises ArchiveError where a sealed file is gone or damaged.
    """
    span = range(milliseconds(since), milliseconds(until))
    seen: set[bytes] = set()
    files = login_files(root, times.microseconds(since), times.microseconds(until))
    for number, file in enumerate(files, start=1):
        for row in _rows(file, wanted):
            at_ms = _at_ms(row)
            identity = blake2b(repr(row[:2]).encode(), digest_size=8).digest()
            if at_ms not in span or identity in seen:
                continue
            sure = len(seen) < MOST_REMEMBERED
            if sure:
                seen.add(identity)
            yield Hit(at_ms, row[2], row[3] == "success", sure)
        progress(number, len(files))


Row = tuple[str, str, str, str, int, int | None]


def _rows(file: LoginFile, wanted: Callable[[str], bool]) -> Iterator[Row]:
    """Emitter, event id, address, outcome, occurred_at and received_at (microseconds)."""
    try:
        with database_of([file.path]) as database:
            addresses = [ip for (ip,) in database.execute(_ADDRESSES, [[file.path]]).fetchall()]
            asked = [ip for ip in addresses if wanted(ip)]
            if not asked:
                return
            cursor = database.execute(_LOGINS, [[file.path], asked, CANARY])
            while rows := cursor.fetchmany(_AT_ONCE):
                yield from rows
    except duckdb.Error as failure:
        why = str(failure).splitlines()[0]
        raise ArchiveError(f"{file.path}: {why}; run `loginward archive verify`") from None


_FROM: Final = "FROM read_parquet(?, hive_partitioning = false) WHERE ip IS NOT NULL"
_ADDRESSES: Final = f"SELECT DISTINCT ip {_FROM}"
_LOGINS: Final = (
    "SELECT coalesce(source, system), event_id, ip, outcome, epoch_us(occurred_at), "
    f"epoch_us(received_at) {_FROM} "
    "AND ip IN (SELECT unnest(?::VARCHAR[])) AND system <> ?"
)


def _at_ms(row: Row) -> int:
    """The time by which detection judged it, a wrong clock of the emitter put right."""
    received: Any = None if row[5] is None else times.instant(row[5])
    event = LoginEvent(
        schema=1,
        event_id=row[1],
        occurred_at=times.instant(row[4]),
        received_at=received,
        system=row[0],
        account=None,
        ip=row[2],
        outcome="failure",
    )
    return milliseconds(event.judged_at)
