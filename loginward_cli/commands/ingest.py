"""`loginward ingest`: login records of a source into the topic `logins`."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from loginward_cli.output import BAD_INPUT, emit_json, error, fail, note, progress, say

if TYPE_CHECKING:
    from stream.ingest_run import Outcome
    from stream.sources.reading import Refused

_NAMED = 10
"""Unparsable lines of a file are named one by one up to here, then counted."""


def command(
    files: Annotated[list[str], typer.Argument(help="Log files, also .gz; - is stdin.")],
    source: Annotated[str, typer.Option(help="What wrote them: openssh or jsonl.")],
    follow: Annotated[
        bool, typer.Option("--follow", help="Go on reading what is written to the FILEs.")
    ] = False,
    backfill: Annotated[
        bool,
        typer.Option("--backfill", help="Fill memory and archive; page and notify nobody."),
    ] = False,
    system: Annotated[
        str | None, typer.Option(help="The core system; by default the source's name.")
    ] = None,
    year: Annotated[
        int | None,
        typer.Option(help="Year of the first line, where lines have none; default: by file date."),
    ] = None,
    timezone: Annotated[
        str, typer.Option(help="Zone of times that name none.", metavar="TZ")
    ] = "UTC",
    position: Annotated[
        Path | None,
        typer.Option(help="With --follow: where it is kept how far one FILE was delivered."),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Counts as JSON in the last line.")] = False,
) -> None:
    """Send login records to Kafka; each is confirmed by the brokers before it counts.

    Lines that are no login are counted; unparsable ones are named, counted and sent to
    logins.rejected. --follow survives rotation, restarts and kill -9, and ends with Ctrl-C or
    SIGTERM. Example: loginward ingest --source openssh --follow /var/log/auth.log
    """
    from config.settings import load
    from loginward_cli.logs import set_up
    from stream.ingest_run import Wish, run

    if follow and ("-" in files or year is not None):
        fail("--follow: takes files that are written now; leave out `-` and --year")
    if position is not None and (not follow or len(files) != 1):
        fail("--position: goes with --follow and one FILE")
    settings = load()
    set_up(settings.logging.level, json=settings.logging.json)
    named: Counter[str] = Counter()

    def refuse(file: str, line: str, refused: Refused) -> None:
        named[file] += 1
        if named[file] <= _NAMED:
            note(f"{file}:{line}: {refused.reason}: {refused.detail}")

    with progress("ingesting") as advance:
        outcome = run(
            settings,
            Wish(
                files=files,
                source=source,
                system=system,
                year=year,
                timezone=timezone,
                follow=follow,
                backfill=backfill,
                position=position,
            ),
            advance,
            refuse,
        )
    for file, number in named.items():
        if number > _NAMED:
            note(f"{file}: ... and {number - _NAMED} more unparsable lines")
    _tell(outcome, json=json)


def _tell(outcome: Outcome, *, json: bool) -> None:
    counts = outcome.counts
    if json:
        emit_json(
            {
                "source": outcome.source,
                "system": outcome.system,
                "lines": counts.lines,
                "events": counts.events,
                "no_login": counts.no_login,
                "same_attempt": counts.same_attempt,
                "unparsable": counts.unparsable,
                "gaps": outcome.gaps,
            }
        )
    else:
        say(
            f"{counts.lines} lines: {counts.events} events sent to logins, "
            f"{counts.no_login} no login, {counts.same_attempt} of an attempt told by another "
            f"line, {counts.unparsable} unparsable (in logins.rejected)"
        )
    for problem in outcome.problems:
        error(problem)
    if outcome.problems:
        raise typer.Exit(BAD_INPUT)
