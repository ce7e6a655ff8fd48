"""`loginward report show` and `list`: who signed, what is due, what was changed since."""

from __future__ import annotations

from typing import Annotated

import typer

from detectors.errors import escaped
from loginward_cli.output import columns, done, emit_json, note, say

from . import options
from .options import Folder, Json, day_of, public_of, zone_of


def show(
    day: Annotated[str, typer.Option(help="The day.", metavar="YYYY-MM-DD")],
    output: Folder = None,
    as_json: Json = False,
) -> None:
    """Show who judged a day and who reviewed it, with their notes, and whether its files are those.

    Exit code 1: a file is gone or another one, or the chain of signatures is broken. Example:
    loginward report show --day 2026-11-24
    """
    from archive.daily import shelf, signatures
    from config.settings import load

    settings = load()
    folder = output or settings.report.directory
    wanted = day_of(day, zone_of(settings.report.timezone))
    chain = signatures.read_chain(folder, public_of(settings))
    signed, files = chain.of(wanted), shelf.files_of(folder, wanted)
    changed = signatures.changed_files(signed[-1], files) if signed else []
    for line, why in chain.problems:
        say(f"{folder / signatures.FILE}:{line} {why}")
    if as_json:
        emit_json(
            {
                "day": wanted.isoformat(),
                "signatures": signed,
                "files": files,
                "changed": changed,
                "problems": [f"line {line}: {why}" for line, why in chain.problems],
            }
        )
    else:
        for file in files:
            say(f"{file.sha256}  {file.name}{'  changed after signing' * (file.name in changed)}")
        for name in changed:
            if name not in {file.name for file in files}:
                say(f"gone after signing: {name}")
        for one in signed:
            say(f"{one.at}  {one.role}  {escaped(one.by)}")
            for of, text in one.notes.items():
                say(f"  {of or 'all'}: {text}")
        if not signed:
            say(f"{wanted}: nobody has signed it")
    done(findings=bool(changed or chain.problems))


def list_days(
    since: Annotated[
        str | None,
        typer.Option(help="From this day; without it, since the archive began.", metavar="DAY"),
    ] = None,
    show_all: Annotated[bool, typer.Option("--all", help="Also what is in order.")] = False,
    output: Folder = None,
    as_json: Json = False,
) -> None:
    """List days without a record, unsigned, late, or changed after signing.

    A day is due at the end of the next trading day. Exit code 1: something is overdue, changed, or
    the chain of signatures is broken. Example: loginward report list --all
    """
    from archive.daily import due, signatures
    from config.settings import load
    from config.trading_days import load_trading_days

    settings = load()
    folder = output or settings.report.directory
    zone, at = zone_of(settings.report.timezone), options.now()
    first = due.first_day(settings.archive.directory, folder, zone)
    if since is not None:
        first = day_of(since, zone, "--since")
    last = due.usual_day(at, zone)
    chain = signatures.read_chain(folder, public_of(settings))
    calendar = load_trading_days(settings.files.trading_days)
    days = (
        []
        if first is None
        else due.days_due(folder, chain, calendar, first=first, last=last, zone=zone, now=at)
    )
    shown = [one for one in days if show_all or one.late or one.status != "signed"]
    unknown = sorted({one.day[:4] for one in days if one.kind == "weekday"})
    for line, why in chain.problems:
        say(f"{folder / signatures.FILE}:{line} {why}")
    for year in unknown:
        note(f"files.trading_days: the calendar of {year} is missing; only weekends are known")
    if first is None:
        note("the archive holds nothing yet, so no day is due; name the first one with --since")
    if as_json:
        emit_json(
            {
                "days": shown,
                "overdue": sum(one.open for one in days),
                "signatures": len(chain.signatures),
                "head": chain.head,
                "problems": [f"line {line}: {why}" for line, why in chain.problems],
            }
        )
    else:
        header = ("day", "kind", "status", "late", "due", "author", "reviewer")
        rows = [
            (
                one.day,
                one.kind,
                one.status,
                "late" if one.late else "",
                one.due,
                one.author,
                one.reviewer,
            )
            for one in shown
        ]
        columns(rows, header)
        say(f"{len(days)} days, {sum(one.open for one in days)} overdue or changed")
    done(findings=bool(chain.problems) or any(one.open for one in days))
