"""What the sub-commands of `loginward report` share: options, the day, the zone, the keys."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from zoneinfo import ZoneInfo

import typer

from detectors.errors import escaped
from loginward_cli.output import fail

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    from archive.keys import ArchiveKeys
    from config.settings import Settings

Json = Annotated[bool, typer.Option("--json", help="For scripts: JSON as the last line.")]
Folder = Annotated[
    Path | None,
    typer.Option("-o", "--output", help="Instead of report.directory.", metavar="FOLDER"),
]
Zone = Annotated[
    str | None, typer.Option(help="Whose days, instead of report.timezone.", metavar="TZ")
]


def now() -> datetime:
    """The time, which a test may set."""
    return datetime.now(tz=UTC)


def day_of(text: str | None, zone: ZoneInfo, option: str = "--day") -> date:
    """The day that `option` names; without a text, yesterday. Else exit 2."""
    from archive.daily.due import usual_day

    yesterday = usual_day(now(), zone)
    if text is None:
        return yesterday
    try:
        day = date.fromisoformat(text.strip())
    except ValueError:
        fail(f"{option}: '{escaped(text)}' is no day; write {yesterday}")
    today = now().astimezone(zone).date()
    # Thirty days before must be days too.
    if not date(1971, 1, 1) <= day <= today:
        fail(f"{option}: {day} lies in the future, or too far back; write {yesterday}")
    return day


def zone_of(name: str) -> ZoneInfo:
    """The time zone of this name. Else exit 2."""
    from config.checks import time_zone

    wrong = time_zone(name)
    if wrong is not None:
        fail(f"--timezone: '{escaped(name)}' {wrong}")
    return ZoneInfo(name)


def keys_of(settings: Settings) -> ArchiveKeys | None:
    """The keys that sign; None where the archive's key is not."""
    from archive.keys import load_keys

    file = settings.archive.key_file
    return load_keys(file) if file.exists() else None


def public_of(settings: Settings) -> Mapping[str, Ed25519PublicKey]:
    """The keys that a signature is checked with, by key id."""
    from archive.keys import load_public, public_file

    file = public_file(settings.archive.key_file)
    return load_public(file) if file.exists() else {}
