"""A file of a source, whatever its format."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from detectors.errors import LoginwardError, escaped

from .feed import LARGEST_BYTES, Feed, Format, Progress, decoded_json, unwatched
from .lists import is_csv, read_csv, read_text
from .misp import is_misp, read_misp
from .stix import is_stix, read_stix

_WARNING_LIST: Final = frozenset({"list", "matching_attributes"})


def read_file(
    path: Path,
    kind: Format | None = None,
    mapping: Mapping[str, str] | None = None,
    progress: Progress = unwatched,
) -> tuple[bytes, Feed]:
    """The bytes of a file and what it holds. Raises LoginwardError where it cannot be read."""
    name = escaped(str(path), 200)
    try:
        with path.open("rb") as file:
            data = file.read(LARGEST_BYTES + 1)
    except OSError as failure:
        raise LoginwardError(
            f"{name}: {failure.strerror}; name a bulletin that this user can read"
        ) from None
    return data, read_feed(data, name, kind, mapping, progress)


def read_feed(
    data: bytes,
    name: str,
    kind: Format | None = None,
    mapping: Mapping[str, str] | None = None,
    progress: Progress = unwatched,
) -> Feed:
    """What `data` holds; `kind` instead of a look at it, `mapping` for the columns of a CSV.

    Raises LoginwardError: the place, and the way out.
    """
    if len(data) > LARGEST_BYTES:
        raise LoginwardError(f"{name}: larger than {LARGEST_BYTES >> 20} MiB; is it a bulletin?")
    if kind in {"stix", "misp"} or (kind is None and data.lstrip()[:1] in {b"{", b"["}):
        return _json(data, name, kind, progress)
    if kind == "csv" or (kind is None and (mapping or is_csv(data))):
        return read_csv(data, name, mapping)
    if b"\0" in data:
        raise LoginwardError(f"{name}: is no text; write what it is with --format")
    return read_text(data, name)


def _json(data: bytes, name: str, kind: Format | None, progress: Progress) -> Feed:
    content = decoded_json(data, name)
    if kind != "misp" and is_stix(content):
        return read_stix(content, name, progress)
    if kind != "stix" and is_misp(content):
        return read_misp(content, name)
    if isinstance(content, dict) and content.keys() >= _WARNING_LIST:
        raise LoginwardError(
            f"{name}: is a MISP warning list: put it into the folder of intel.warning_lists"
        )
    raise LoginwardError(
        f"{name}: is neither a STIX bundle nor a MISP event; they begin with "
        '{"type": "bundle" and {"Event":'
    )
