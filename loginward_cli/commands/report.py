"""`loginward report`: the daily record of failed and foreign logins, signatures, what is due."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal
from zoneinfo import ZoneInfo

import typer

from detectors.errors import escaped
from loginward_cli.output import columns, done, emit_json, fail, note, progress, say

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    from archive.daily.known import Known
    from archive.daily.record import DayRecord
    from archive.keys import ArchiveKeys
    from config.settings import Settings

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help="Produce, sign, show and list the daily records.",
)

Json = Annotated[bool, typer.Option("--json", help="For scripts: JSON as the last line.")]
Folder = Annotated[
    Path | None,
    typer.Option("-o", "--output", help="Instead of report.directory.", metavar="FOLDER"),
]
Zone = Annotated[
    str | None, typer.Option(help="Whose days, instead of report.timezone.", metavar="TZ")
]

_NOTE = re.compile(r"(D\d+)\s*[=:]\s*(.*)", re.ASCII | re.DOTALL)


def _now() -> datetime:
    return datetime.now(tz=UTC)


@app.command()
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
    zone = _zone(tz)
    wanted = _day(day, zone)
    chosen = language or settings.report.language
    with progress("counting", BASELINE_DAYS + 1) as advance:
        record = count_day(
            Asked(
                root=_root(settings),
                span=DaySpan(wanted, zone),
                tz=tz,
                register=load_systems(settings.files.systems),
                calendar=load_trading_days(settings.files.trading_days),
                known=_known(settings, customers, geo),
                keys=_keys(settings),
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

    signed = signatures.read_chain(folder, _public(settings)).of(day)
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


@app.command()
def sign(
    day: Annotated[str, typer.Option(help="The day.", metavar="YYYY-MM-DD")],
    role: Annotated[
        Literal["author", "reviewer"],
        typer.Option("--as", help="author: judges the deviations. reviewer: another person."),
    ],
    by: Annotated[str, typer.Option(help="Your name, as the firm knows it.")],
    notes: Annotated[
        list[str] | None,
        typer.Option(
            "--note",
            help="Judgement and action; for one deviation 'D1=...'. May be given several times.",
            metavar="TEXT",
        ),
    ] = None,
    output: Folder = None,
    as_json: Json = False,
) -> None:
    """Sign a day's record as its author, or review it as another person.

    The signature names the SHA-256 of page and JSON and is added to a signed chain. Example:
    loginward report sign --day 2026-11-24 --as author --by 'Lin, SOC' --note 'D1=office NAT'
    """
    from archive.daily import shelf, signatures
    from archive.daily.judgement import judged
    from archive.daily.span import DaySpan
    from config.settings import load

    settings = load()
    folder = output or settings.report.directory
    zone = _zone(settings.report.timezone)
    wanted, now = _day(day, zone), _now()
    name = _name(by)
    if now < DaySpan(wanted, zone).end:
        fail(f"--day: {wanted} is not over yet; sign it tomorrow")
    record = shelf.read(folder, wanted)
    said = judged(record, role, _notes(notes or []))
    files = shelf.files_of(folder, wanted)
    if not any(file.name.endswith(".html") for file in files):
        fail(f"{folder}: there is no page of {wanted}; run `loginward report daily` first")
    keys = _keys(settings)
    if keys is None:
        fail(
            f"archive.key_file: {settings.archive.key_file} is not here; "
            "sign where the archive's key is"
        )
    signature = signatures.sign(
        folder,
        keys,
        _public(settings),
        signatures.Word(day=wanted, role=role, by=name, notes=said),
        files=files,
        at=now,
    )
    if as_json:
        emit_json(signature)
    else:
        say(f"{signature.day} signed as {role} by {escaped(name)}; over:")
        for file in signature.files:
            say(f"  {file.sha256}  {file.name}")


@app.command()
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
    wanted = _day(day, _zone(settings.report.timezone))
    chain = signatures.read_chain(folder, _public(settings))
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


@app.command(name="list")
def list_(
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
    zone, now = _zone(settings.report.timezone), _now()
    first = due.first_day(settings.archive.directory, folder, zone)
    if since is not None:
        first = _day(since, zone, "--since")
    last = due.usual_day(now, zone)
    chain = signatures.read_chain(folder, _public(settings))
    calendar = load_trading_days(settings.files.trading_days)
    days = (
        []
        if first is None
        else due.days_due(folder, chain, calendar, first=first, last=last, zone=zone, now=now)
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


def _day(text: str | None, zone: ZoneInfo, option: str = "--day") -> date:
    from archive.daily.due import usual_day

    yesterday = usual_day(_now(), zone)
    if text is None:
        return yesterday
    try:
        day = date.fromisoformat(text.strip())
    except ValueError:
        fail(f"{option}: '{escaped(text)}' is no day; write {yesterday}")
    today = _now().astimezone(zone).date()
    # Thirty days before must be days too.
    if not date(1971, 1, 1) <= day <= today:
        fail(f"{option}: {day} lies in the future, or too far back; write {yesterday}")
    return day


def _zone(name: str) -> ZoneInfo:
    from config.checks import time_zone

    wrong = time_zone(name)
    if wrong is not None:
        fail(f"--timezone: '{escaped(name)}' {wrong}")
    return ZoneInfo(name)


def _root(settings: Settings) -> Path:
    root = settings.archive.directory
    if not root.is_dir():
        fail(f"archive.directory: {root}: no such folder; start `loginward run archive`")
    return root


def _keys(settings: Settings) -> ArchiveKeys | None:
    from archive.keys import load_keys

    file = settings.archive.key_file
    return load_keys(file) if file.exists() else None


def _public(settings: Settings) -> Mapping[str, Ed25519PublicKey]:
    from archive.keys import load_public, public_file

    file = public_file(settings.archive.key_file)
    return load_public(file) if file.exists() else {}


def _known(settings: Settings, customers: Path | None, geo: Path | None) -> Known:
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
        else read_customers(customers, names, now=_now())
    )
    places = open_geo(geo or settings.geo.folder)
    networks = load_networks(settings.files.networks)
    versions = {"networks": networks.version}
    if directory is not None:
        versions["directory"] = directory.header.version
    if places is not None:
        versions["geo"] = places.version
    return Known(directory=directory, origins=places, networks=networks, versions=versions)


def _name(text: str) -> str:
    from archive.daily.signatures import LONGEST_NAME

    name = " ".join(text.split())
    if not name or len(name) > LONGEST_NAME or not name.isprintable():
        fail(f"--by: '{escaped(text)}' is no name; write 1 to {LONGEST_NAME} characters")
    return name


def _notes(given: list[str]) -> dict[str, str]:
    """By deviation; "" is the day as a whole."""
    from archive.daily.signatures import LONGEST_NOTE

    notes: dict[str, str] = {}
    for text in given:
        match = _NOTE.fullmatch(text.strip())
        of, said = (match[1], match[2].strip()) if match else ("", text.strip())
        if of in notes:
            fail(f"--note: {of or 'the day as a whole'} is judged twice; write one note")
        if not said or len(said) > LONGEST_NOTE:
            fail(f"--note: '{escaped(text)}': write 1 to {LONGEST_NOTE} characters")
        notes[of] = said
    return notes
