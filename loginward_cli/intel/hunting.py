"""`intel hunt`: who was here already before we were told."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from loginward_cli.output import Advance, columns, done, emit_json, fail, progress, say
from loginward_cli.rules.common import Json, when

from .common import By, hand, keep, known

if TYPE_CHECKING:
    from config.intel.hunting import Hunt, Tally

_NAMED = 20
"""Addresses of a bulletin that are named, those with the most logins first."""


def hunt(
    bulletins: Annotated[
        list[str] | None, typer.Argument(metavar="[B3...]", help="Bulletins; none: all.")
    ] = None,
    *,
    by: By,
    days: Annotated[int, typer.Option(min=1, max=3650, help="How many days back.")] = 30,
    directory: Annotated[
        Path | None, typer.Option(help="The archive, instead of archive.directory.")
    ] = None,
    json: Json = False,
) -> None:
    """Search the archive for logins from the addresses of bulletins; the ledger keeps the result.

    JUDGED are those that detection knew as listed when they happened. Exit code 1: there are hits.
    Example: loginward intel hunt B3 --days 90 --by amy
    """
    from archive.hunt import hunted
    from config.intel.hunting import Hunt
    from config.intel.store import folder_of
    from config.settings import load

    settings, who, told = load(), hand(by, ""), known()
    root = directory or settings.archive.directory
    if not root.is_dir():
        fail(f"archive.directory: {root}: no such folder; name the archive with --directory")
    asked = Hunt(told, bulletins or list(told.bulletins()))
    since, until = who.now - timedelta(days=days), who.now
    with progress("segments searched") as advance:
        found = hunted(root, asked.wants, since=since, until=until, progress=_watched(advance))
        for hit in found:
            asked.add(hit.address, hit.at_ms, success=hit.success, sure=hit.sure)
    for name, tally in asked.tallies.items():
        keep(folder_of(settings), tally.record(name, since, until), who)
    rows = [_row(name, tally, since, until) for name, tally in asked.tallies.items()]
    if json:
        emit_json({"since": when(since), "until": when(until), "bulletins": rows})
    else:
        _say(asked, rows, since)
    done(findings=any(row["hits"] for row in rows))


def _watched(advance: Advance) -> Any:
    return lambda _done, _all: advance(1)


def _row(name: str, tally: Tally, since: datetime, until: datetime) -> dict[str, Any]:
    record = tally.record(name, since, until)
    return {
        "bulletin": name,
        "hits": tally.logins,
        "successes": tally.successes,
        "judged": tally.judged,
        "addresses": len(tally.addresses),
        "first": None if record.first is None else when(record.first),
        "last": None if record.last is None else when(record.last),
        "at_least": tally.at_least,
        "most": dict(tally.addresses.most_common(_NAMED)),
    }


def _say(asked: Hunt, rows: list[dict[str, Any]], since: datetime) -> None:
    columns(
        (
            (
                row["bulletin"], f"{'>= ' * row['at_least']}{row['hits']:,}",
                f"{row['successes']:,}", f"{row['judged']:,}", f"{row['addresses']:,}",
                row["first"] or "-", row["last"] or "-",
            )
            for row in rows
        ),
        ("ID", "HITS", "SUCCESSES", "JUDGED", "ADDRESSES", "FIRST", "LAST"),
    )  # fmt: skip
    for row in rows:
        for address, logins in row["most"].items():
            say(f"  {row['bulletin']}  {address}  {logins:,} logins")
    if any(row["hits"] for row in rows):
        say(f"the logins themselves: loginward archive query --ip ADDRESS --since {_iso(since)}")
    if not asked.tallies:
        say("no bulletin was ever imported")


def _iso(time: datetime) -> str:
    return time.isoformat()
