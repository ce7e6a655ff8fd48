"""Threat intelligence: is the ledger whole, can lists be read, was the past asked."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from config.intel.records import Hunted
from config.intel.store import Told, folder_of, told
from config.intel.warning_lists import warning_lists
from config.intel.web import access_of
from detectors.errors import LoginwardError
from detectors.events import milliseconds

from .check import Check, Visit, finding, note, ok

_HUNT_DUE = timedelta(days=1)
"""Whoever was here before the bulletin came is worth knowing within a day."""


def intel(visit: Visit) -> Iterator[Check]:
    """What is in force, and what keeps the rest of it out."""
    try:
        known = told(folder_of(visit.settings))
    except OSError as failure:
        yield finding("intel.ledger", f"{failure.filename}: {failure.strerror}", "mend its rights")
        return
    for trouble in known.troubles:
        yield finding("intel.ledger", trouble, "put the backup of intel.folder in its place")
    yield from _settings(visit)
    bulletins = known.bulletins()
    if not bulletins:
        yield note("intel", "no bulletin was ever imported; loginward intel import FILE --by NAME")
        return
    now_ms = milliseconds(visit.now)
    held = sum(one.since_ms <= now_ms < one.until_ms for one in known.entries)
    last = max(line.at for line, _ in bulletins.values())
    yield ok(
        "intel",
        f"{held:,} indicators in force of {len(bulletins):,} bulletins, the last of "
        f"{last:%Y-%m-%d %H:%M} UTC",
    )
    yield from _hunts(visit, known)


def _settings(visit: Visit) -> Iterator[Check]:
    settings = visit.settings
    for code, read in (
        ("intel.access", lambda: access_of(settings)),
        ("intel.warning_lists", lambda: warning_lists(settings.intel.warning_lists)),
    ):
        try:
            read()
        except LoginwardError as failure:
            yield finding(code, str(failure), "correct [intel] in your settings; see docs/intel.md")


def _hunts(visit: Visit, known: Told) -> Iterator[Check]:
    hunted = {line.what.bulletin for line in known.ledger.lines if isinstance(line.what, Hunted)}
    owed = [
        name
        for name, (line, what) in known.bulletins().items()
        if name not in hunted and what.applied and visit.now > line.at + _HUNT_DUE
    ]
    if owed:
        more = f" and {len(owed) - 5} more" if len(owed) > 5 else ""  # noqa: PLR2004
        yield note(
            "intel.hunt",
            f"{', '.join(owed[:5])}{more}: nobody has asked the archive who was here before; "
            "loginward intel hunt --by NAME",
        )
