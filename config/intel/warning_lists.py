"""Warning lists: addresses that many share, ours and MISP's."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from detectors.errors import LoginwardError, escaped
from detectors.networks import Network

from .feed import LARGEST_BYTES, decoded_json
from .indicator import named, network_of
from .screening import Ranges

OURS: Final = Path(__file__).with_name("warning_lists.toml")
_MOST_FILES: Final = 1_000
"""MISP publishes about 120."""
_MOST_ENTRIES: Final = 2_000_000


def warning_lists(folder: Path | None) -> list[tuple[str, Ranges]]:
    """Ours, and those in `folder` (`*.json`, also below it) that hold addresses.

    Raises LoginwardError where a file is no warning list.
    """
    found = [(one["name"], _ranges(one["networks"])) for one in _ours()]
    if folder is None:
        return found
    if not folder.is_dir():
        raise LoginwardError(f"intel.warning_lists: {folder}: no such folder")
    files = sorted(folder.rglob("*.json"))
    if len(files) > _MOST_FILES:
        raise LoginwardError(f"{folder}: {len(files):,} files; at most {_MOST_FILES:,} are read")
    return found + [named_list for path in files for named_list in _misp(path)]


def _ours() -> list[dict[str, Any]]:
    lists: list[dict[str, Any]] = tomllib.loads(OURS.read_text(encoding="utf-8"))["lists"]
    return lists


def _misp(path: Path) -> Iterator[tuple[str, Ranges]]:
    try:
        if path.stat().st_size > LARGEST_BYTES:
            raise LoginwardError(f"{path}: larger than {LARGEST_BYTES >> 20} MiB")
        content = decoded_json(path.read_bytes(), escaped(str(path), 200))
    except OSError as failure:
        raise LoginwardError(f"{path}: {failure.strerror}") from None
    entries = content.get("list") if isinstance(content, Mapping) else None
    if not isinstance(entries, list) or len(entries) > _MOST_ENTRIES:
        raise LoginwardError(
            f"{escaped(str(path), 200)}: is no MISP warning list (an object with a `list`); take "
            "it out of the folder"
        )
    # Most of MISP's lists are of host names; those say nothing here.
    if content.get("type") in {"cidr", "string"}:
        yield named(content.get("name")) or escaped(path.parent.name), _ranges(entries)


def _ranges(entries: list[Any]) -> Ranges:
    return Ranges(_networks(entries))


def _networks(entries: list[Any]) -> Iterator[Network]:
    for text in entries:
        try:
            if isinstance(text, str):
                yield network_of(text)
        except LoginwardError:
            continue  # a list of texts may hold others beside addresses
