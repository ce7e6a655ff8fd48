"""The inputs of `convert` and `ingest`: files and stdin, each with a source of its own."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from typing import cast
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from detectors.errors import LoginwardError
from detectors.pseudonyms import Pseudonyms

from .sources.base import Source, SourceOptions
from .sources.identity import LineIds
from .sources.registry import SOURCES
from .sources.years import LatestBefore, StartingIn, YearRule

STDIN = "-"
_BUFFER = 1024 * 1024
_LONGEST_SYSTEM = 64
_YEARS = range(1970, 9999)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """How inputs are read: which source, whose log, and what its time stamps leave out.

    `year` is that of each input's first line; without it, the newest year that is not in the future
    of the file's last change (of the clock, for stdin).
    """

    source: str
    system: str
    year: int | None
    zone: tzinfo
    pseudonyms: Pseudonyms

    def new_source(self, now: Callable[[], datetime]) -> Source:
        """A source for one input, of which `now` tells how new its last line can be."""
        zone = self.zone
        years: YearRule = (
            LatestBefore(lambda: now().astimezone(zone))
            if self.year is None
            else StartingIn(self.year)
        )
        return SOURCES[self.source].make(
            SourceOptions(
                system=self.system,
                ids=LineIds(self.pseudonyms, self.system),
                years=years,
                zone=zone,
            )
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Input:
    """One open input: its name for messages, its bytes, and when it was last written."""

    name: str
    stream: io.BufferedReader
    changed: Callable[[], datetime]


@contextmanager
def opened(name: str) -> Iterator[Input]:
    """The file `name`, stdin for `-`. Raises LoginwardError or OSError where it cannot be read."""
    if name == STDIN:
        stdin = cast("io.BufferedReader", sys.stdin.buffer)
        yield Input(name="stdin", stream=stdin, changed=lambda: datetime.now(UTC))
        return
    path = Path(name)
    if path.is_dir():
        raise LoginwardError(f"{name}: is a folder; name the log files in it")
    with path.open("rb", buffering=_BUFFER) as file:
        changed = datetime.fromtimestamp(path.stat().st_mtime, UTC)
        stream = cast("io.BufferedReader", file)
        yield Input(name=name, stream=stream, changed=lambda: changed)


def reading(
    source: str, system: str | None, year: int | None, timezone: str, pseudonyms: Pseudonyms
) -> Reading:
    """`Reading` from what was typed. Raises LoginwardError: the option, its value, a way out."""
    if source not in SOURCES:
        raise LoginwardError(
            f"--source: {source!r}: no such source; there are {', '.join(sorted(SOURCES))}"
        )
    named = source if system is None else system
    if not named or len(named) > _LONGEST_SYSTEM or not named.isprintable():
        raise LoginwardError(
            f"--system: {named!r}: write 1 to {_LONGEST_SYSTEM} printable characters"
        )
    if year is not None and year not in _YEARS:
        raise LoginwardError(f"--year: {year}: write the year of the first line, as 2026")
    return Reading(
        source=source, system=named, year=year, zone=_zone(timezone), pseudonyms=pseudonyms
    )


def _zone(name: str) -> tzinfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise LoginwardError(
            f"--timezone: {name!r}: no such time zone; write Asia/Taipei or UTC"
        ) from None
