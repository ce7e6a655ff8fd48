"""Logs for tests: lines in, what a source made of them out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from pathlib import Path

import pytest

from detectors.errors import Rejected
from detectors.events import LoginEvent
from detectors.pseudonyms import Pseudonyms
from stream.sources.base import Found, Line, Source, SourceOptions
from stream.sources.identity import LineIds
from stream.sources.registry import SOURCES
from stream.sources.years import LatestBefore, StartingIn
from tests.checkout import ROOT

KEY = Pseudonyms(bytes(range(32)))
DATA = ROOT.parent / "shared" / "data"
NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


@dataclass
class Log:
    """What came of a log: events with the numbers of their lines, and refused lines."""

    found: list[Found] = field(default_factory=list)
    refused: dict[int, Rejected] = field(default_factory=dict)
    kinds: list[str] = field(default_factory=list)

    @property
    def events(self) -> list[LoginEvent]:
        """The events in the order they came out."""
        return [found.event for found in self.found]

    @property
    def told(self) -> list[tuple[str | None, str | None, str, str | None]]:
        """Account, address, outcome and reason of each event."""
        return [(e.account, e.ip, e.outcome, e.reason) for e in self.events]


def new_source(
    name: str = "openssh",
    *,
    system: str = "ssh",
    year: int | None = 2026,
    zone: tzinfo = UTC,
    pseudonyms: Pseudonyms = KEY,
) -> Source:
    """A source with a fixed key; without a year, that of `NOW`."""
    years = LatestBefore(lambda: NOW.astimezone(zone)) if year is None else StartingIn(year)
    ids = LineIds(pseudonyms, system)
    return SOURCES[name].make(SourceOptions(system=system, ids=ids, years=years, zone=zone))


def read_log(
    lines: Sequence[str | bytes], source: Source | None = None, *, cut_off: bool = True
) -> Log:
    """All `lines` through `source`, to the end of the file."""
    source = source or new_source()
    log = Log()
    for number, line in enumerate(lines, start=1):
        raw = line.encode() if isinstance(line, str) else line
        try:
            got = source.read(Line(raw, number))
        except Rejected as why:
            log.refused[number] = why
            continue
        log.kinds.append(got.kind)
        log.found += got.found
    log.found += source.flush(cut_off=cut_off)
    return log


def sshd(*messages: str, pid: int = 100, at: str = "Nov 22 10:00:00") -> list[str]:
    """Lines of one sshd process, as a classic syslog file has them."""
    return [f"{at} host sshd[{pid}]: {message}" for message in messages]


def data(path: str) -> Path:
    """A file of the public data sets beside the checkout; skips the test where it is absent."""
    file = DATA / path
    if not file.is_file():
        pytest.skip(f"public data set not beside this checkout: ../shared/data/{path}")
    return file
