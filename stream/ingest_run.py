"""One run of `ingest` put together: settings, key, topics, producer, inputs, signals."""

from __future__ import annotations

import asyncio
import hashlib
import signal
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import structlog

from config.kafka import ensure_topics, topic_name
from config.settings import Settings

from .ingest import Ingest, Reporting
from .ingest_records import Addressing, Freshness
from .inputs import STDIN, Reading, opened, reading
from .keys import load_pseudonyms
from .sending import Sender
from .sources.follow import Follower
from .sources.positions import load_position, only_one, save_position
from .sources.reading import Counts, Refused

PATIENCE = timedelta(minutes=2)
"""How long a file's delivery may stand still: an election takes seconds, a restart a minute."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What the command line asked for."""

    files: Sequence[str]
    source: str
    system: str | None
    year: int | None
    timezone: str
    follow: bool
    backfill: bool
    position: Path | None


@dataclass(slots=True, kw_only=True)
class Outcome:
    """What came of it; `problems` are sentences about inputs as a whole."""

    source: str
    system: str
    counts: Counts = field(default_factory=Counts)
    gaps: int = 0
    problems: list[str] = field(default_factory=list)


def run(
    settings: Settings,
    wish: Wish,
    advance: Callable[[int], None],
    refuse: Callable[[str, str, Refused], None],
) -> Outcome:
    """Do what was asked. Raises LoginwardError or OSError where it cannot be done."""
    pseudonyms = load_pseudonyms(settings)
    how = reading(wish.source, wish.system, wish.year, wish.timezone, pseudonyms)
    for name in wish.files:
        if name != STDIN and not (wish.follow and not Path(name).exists()):
            with opened(name):
                pass  # all or nothing: a misspelt name must not leave half an import
    ensure_topics(settings.kafka)
    to = Addressing(
        logins=topic_name(settings.kafka, "logins"),
        rejected=topic_name(settings.kafka, "logins.rejected"),
        source=how.source,
        system=how.system,
        backfill=wish.backfill,
        pseudonyms=pseudonyms,
    )
    outcome = Outcome(source=how.source, system=how.system)
    reporting = Reporting(advance=advance, refuse=refuse)
    asyncio.run(_ingest(settings, wish, how, to, reporting, outcome))
    return outcome


async def _ingest(
    settings: Settings,
    wish: Wish,
    how: Reading,
    to: Addressing,
    reporting: Reporting,
    outcome: Outcome,
) -> None:
    sender = Sender(settings.kafka)
    ingest = Ingest(how, to, sender.deliver, partial(datetime.now, UTC), reporting)
    try:
        if wish.follow:
            await _follow(settings, wish, ingest, outcome)
        else:
            for name in wish.files:
                await _whole(ingest, name, outcome)
    finally:
        await sender.close()


async def _whole(ingest: Ingest, name: str, outcome: Outcome) -> None:
    freshness: Freshness = "unsure" if name == STDIN else "import"
    with opened(name) as given:
        counts, damage = await ingest.whole(given, freshness, PATIENCE)
    outcome.counts.add(counts)
    if damage is not None:
        outcome.problems.append(str(damage))
    if not counts.fits:
        outcome.problems.append(
            f"{given.name}: none of {counts.lines} lines fits the source {outcome.source}; "
            "name another --source"
        )


async def _follow(settings: Settings, wish: Wish, ingest: Ingest, outcome: Outcome) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    places = [
        (path, wish.position or position_file(settings, outcome.system, path))
        for path in _absolute(wish.files)
    ]
    try:
        async with asyncio.TaskGroup() as group:
            for path, file in places:
                group.create_task(_one(ingest, path, file, stop, outcome))
    except ExceptionGroup as several:
        raise several.exceptions[0] from None  # one sentence for the user; the first says it


def _absolute(files: Sequence[str]) -> list[Path]:
    return [Path(name).absolute() for name in files]


async def _one(
    ingest: Ingest, path: Path, file: Path, stop: asyncio.Event, outcome: Outcome
) -> None:
    def report(what: str) -> None:
        log.warning("gap in a followed log", log=str(path), what=what)

    with only_one(file):
        follower = Follower(
            path, load_position(file, path), monotonic=time.monotonic, report=report
        )
        try:
            counts = await ingest.follow(
                follower, partial(save_position, file), stop, time.monotonic
            )
        finally:
            follower.close()
    outcome.counts.add(counts)
    outcome.gaps += follower.gaps


def position_file(settings: Settings, system: str, path: Path) -> Path:
    """Where it is kept how far the log `path` of `system` has been delivered."""
    name = hashlib.sha256(f"{system}\0{path}".encode("utf-8", "surrogateescape")).hexdigest()[:16]
    return settings.data_dir / "positions" / f"{name}.json"
