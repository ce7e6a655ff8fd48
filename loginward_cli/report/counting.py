"""`loginward report daily`: a day is counted, a page and its JSON are written."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from detectors.errors import escaped
from loginward_cli.output import emit_json, fail, note, progress, say

from . import options
from .options import Folder, Json, Zone, day_of, keys_of, public_of, zone_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from archive.daily.known import Known
    from archive.daily.record import DayRecord
    from config.settings import Settings


def daily(
    day: Annotated[
        str | None, typer.Option(help="The day; without it, yesterday.", metavar="YYYY-MM-DD")
    ] = None,
    system: Annotated[
        str | None, typer.Option(help="One core system alone; such a page cannot be signed.")
    ] = None,
    language: Annotated[
        Literal["zh-TW", "en", "all"] | None,
        typer.Option(help="Of the page, instead of report.language; all: a page in each."),
    ] = None,
    timezone: Zone = None,
    customers: Annotated[
        Path | None,
        typer.Option(help="Customers as in `replay`, instead of directory.folder.", metavar="PATH"),
    ] = None,
    geo: Annotated[
        Path | None, typer.Option(help="Places, instead of geo.folder.", metavar="PATH")
    ] = None,
    replace: Annotated[
        bool, typer.Option("--replace", help="Also a page that was signed; it must be signed anew.")
    ] = False,
    output: Folder = None,
    as_json: Json = False,
) -> None:
    """Count a day from the archive: an HTML page for people, JSON beside it.

    The same archive gives the same bytes. Example: loginward report daily --day 2026-11-24
    """
    from archive.daily import shelf
    from archive.daily.count import Asked, count_day
    from archive.daily.normal import BASELINE_DAYS
    from archive.daily.page import LANGUAGES
    from archive.daily.span import DaySpan
    from config.settings import load
    from config.systems import load_systems
    from config.trading_days import load_trading_days

    settings = load()
    tz = timezone or settings.report.timezone
    zone = zone_of(tz)
    wanted = day_of(day, zone)
    chosen = language or settings.report.language
    with progress("counting", BASELINE_DAYS + 1) as advance:
        record = count_day(
            Asked(
                root=_root(settings),
                span=DaySpan(wanted, zone),
                tz=tz,
                register=load_systems(settings.files.systems),
                calendar=load_trading_days(settings.files.trading_days),
                known=known_of(settings, customers, geo),
                keys=keys_of(settings),
                system=system,
                progress=advance,
            )
        )
    if system is not None and not record.days:
        fail(f"--system: '{escaped(system)}' is neither registered nor heard on {wanted}")
    name = shelf.stem(record, system=system, usual_zone=settings.report.timezone)
    languages = LANGUAGES if chosen == "all" else (chosen,)
    files = shelf.made(record, name, languages)
    folder = output or settings.report.directory
    if not replace:
        _unsigned(settings, folder, wanted, files)
    _say_day(record, shelf.put(folder, files), as_json=as_json)


def _unsigned(settings: Settings, folder: Path, day: date, files: Mapping[str, bytes]) -> None:
    """What somebody has signed is not replaced by something else without being asked."""
    from archive.daily import signatures

    signed = signatures.read_chain(folder, public_of(settings)).of(day)
    other = signatures.replaced(signed, files)
    if other:
        fail(
            f"{folder}: {', '.join(other)} was signed by '{escaped(signed[-1].by)}', and the "
            "archive (or what it was counted with) says something else now; compare with "
            "-o FOLDER, or write it with --replace and have it signed anew"
        )


def _say_day(record: DayRecord, files: list[Path], *, as_json: bool) -> None:
    from archive.daily.shelf import digest

    complete = record.completeness
    if as_json:
        emit_json(
            {
                "date": record.date,
                "tz": record.tz,
                "kind": record.kind,
                "days": record.days,
                "deviations": len(record.deviations),
                "complete": complete.adds_up,
                "whole_day": complete.whole_day,
                "files": [{"path": str(path), "sha256": digest(path)} for path in files],
            }
        )
        return
    for row in record.days:
        say(
            f"{row.system}: {row.attempts} attempts, {row.failures} failed, "
            f"{row.unknown_account_attempts} on non-customer accounts, {row.alerts} alerts"
        )
    say(f"{len(record.deviations)} deviations to judge")
    if not complete.adds_up:
        note("counts do not add up, or there are gaps: see the page, 'Completeness'")
    if not complete.whole_day:
        note("the archive does not hold the whole day yet: the page is preliminary")
    for path in files:
        say(f"{path}")


def _root(settings: Settings) -> Path:
    root = settings.archive.directory
    if not root.is_dir():
        fail(f"archive.directory: {root}: no such folder; start `loginward run archive`")
    return root


def known_of(settings: Settings, customers: Path | None, geo: Path | None) -> Known:
    """What can tell beside the events: as detect would have it now, or as named."""
    from archive.daily.known import Known
    from config.networks import load_networks
    from stream.directory import open_directory, read_customers
    from stream.geo import open_geo
    from stream.keys import load_pseudonyms

    for option, path in (("--customers", customers), ("--geo", geo)):
        if path is not None and not path.exists():
            fail(f"{option}: {path}: no such file or folder")
    names = load_pseudonyms(settings)
    directory = (
        open_directory(settings.directory.folder, names)
        if customers is None
        else read_customers(customers, names, now=options.now())
    )
    places = open_geo(geo or settings.geo.folder)
    networks = load_networks(settings.files.networks)
    versions = {"networks": networks.version}
    if directory is not None:
        versions["directory"] = directory.header.version
    if places is not None:
        versions["geo"] = places.version
    return Known(directory=directory, origins=places, networks=networks, versions=versions)
