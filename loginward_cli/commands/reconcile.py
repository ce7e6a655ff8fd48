"""`loginward reconcile`: a core system's own totals of a day against ours, explained and signed."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from detectors.errors import escaped
from loginward_cli.output import columns, done, emit_json, fail, note, say
from loginward_cli.report.options import Folder, Json, Zone, day_of, keys_of, zone_of

if TYPE_CHECKING:
    from archive.daily.reconcile import Reconciled


def command(
    system: Annotated[str, typer.Option(help="The core system, as in the field `system`.")],
    file: Annotated[
        Path, typer.Option(help="Its own totals, CSV or JSON: see docs/watch.md.", metavar="FILE")
    ],
    day: Annotated[
        str | None, typer.Option(help="The day; without it, yesterday.", metavar="YYYY-MM-DD")
    ] = None,
    timezone: Zone = None,
    output: Folder = None,
    as_json: Json = False,
) -> None:
    """Compare what a core system counted itself with what was judged and archived.

    A difference is explained where repeats, contradictions, rejects, late logins or another time
    zone account for it exactly. The result is signed. Exit code 1: a difference is unexplained.
    Example: loginward reconcile --system trading-web --day 2026-11-24 --file totals.csv
    """
    import msgspec

    from archive.daily import core_totals, proof, shelf
    from archive.daily.reconcile import reconcile
    from archive.daily.span import DaySpan
    from config.settings import load
    from loginward_cli.report.counting import known_of

    settings = load()
    root = settings.archive.directory
    if not root.is_dir():
        fail(f"archive.directory: {root}: no such folder; start `loginward run archive`")
    zone = zone_of(timezone or settings.report.timezone)
    span = DaySpan(day_of(day, zone), zone)
    keys = keys_of(settings)
    if keys is None:
        fail(
            f"archive.key_file: {settings.archive.key_file} is not here; "
            "run this where the archive's key is"
        )
    known = known_of(settings, None, None)
    found = reconcile(root, span, system, core_totals.read(file), known, keys)
    # A name may hold anything; the hash tells two of them apart.
    told = hashlib.sha256(system.encode("utf-8", "surrogatepass")).hexdigest()[:8]
    name = f"{span.day}.reconciliation.{told}.json"
    content = msgspec.json.format(msgspec.json.encode(found), indent=1) + b"\n"
    paths = shelf.put(output or settings.report.directory, proof.signed(name, content, keys))
    if as_json:
        emit_json({"record": found, "files": [str(path) for path in paths]})
    else:
        _say(found)
        for path in paths:
            say(f"{path}")
    done(findings=not found.agrees)


def _say(found: Reconciled) -> None:
    rows = [
        (
            "day" if one.hour is None else f"{one.hour:02d}",
            one.measure,
            str(one.theirs),
            str(one.ours),
            f"{one.difference:+d}" if one.difference else "0",
            ", ".join(f"{name} {one.causes[name]:+d}" for name in one.explained_by)
            if one.explained
            else "unexplained",
        )
        for one in found.rows
        if one.difference or one.hour is None
    ]
    columns(rows, ("hour", "what", "theirs", "ours", "difference", "explained by"))
    if found.zone is not None:
        say(f"their totals are those of {found.date} in {found.zone}, exactly")
    if not found.whole_day:
        note("the archive does not hold the whole day yet")
    verdict = "agrees" if found.agrees else "does not agree"
    say(f"{escaped(found.system)} {verdict} with the archive on {found.date} ({found.tz})")
