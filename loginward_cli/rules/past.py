"""The events of a past period: files, or the archive, decrypted into memory and never on a disk."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from detectors.windows import RETENTION_MS
from loginward_cli.output import fail, progress

if TYPE_CHECKING:
    from config.rule_book import RuleBook
    from config.settings import Settings
    from detectors.alerts import Alert

LEAD = timedelta(milliseconds=RETENTION_MS)
"""Judging begins this long before the period, since what came earlier fills its windows."""


@contextmanager
def past(
    files: Sequence[Path], settings: Settings, since: datetime | None, until: datetime | None
) -> Iterator[Sequence[Path]]:
    """Files to judge: those named, else what the archive holds of the period and its lead."""
    for path in files:
        if not path.is_file():
            fail(f"{path}: no such file; name files of events, or none for the archive")
    if files:
        yield files
        return
    handle = os.memfd_create("loginward-past", os.MFD_CLOEXEC)
    try:
        _copy(handle, settings, since, until)
        yield (Path(f"/proc/self/fd/{handle}"),)
    finally:
        os.close(handle)


def _copy(handle: int, settings: Settings, since: datetime | None, until: datetime | None) -> None:
    from archive.keys import load_keys
    from archive.read import read_logins
    from detectors.wire import encode

    root = settings.archive.directory
    if not root.is_dir():
        fail(f"archive.directory: {root}: no such folder; name files of events instead")
    if not settings.archive.key_file.exists():
        fail(f"archive.key_file: {settings.archive.key_file}: not here; ask where the key is")
    keys = load_keys(settings.archive.key_file)
    with progress("reading the archive") as advance, os.fdopen(handle, "wb", closefd=False) as out:
        for login in read_logins(root, keys):
            advance()
            at = login.event.judged_at
            if (since is None or at >= since - LEAD) and (until is None or at < until):
                out.write(encode(login.event) + b"\n")


async def judged(
    files: Sequence[Path],
    book: RuleBook,
    settings: Settings,
    *,
    since: datetime | None,
    until: datetime | None,
    title: str,
) -> tuple[list[Alert], int]:
    """The alerts that open in the period under `book`, and how many events were judged for it.

    Facts are those of the events, and of this installation's directory, geo data and networks.
    """
    from detectors.engine import Engine
    from detectors.events import rfc3339
    from stream.keys import load_pseudonyms
    from stream.lookups import Lookups
    from stream.replay import replay

    names = load_pseudonyms(settings)
    engine = Engine(book.active(), names, Lookups(settings, names).in_force.joiner)
    with progress(title) as advance:
        start = None if since is None else since - LEAD
        found = await replay(files, engine, since=start, until=until, progress=advance)
    first = "" if since is None else rfc3339(since)
    return [alert for alert in found.alerts if alert.opened_at >= first], found.judged
