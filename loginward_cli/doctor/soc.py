"""Whether alerts leave for the SOC: outputs, what they were not given, who is on duty."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime

from config.durations import written
from config.roster import Roster
from config.settings import Settings
from detectors.errors import LoginwardError
from notifier.soc import build, desk
from notifier.soc.service import wanted
from notifier.soc.store import open_store

from .check import Check, Visit, finding, note, ok

_READ_BY_OTHERS = 0o077


def soc(visit: Visit) -> Iterator[Check]:
    """Outputs and roster, where any is configured."""
    settings = visit.settings
    if not wanted(settings):
        yield note(
            "outputs",
            "alerts leave for no system and wake nobody; set outputs.webhook_url, "
            "outputs.syslog_address or roster.file (docs/outputs.md)",
        )
        return
    yield from _outputs(visit)
    yield from _roster(visit)


def _outputs(visit: Visit) -> Iterator[Check]:
    settings = visit.settings
    try:
        build.outputs(settings)
    except LoginwardError as failure:
        yield finding("outputs", str(failure), "mend the setting: `run outputs` does not start")
        return
    if not settings.outputs.queue.is_file():
        yield note("outputs", f"{settings.outputs.queue}: nothing yet; `run outputs` makes it")
        return
    with closing(open_store(settings.outputs.queue)) as store:
        for name, count, since in desk.outputs(store):
            yield _backlog(visit, name, count, since)


def _backlog(visit: Visit, name: str, count: int, since: int | None) -> Check:
    if since is None:
        return ok(f"outputs.{name}", "has every alert")
    waited = visit.now - datetime.fromtimestamp(since / 1000, tz=UTC)
    told = f"{count:,} alerts wait, the oldest for {waited.total_seconds() / 60:,.0f} min"
    limit = visit.settings.outputs.undelivered_after
    if waited < limit:
        return ok(f"outputs.{name}", told)
    return finding(
        f"outputs.{name}",
        f"{told}; more than {written(limit)}",
        "see the log of `run outputs` for what the receiver answers; nothing is lost meanwhile",
    )


def _roster(visit: Visit) -> Iterator[Check]:
    settings = visit.settings
    try:
        who = build.roster(settings)
        build.ways(settings, who)
    except LoginwardError as failure:
        yield finding("roster", str(failure), "mend it: `run outputs` does not start")
        return
    if not who.levels:
        yield note("roster", "names nobody: no alert wakes anybody; config/roster.toml shows how")
        return
    yield from _file(settings)
    yield from _gaps(who, visit)


def _file(settings: Settings) -> Iterator[Check]:
    file = settings.roster.file
    if file is not None and file.stat().st_mode & _READ_BY_OTHERS:
        yield finding(
            "roster.file", f"{file}: others can read the numbers of people", f"chmod 600 {file}"
        )


def _gaps(who: Roster, visit: Visit) -> Iterator[Check]:
    start = visit.now.replace(minute=0, second=0, microsecond=0)
    for number, level in enumerate(who.levels):
        gaps = list(who.gaps(number, start))
        if not gaps:
            yield ok(f"roster.{level.name}", "somebody is on duty at every hour of this week")
            continue
        since, until = gaps[0]
        yield finding(
            f"roster.{level.name}",
            f"nobody from {since:%a %H:%M} to {until:%a %H:%M} ({who.zone}), and {len(gaps) - 1} "
            "more holes this week; who comes next is paged at once, and where nobody is, everybody",
            "fill the shifts; `loginward alerts roster` lists the holes",
        )
