"""`loginward report completeness`: what was read, judged and archived on a day, signed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from loginward_cli.output import columns, done, emit_json, fail, note, say

from . import options
from .options import Folder, Json, Zone, day_of, keys_of, zone_of

if TYPE_CHECKING:
    from archive.daily.proof import Proof, Topic
    from archive.daily.span import DaySpan
    from config.settings import Settings


def completeness(
    day: Annotated[
        str | None, typer.Option(help="The day; without it, yesterday.", metavar="YYYY-MM-DD")
    ] = None,
    timezone: Zone = None,
    kafka: Annotated[
        bool, typer.Option(help="Also compare with the offsets that the brokers hold.")
    ] = True,
    output: Folder = None,
    as_json: Json = False,
) -> None:
    """Prove that every record of a day was judged, told as a repeat, or kept as a reject.

    By partition, and by hour and source; missing numbers of emitters are listed. The record is
    signed with the archive's key. Exit code 1: something does not add up. Example:
    loginward report completeness --day 2026-11-24
    """
    from archive.daily import proof, shelf
    from archive.daily.span import DaySpan
    from config.settings import load

    settings = load()
    root = settings.archive.directory
    if not root.is_dir():
        fail(f"archive.directory: {root}: no such folder; start `loginward run archive`")
    tz = timezone or settings.report.timezone
    zone = zone_of(tz)
    span = DaySpan(day_of(day, zone), zone)
    keys = keys_of(settings)
    if keys is None:
        fail(
            f"archive.key_file: {settings.archive.key_file} is not here; "
            "run this where the archive's key is"
        )
    found = proof.prove(root, span, tz, _asked(settings, span) if kafka else None)
    name = f"{span.day}.completeness.json"
    paths = shelf.put(
        output or settings.report.directory, proof.signed(name, proof.written(found), keys)
    )
    if as_json:
        emit_json({"record": found, "files": [str(path) for path in paths]})
    else:
        _say(found)
        for path in paths:
            say(f"{path}")
    done(findings=not found.adds_up)


def _asked(settings: Settings, span: DaySpan) -> Topic | None:
    """The offsets of the day as the brokers hold them; None, with a note, where none answers."""
    from config.kafka import offsets_between
    from detectors.errors import LoginwardError, escaped

    now = options.now()
    until = min(span.end, now)
    try:
        return offsets_between(settings.kafka, "logins", span.start, until)
    except LoginwardError as failure:
        note(f"not compared with the brokers: {escaped(str(failure), 300)}")
        return None


def _say(found: Proof) -> None:
    from archive.daily.proof import wrong_cells

    summed = found.totals
    say(
        f"{found.date}: read {summed.read} = judged {summed.judged} + duplicates "
        f"{summed.duplicates} + rejected {summed.rejected}; archived {summed.archived}"
    )
    rows = [
        (
            f"{one.topic_id}/{one.partition}",
            f"{one.first}..{one.until}",
            "not asked" if one.topic_first is None else f"{one.topic_first}..{one.topic_until}",
            ", ".join(f"{a}..{b}" for a, b in one.unjudged[:5]),
        )
        for one in found.partitions
    ]
    columns(rows, ("partition", "judged", "topic", "unjudged"))
    for gap in summed.gaps:
        say(f"{gap.partition}: offsets {gap.first}..{gap.until} are {gap.why}")
    for cell in wrong_cells(found):
        say(
            f"{cell.hour} {cell.source}: archived {cell.archived}, judged {cell.judged}, "
            f"duplicates {cell.duplicates}, conflicts {cell.conflicts}"
        )
    say(f"{len(found.cells)} hours and sources compared, {len(wrong_cells(found))} differ")
    for one in found.numbers:
        if one.missing:
            listed = ", ".join(f"{r.first}..{r.last}" for r in one.ranges[:10])
            say(f"{one.source} of {one.system}: {one.missing} numbers never came: {listed}")
    if not summed.whole_day:
        note("the archive does not hold the whole day yet: the record is preliminary")
