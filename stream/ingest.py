"""Lines of files, pipes and followed logs to Kafka, each delivery awaited before it is counted."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

from config.failpoints import hit
from detectors.errors import LoginwardError

from .ingest_records import Addressing, Freshness, received
from .inputs import Input, Reading
from .line_queue import LineQueue
from .sending import Outgoing
from .sources.attempts import HOLD
from .sources.base import Found, Line, Source
from .sources.follow import Follower
from .sources.lines import DamagedInputError, numbered
from .sources.positions import Position
from .sources.reading import Counts, Refused, flush_counted, read_counted

BATCH_LINES = 2000
"""Lines read, sent and confirmed together: some 500 KiB of records."""

POLL_S = 0.25
"""How often a followed log is looked at when it is quiet: far below any window of a detection."""

SAVE_EVERY_S = 1.0
"""A position is synced to disk; after kill -9 this much is sent twice, with the same ids."""

GRACE_S = 10.0
"""How long a running delivery is awaited after the order to stop."""

Deliver = Callable[[Sequence[Outgoing]], Awaitable[None]]
Place = Callable[[int], tuple[str, str]]
"""Name of the file and number of the line (or `@` and its byte) for a place."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reporting:
    """Who is told: of lines read, and of lines refused (file, line, refusal)."""

    advance: Callable[[int], None]
    refuse: Callable[[str, str, Refused], None]


class Ingest:
    """One source on its way to `logins`; `now`: the wall clock, `deliver`: returns if confirmed."""

    def __init__(
        self,
        how: Reading,
        to: Addressing,
        deliver: Deliver,
        now: Callable[[], datetime],
        reporting: Reporting,
    ) -> None:
        self._how = how
        self._to = to
        self._deliver = deliver
        self._now = now
        self._reporting = reporting

    async def whole(
        self, given: Input, freshness: Freshness, patience: timedelta
    ) -> tuple[Counts, DamagedInputError | None]:
        """Send an input to its end; damage of a compressed one is returned, the rest is sent.

        Raises LoginwardError where the brokers confirm nothing for `patience`.
        """
        counts = Counts()
        source = self._how.new_source(given.changed)
        lines = LineQueue(numbered(given.stream, given.name), BATCH_LINES)

        def place(at: int) -> tuple[str, str]:
            return given.name, str(at)

        while batch := await lines.batch():
            records = self._records(source, batch, counts, place, lambda _: freshness)
            await self._patiently(records, patience, f"{given.name}: up to line {batch[-1].at}")
        held = flush_counted(source, counts, cut_off=True)
        await self._patiently(
            [self._event(found, freshness) for found in held], patience, f"{given.name}: its end"
        )
        damage = lines.failure
        if damage is not None and not isinstance(damage, DamagedInputError):
            raise damage
        return counts, damage

    async def follow(
        self,
        follower: Follower,
        save: Callable[[Position], None],
        stop: asyncio.Event,
        monotonic: Callable[[], float],
    ) -> Counts:
        """Send what is written to a log until `stop` is set; `save` keeps what was confirmed."""
        counts = Counts()
        source = self._how.new_source(self._now)
        read_at = saved_at = monotonic()
        unsaved = False
        while not stop.is_set():
            if follower.begin():
                _save(follower, source, save)  # before a rotation can hide what is read now
            lines = follower.read(BATCH_LINES)
            records = self._warmed(source, lines, counts, follower)
            now = monotonic()
            if lines:
                read_at, unsaved = now, True
            elif now - read_at >= HOLD.total_seconds():
                # The log is silent for longer than sshd waits: nothing held will be decided.
                held = flush_counted(source, counts, cut_off=False)
                records = [self._event(found, "live") for found in held]
                unsaved = unsaved or bool(held)
            if records:
                hit("ingest.before_deliver")
                if not await _unless_stopped(self._deliver(records), stop):
                    return counts  # unconfirmed, so the position stays where it was
                hit("ingest.after_deliver")
            if unsaved and now - saved_at >= SAVE_EVERY_S:
                _save(follower, source, save)
                saved_at, unsaved = now, False
            if not lines:
                await _pause(stop)
        _save(follower, source, save)
        return counts

    def _warmed(
        self, source: Source, lines: Sequence[Line], counts: Counts, follower: Follower
    ) -> list[Outgoing]:
        """Records of the lines that are not delivered yet; older ones are read for their sense."""
        known = [line for line in lines if line.at < follower.delivered_before]
        for line in known:
            read_counted(source, line, Counts())

        def place(at: int) -> tuple[str, str]:
            name, byte = follower.place(at)
            return name, f"@{byte}"

        def freshness(at: int) -> Freshness:
            return "unsure" if follower.was_there(at) else "live"

        return self._records(source, lines[len(known) :], counts, place, freshness)

    def _records(
        self,
        source: Source,
        lines: Sequence[Line],
        counts: Counts,
        place: Place,
        freshness: Callable[[int], Freshness],
    ) -> list[Outgoing]:
        self._reporting.advance(len(lines))
        records: list[Outgoing] = []
        for line in lines:
            got = read_counted(source, line, counts)
            if isinstance(got, Refused):
                name, number = place(got.at)
                self._reporting.refuse(name, number, got)
                records.append(self._to.reject(got, name, number))
            else:
                records += [self._event(found, freshness(found.at)) for found in got.found]
        return records

    def _event(self, found: Found, freshness: Freshness) -> Outgoing:
        freshness = "import" if self._to.backfill else freshness
        return self._to.event(received(found, self._now(), freshness))

    async def _patiently(
        self, records: Sequence[Outgoing], patience: timedelta, where: str
    ) -> None:
        hit("ingest.before_deliver")
        try:
            async with asyncio.timeout(patience.total_seconds()):
                await self._deliver(records)
        except TimeoutError:
            raise LoginwardError(
                f"{where}: not confirmed by Kafka for {patience}; see `loginward doctor`, then run "
                "the same command again: events that were sent keep their ids"
            ) from None


def _save(follower: Follower, source: Source, save: Callable[[Position], None]) -> None:
    position = follower.position(source.needs_from())
    if position is not None:
        hit("ingest.before_position")
        save(position)
        hit("ingest.after_position")


async def _unless_stopped(delivery: Awaitable[None], stop: asyncio.Event) -> bool:
    """Whether the delivery was confirmed; after `stop` it gets `GRACE_S` more."""
    sending = asyncio.ensure_future(delivery)
    stopping = asyncio.ensure_future(stop.wait())
    try:
        await asyncio.wait({sending, stopping}, return_when=asyncio.FIRST_COMPLETED)
        if not sending.done():
            await asyncio.wait({sending}, timeout=GRACE_S)
    finally:
        stopping.cancel()
    if sending.done():
        sending.result()
        return True
    sending.cancel()
    return False


async def _pause(stop: asyncio.Event) -> None:
    with suppress(TimeoutError):
        await asyncio.wait_for(stop.wait(), POLL_S)
