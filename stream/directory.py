"""The customer directory in its folder: loaded whole or not at all, guarded against shrinking.

<folder>/current                       the name of the file in force, replaced by rename
<folder>/directory-<time>-<version>    immutable files of stream/directory_file.py
"""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from config.files import whole_file
from detectors.errors import LoginwardError, escaped
from detectors.pseudonyms import Pseudonyms

from .directory_csv import Export, directory_of
from .directory_file import CustomerDirectory, Header, is_directory_file, open_file, read_header

CURRENT: Final = "current"
KEPT: Final = 3
"""Files kept, the one in force among them: workers change over within seconds of a load."""
LARGEST_SHRINK_PERCENT: Final = 5
"""DESIGN.md 3: a list with fewer customers than that is more likely cut off than true."""

_NAME = re.compile(r"directory-[0-9]{8}T[0-9]{12}Z-[0-9a-f]{12}")
_LONGEST_POINTER = 200


def current_file(folder: Path) -> Path | None:
    """The file in force; None where none was ever loaded. Raises LoginwardError."""
    pointer = folder / CURRENT
    try:
        with pointer.open("rb") as file:
            name = file.read(_LONGEST_POINTER).decode("ascii", "replace").strip()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as failure:
        raise LoginwardError(f"{pointer}: {failure.strerror}; let this user read it") from None
    if _NAME.fullmatch(name) is None:
        raise LoginwardError(
            f"{pointer}: '{escaped(name)}' names no directory file; load the list again: "
            "loginward customers load FILE.csv"
        )
    return folder / name


def open_directory(folder: Path, names: Pseudonyms) -> CustomerDirectory | None:
    """The directory in force; None where none was ever loaded. Raises LoginwardError."""
    path = current_file(folder)
    return None if path is None else open_file(path, names)


def load_directory(
    export: Export,
    folder: Path,
    names: Pseudonyms,
    *,
    now: datetime,
    allow_shrink: str = "",
    progress: Callable[[int], object] = lambda _: None,
) -> CustomerDirectory:
    """Put a customer list in force, whole or not at all; workers notice by themselves.

    Raises LoginwardError where a line is bad, or where the list has more than 5 % fewer customers
    or aliases than the one in force and `allow_shrink` gives no reason.
    """
    data = directory_of(export, names, now=now, shrink_reason=allow_shrink, progress=progress)
    made = CustomerDirectory(data, names, str(export.file))
    before = _header_in_force(folder)
    if before is not None and not allow_shrink:
        _guard(export.file, before, made.header)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    stamp = now.astimezone(UTC).strftime("%Y%m%dT%H%M%S%f")
    path = folder / f"directory-{stamp}Z-{made.header.version}"
    with whole_file(path) as file:
        file.write(data)
    with whole_file(folder / CURRENT) as file:
        file.write(path.name.encode() + b"\n")
    _forget(folder, path.name)
    return open_file(path, names)


def _header_in_force(folder: Path) -> Header | None:
    with suppress(LoginwardError):  # a damaged one guards nothing, and is to be replaced
        path = current_file(folder)
        return None if path is None else read_header(path)
    return None


def _guard(file: Path, before: Header, after: Header) -> None:
    for what in ("customers", "aliases"):
        had, has = getattr(before, what), getattr(after, what)
        if has * 100 < had * (100 - LARGEST_SHRINK_PERCENT):
            raise LoginwardError(
                f"{file}: {has:,} {what} where the list in force has {had:,}: more than "
                f"{LARGEST_SHRINK_PERCENT} % fewer; export it whole, or say why it is right: "
                "--allow-shrink REASON"
            )


def _forget(folder: Path, current: str) -> None:
    """Remove all but the newest; who still has one open keeps it."""
    files = sorted(path.name for path in folder.iterdir() if _NAME.fullmatch(path.name))
    others = [name for name in files if name != current]
    for name in others[: max(0, len(others) - (KEPT - 1))]:
        (folder / name).unlink(missing_ok=True)


def read_customers(path: Path, names: Pseudonyms, *, now: datetime) -> CustomerDirectory:
    """The directory in `path`: a folder, one of its files, or a CSV list as it was exported.

    For replay. Raises LoginwardError.
    """
    if path.is_dir():
        found = open_directory(path, names)
        if found is None:
            raise LoginwardError(f"{path}: no directory was loaded here; name a CSV or its folder")
        return found
    if is_directory_file(path):
        return open_file(path, names)
    return CustomerDirectory(directory_of(Export(file=path), names, now=now), names, str(path))


def is_stale(header: Header, stale_after: timedelta, now: datetime) -> bool:
    """Whether a list is so old that new customers may be missing in it."""
    return now - header.as_of > stale_after
