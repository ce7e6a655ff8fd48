"""Small claims, observations and drafts to hand to a store."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import TypeVar

from detectors.alerts import Alert, AlertSubject, encode
from detectors.events import LoginEvent, milliseconds
from detectors.rule import SEVERITIES
from detectors.windows import (
    AlertDraft,
    Claim,
    Kind,
    Observed,
    Reading,
    Settlement,
    Subject,
    WindowStore,
)
from tests.builders import IP, START
from tests.detectors.logs import entry

from .keepers import Keeper

T = TypeVar("T")
WEB = Subject("web", "ip", IP)
NOW_MS = milliseconds(START)
FIRST_LOOK: dict[Kind, int] = {"ip": 4, "account": 4, "logins": 1000}
ALWAYS = 1 << 62


def run(keeper: Keeper, scenario: Callable[..., Awaitable[T]], workers: int = 1) -> T:
    """What a scenario returns that gets a store for each worker."""

    async def opened() -> T:
        async with keeper.open(workers) as stores:
            return await scenario(*stores)

    return asyncio.run(opened())


def claim(offset: int, *, name: bytes = b"identity", content: int = 1, at: int = NOW_MS) -> Claim:
    """A claim of the record at `offset`, appended at `at` (ms)."""
    return Claim(name, content, 0, offset, at)


def adding(events: Iterable[LoginEvent] = (), *, subject: Subject = WEB) -> Observed:
    """What a batch adds to one subject."""
    entries = [entry(event) for event in events]
    return Observed({subject: entries} if entries else {})


def draft(size: int, *, rank: int = 1, final: bool = False, name: str = "alert") -> AlertDraft:
    """A draft of an alert with `size` failures."""
    return AlertDraft(name, size, rank, final, lambda: encode(alert(size, rank=rank, name=name)))


def alert(size: int, *, rank: int = 1, name: str = "alert") -> Alert:
    """A small alert; its summary tells one making from another."""
    return Alert(
        alert_id=name,
        revision=size,
        system="web",
        rule="rule",
        rule_version="1-0000",
        severity=SEVERITIES[rank],
        opened_at="2026-11-23T06:00:00Z",
        updated_at="2026-11-23T06:00:00Z",
        subject=AlertSubject("ip", IP),
        counts={"failures": size},
        window_s=1,
        threshold=1,
        accounts=[],
        ips=[],
        event_ids=[],
        attack_ids=[],
        checklist_item="14",
        summary="",
    )


def settling(
    reading: Reading,
    *drafts: AlertDraft,
    room: int = 1000,
    compacted: bytes | None = None,
    at_ms: int = NOW_MS,
    subject: Subject = WEB,
    pending: bool = False,
    partial: bool = False,
) -> list[Settlement]:
    """What a judgement of `reading` leaves; flagged if it found something."""
    return [
        Settlement(
            subject=subject,
            seen=reading.seen,
            generation=reading.generation,
            room=room,
            flagged=bool(drafts),
            compacted=compacted,
            drafts=drafts,
            at_ms=at_ms,
            pending=pending,
            partial=partial,
        )
    ]


async def reading_of(store: WindowStore, subject: Subject = WEB) -> Reading:
    """The log as it stands."""
    return (await store.read([subject]))[subject]


async def waiting(store: WindowStore, keeper: Keeper, before_ms: int = ALWAYS) -> list[Subject]:
    """All unsettled subjects."""
    return await store.unsettled(range(keeper.shards), before_ms, 1000)
