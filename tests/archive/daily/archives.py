"""Small archives of whole days: logins, what the engine made of them, and what was told."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from archive.daily.count import Asked, count_day
from archive.daily.known import Known
from archive.daily.record import DayRecord
from archive.daily.span import DaySpan
from archive.layout import PartitionId
from archive.partition import Store
from archive.records import Record
from config.systems import Register, load_systems
from config.trading_days import load_trading_days
from detectors import alerts, wire
from detectors.engine import Arrival, Engine, Tally
from detectors.events import LoginEvent, milliseconds
from detectors.memory import MemoryStore
from stream.judged import Judged, hours
from tests.archive.builders import PART, REJECTED, seal, store
from tests.builders import engine, final, finish

TAIPEI = ZoneInfo("Asia/Taipei")
MONDAY = date(2026, 11, 23)
"""A trading day."""

JUDGED = PartitionId(topic="judged", topic_id="DDDDDDDDDDDDDDDDDDDDDD", partition=0)
ALERTS = PartitionId(topic="alerts", topic_id="EEEEEEEEEEEEEEEEEEEEEE", partition=0)
NOTICES = PartitionId(topic="notices", topic_id="FFFFFFFFFFFFFFFFFFFFFF", partition=0)
ANSWERS = PartitionId(topic="confirmations", topic_id="GGGGGGGGGGGGGGGGGGGGGG", partition=0)

VERSIONS = {"code": "0.1.0", "ip_fail_burst": "1-abcd"}


def at(day: date, clock: str) -> datetime:
    """A local time of day in Taipei."""
    return datetime.fromisoformat(f"{day.isoformat()}T{clock}").replace(tzinfo=TAIPEI)


def attempt(when: datetime, name: str, **fields: Any) -> LoginEvent:
    """A failed login on trading-web, as it comes off the wire; `fields` win."""
    said: dict[str, Any] = {
        "schema": 1,
        "event_id": name,
        "occurred_at": when,
        "system": "trading-web",
        "account": "A000000001",
        "ip": "192.0.2.7",
        "outcome": "failure",
    }
    return wire.decode(wire.encode(LoginEvent(**said | fields)))


def appended(event: LoginEvent) -> int:
    """When Kafka took it: a second after it happened (ms)."""
    return milliseconds(event.judged_at) + 1000


class Shelf:
    """An archive being filled: each call seals one more segment."""

    def __init__(self, home: Path, judge: Engine | None = None) -> None:
        self.store: Store = store(home)
        self._engine = engine() if judge is None else judge
        self._memory = MemoryStore()
        self._next: dict[PartitionId, int] = {}

    def logins(
        self, events: Sequence[LoginEvent | bytes], *, versions: dict[str, str] | None = None
    ) -> None:
        """One batch: logins sealed, judged by the engine, its record of `judged` sealed."""
        first = self._next.get(PART, 0)
        arrivals, refused, records, stamp = [], 0, [], 0
        for offset, event in enumerate(events, start=first):
            if isinstance(event, bytes):
                refused += 1
                records.append(Record(offset=offset, timestamp=stamp, value=event))
                continue
            stamp = appended(event)
            arrivals.append(Arrival(event, 0, offset, stamp))
            records.append(Record(offset=offset, timestamp=stamp, value=wire.encode(event)))
        tally = asyncio.run(self._engine.handle(arrivals, self._memory))
        self._next[PART] = first + len(records)
        seal(self.store, records)
        self._conflicts(tally, stamp)
        self.put(
            JUDGED, [(stamp, None, self._judged(first, len(records), tally, refused, versions))]
        )

    def _judged(
        self, first: int, read: int, tally: Tally, refused: int, versions: dict[str, str] | None
    ) -> bytes:
        conflicts = len(tally.conflicts)
        reasons = {"id_conflict": conflicts, "not_json": refused}
        record = Judged(
            schema=1,
            topic="logins",
            topic_id=PART.topic_id,
            partition=0,
            first_offset=first,
            next_offset=first + read,
            read=read,
            judged=tally.judged.total(),
            duplicates=tally.duplicates.total(),
            rejected=conflicts + refused,
            reasons={why: n for why, n in reasons.items() if n},  # type: ignore[misc]  # both are
            hours=hours(tally),
            versions=VERSIONS if versions is None else versions,
        )
        return msgspec.json.encode(record)

    def _conflicts(self, tally: Tally, stamp: int) -> None:
        records = []
        for _, arrival, why in tally.conflicts:
            place = {
                "reason": why.reason,
                "topic_id": PART.topic_id,
                "partition": "0",
                "offset": str(arrival.offset),
            }
            headers = tuple((name, value.encode()) for name, value in place.items())
            records.append((stamp, headers, b"{}"))
        if records:
            self.put(REJECTED, records)

    def put(self, part: PartitionId, values: Sequence[tuple[int, Any, bytes | None]]) -> None:
        """Seal records (Kafka's time in ms, headers, value) behind those of `part`."""
        first = self._next.get(part, 0)
        records = [
            Record(offset=first + n, timestamp=stamp, headers=headers or (), value=value)
            for n, (stamp, headers, value) in enumerate(values)
        ]
        self._next[part] = first + len(records)
        seal(self.store, records, part)

    def alerts(self, clock: datetime) -> list[alerts.Alert]:
        """Let open alerts close, and seal them all."""
        asyncio.run(finish(self._engine, self._memory, milliseconds(clock)))
        told = final(self._memory)
        stamp = milliseconds(clock)
        if told:
            self.put(ALERTS, [(stamp, None, alerts.encode(alert)) for alert in told])
        return told


def asked(where: Store, day: date = MONDAY, **more: Any) -> Asked:
    """The day of an archive, with the register and calendar that come along."""
    said: dict[str, Any] = {
        "root": where.root,
        "span": DaySpan(day, TAIPEI),
        "tz": "Asia/Taipei",
        "register": load_systems(),
        "calendar": load_trading_days(),
        "known": Known(),
        "keys": where.keys,
    }
    return Asked(**said | more)


def counted(where: Store, day: date = MONDAY, **more: Any) -> DayRecord:
    """The record of a day of an archive."""
    return count_day(asked(where, day, **more))


def nobody() -> Register:
    """A register without systems."""
    return Register(())


def steady(day: date, *, count: int = 20, system: str = "trading-web") -> list[LoginEvent]:
    """`count` quiet logins over a day, every fourth a mistake, each from a place of its own."""
    begin = at(day, "00:00:30")
    gap = timedelta(hours=24) / count
    return [
        attempt(
            begin + n * gap,
            f"{system}-{day}-{n}",
            system=system,
            account=f"A{n:09d}",
            ip=f"198.51.100.{n % 250}",
            outcome="failure" if n % 4 == 0 else "success",
            origin={"country": "TW", "asn": 64500},
        )
        for n in range(count)
    ]


def in_order(*groups: Sequence[LoginEvent]) -> list[LoginEvent]:
    """Events of several groups as they happened."""
    return sorted((event for group in groups for event in group), key=lambda e: e.judged_at)


def month(shelf: Shelf, day: date = MONDAY, *, days: int = 12, **more: Any) -> None:
    """Quiet days before `day`."""
    for back in range(days, 0, -1):
        shelf.logins(steady(day - timedelta(days=back), **more))
