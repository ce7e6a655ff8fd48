"""`intel import`: files, collections and lists of a source, each a bulletin of the ledger."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from detectors.errors import LoginwardError, escaped
from loginward_cli.output import BAD_INPUT, done, emit_json, error, fail, note, progress, say
from loginward_cli.rules.common import Json, when

from .common import By, counted, hand

if TYPE_CHECKING:
    from config.intel.bulletins import Came, Hand, Taken
    from config.intel.feed import Format
    from config.intel.indicator import Tlp
    from config.settings import Settings


def import_bulletins(
    inputs: Annotated[
        list[str],
        typer.Argument(metavar="FILE|URL...", help="STIX, MISP, CSV, text; https for URLs."),
    ],
    by: By,
    reason: Annotated[str, typer.Option(help="Why, if it needs saying.", metavar="TEXT")] = "",
    kind: Annotated[
        Literal["stix", "misp", "csv", "text"] | None,
        typer.Option("--format", help="What the file is, where its look misleads."),
    ] = None,
    tlp: Annotated[
        str | None,
        typer.Option(help="Its marking instead of what it says (unmarked: amber).", metavar="TLP"),
    ] = None,
    columns: Annotated[
        list[str] | None,
        typer.Option("--map", help="A CSV's column: network=src_ip.", metavar="KEY=HEADER"),
    ] = None,
    anew: Annotated[
        bool, typer.Option("--anew", help="Also what was revoked here; as a bulletin of its own.")
    ] = False,
    json: Json = False,
) -> None:
    """Take bulletins in: running workers judge by them within 15 seconds, without a restart.

    What is private, our own, or on a warning list is left out, and said. A URL is a TAXII 2.1
    collection (.../collections/ID/), of which only what is new is fetched, or a file. The same
    content again makes no second bulletin. Exit code 1: some entries could not be read. Example:
    loginward intel import f-isac-112.json --by alice --tlp amber
    """
    from config.settings import load

    settings, who = load(), hand(by, reason)
    marked = _tlp(tlp)
    mapping = _mapping(columns or [])
    told: list[dict[str, Any]] = []
    failed = unread = False
    for text in inputs:
        try:
            came = _came(settings, text, kind, mapping, anew=anew)
            if came is None:
                told.append({"source": text, "new": False})
                if not json:
                    say(f"{text}: nothing new since the last poll")
                continue
            taken = _receive(settings, came, who, marked, anew=anew)
        except LoginwardError as failure:
            failed = True
            error(str(failure))
            continue
        unread |= came.feed.bad.count > 0
        told.append(_counts(came, taken))
        if not json:
            _say(came, taken)
        for place in came.feed.bad.first:
            note(f"cannot be read: {place}")
        if came.feed.bad.count > len(came.feed.bad.first):
            note(f"... and {came.feed.bad.count - len(came.feed.bad.first):,} more")
    if json:
        emit_json({"bulletins": told, "failed": failed})
    if failed:
        raise typer.Exit(BAD_INPUT)
    done(findings=unread)


def _came(
    settings: Settings, text: str, kind: Format | None, mapping: dict[str, str], *, anew: bool
) -> Came | None:
    from config.intel.bulletins import Came, content_of
    from config.intel.reading import read_file
    from config.intel.web import is_url

    if is_url(text):
        return _fetched(settings, text, kind, mapping, anew=anew)

    with progress(f"reading {escaped(text, 40)}") as advance:
        data, feed = read_file(Path(text), kind, mapping, advance)
    return Came(source=Path(text).name, content=content_of(data), feed=feed)


def _fetched(
    settings: Settings, url: str, kind: Format | None, mapping: dict[str, str], *, anew: bool
) -> Came | None:
    """What a URL gives; None for a collection without anything new."""
    from config.intel.bulletins import Came, content_of
    from config.intel.reading import read_feed
    from config.intel.store import folder_of, last_cursor, read
    from config.intel.taxii import collection_url, is_collection, poll
    from config.intel.web import access_of, download

    access = access_of(settings)
    with progress(f"fetching {escaped(url, 40)}") as advance:
        if not is_collection(url):
            data = download(url, access)
            feed = read_feed(data, escaped(url, 200), kind, mapping, advance)
            return Came(source=url, content=content_of(data), feed=feed)
        source = collection_url(url)
        since = "" if anew else last_cursor(read(folder_of(settings)), source)
        polled = poll(source, access, since=since, progress=advance)
    if not polled.objects:
        return None
    return Came(source=source, content=polled.content, feed=polled.feed, cursor=polled.cursor)


def _receive(settings: Settings, came: Came, who: Hand, marked: Tlp | None, *, anew: bool) -> Taken:
    from config.intel.bulletins import receive

    try:
        return receive(settings, came, who, tlp=marked, anew=anew)
    except OSError as failure:
        raise LoginwardError(f"{failure.filename}: {failure.strerror}") from None


def _counts(came: Came, taken: Taken) -> dict[str, Any]:
    return {
        "bulletin": taken.bulletin,
        "source": came.source,
        "format": came.feed.format,
        "tlp": taken.tlp,
        "new": taken.line is not None and taken.bulletin == taken.line.id,
        "applied": len(taken.sorted_out.fit),
        "skipped": dict(taken.sorted_out.skipped),
        "ignored": dict(came.feed.ignored),
        "bad": came.feed.bad.count,
    }


def _say(came: Came, taken: Taken) -> None:
    from config.intel.store import APPLIED_AFTER

    out, line = taken.sorted_out, taken.line
    name = f"{taken.bulletin}: {came.source} ({came.feed.format}, TLP:{taken.tlp.upper()})"
    if line is None:
        say(f"{name}: known already, nothing changed")
    elif line.id != taken.bulletin:
        say(f"{name}: known already, holds on from {when(line.at)}")
    else:
        since = when(line.at + APPLIED_AFTER)
        say(f"{name}: {len(out.fit):,} indicators in force from {since}")
    if out.skipped:
        say(f"  left out: {counted(out.skipped)}")
        for place in out.noted.first:
            say(f"    {place}")
    if came.feed.ignored:
        say(f"  says nothing about an address: {counted(came.feed.ignored)}")


def _tlp(text: str | None) -> Tlp | None:
    from config.intel.indicator import TLPS, tlp_of

    if text is None:
        return None
    found = tlp_of(text)
    if found is None:
        fail(f"--tlp: '{escaped(text, 30)}' is no marking; write {', '.join(TLPS)}")
    return found


def _mapping(columns: list[str]) -> dict[str, str]:
    from config.intel.lists import COLUMNS

    mapping: dict[str, str] = {}
    for text in columns:
        key, equals, header = text.partition("=")
        if not equals or not header or key not in COLUMNS:
            fail(f"--map: '{escaped(text, 60)}': write KEY=HEADER, KEY one of {', '.join(COLUMNS)}")
        mapping[key] = header
    return mapping
