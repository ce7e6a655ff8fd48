"""Verifying one segment's files against its seal: bytes, rows, identities, times, key."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from .chain import stem_of
from .cipher import SegmentCipher
from .encoding import binding
from .errors import ArchiveError
from .findings import What
from .keys import ArchiveKeys
from .layout import PartitionId
from .seal import DataFile, Range, Seal, ranges

Wrong = tuple[What, str, str]
"""What, expected, found."""


def check_file(
    folder: Path, part: PartitionId, seal: Seal, keys: ArchiveKeys | None
) -> Iterator[Wrong]:
    """Everything that is not as `seal` says. Rows are looked at only where the bytes are right."""
    file = seal.file
    if file is None:
        return
    path = folder / file.name
    if not _named_here(file):
        yield "bad_seal", "a file name of its own folder", repr(file.name)
        return
    if not path.is_file():
        yield "missing_file", f"{file.size} bytes", "no file"
    elif (found := _sha256(path)) != file.sha256:
        yield "altered_file", f"SHA-256 {file.sha256}", f"{found} of {path.stat().st_size} bytes"
    else:
        yield from _rows(path, part, seal)
    if seal.data_key_sha256 is not None:
        yield from _key(folder / f"{stem_of(file.name)}.key", part, seal, keys)


def _named_here(file: DataFile) -> bool:
    return "/" not in file.name and file.name.endswith(".parquet")


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _rows(path: Path, part: PartitionId, seal: Seal) -> Iterator[Wrong]:
    columns = ["topic_id", "partition", "offset", "kafka_timestamp"]
    try:
        table = pq.read_table(path, columns=columns, partitioning=None)
    except (pa.ArrowException, OSError, KeyError) as failure:
        yield "wrong_rows", f"a Parquet file with {', '.join(columns)}", str(failure)
        return
    if table.num_rows != seal.rows:
        yield "wrong_rows", f"{seal.rows} rows", f"{table.num_rows}"
        return
    for name, value in (("topic_id", part.topic_id), ("partition", part.partition)):
        found = pc.unique(table[name]).to_pylist()
        if found != [value]:
            yield "wrong_rows", f"{name} {value}", ", ".join(map(str, found))
    wanted = _kept(seal)
    offsets = ranges(table["offset"].to_pylist())
    if offsets != wanted:
        yield "wrong_rows", f"offsets {_short(wanted)}", _short(offsets)
    times = pc.min_max(table["kafka_timestamp"].cast("int64")).as_py()
    if (times["min"], times["max"]) != (seal.from_ms, seal.to_ms):
        yield "wrong_rows", f"times {seal.from_ms} to {seal.to_ms}", f"{times}"


def _kept(seal: Seal) -> tuple[Range, ...]:
    """The offsets that must be rows: the range without the three lists."""
    found: list[Range] = []
    free = seal.first
    for first, last in sorted([*seal.rejected, *seal.absent, *seal.expired]):
        if first > free:
            found.append((free, first - 1))
        free = last + 1
    if free <= seal.last:
        found.append((free, seal.last))
    return tuple(found)


def _short(parts: tuple[Range, ...]) -> str:
    shown = ", ".join(f"{first}-{last}" for first, last in parts[:5])
    return shown + (f" and {len(parts) - 5} ranges more" if len(parts) > 5 else "")  # noqa: PLR2004


def _key(path: Path, part: PartitionId, seal: Seal, keys: ArchiveKeys | None) -> Iterator[Wrong]:
    if not path.is_file():
        yield "key_file", path.name, "no file"
        return
    if keys is None:
        return
    try:
        cipher = SegmentCipher.load(path.read_bytes(), keys, binding(part, seal.first))
    except ArchiveError as failure:
        yield "key_file", path.name, str(failure)
        return
    if cipher.commitment != seal.data_key_sha256:
        yield "key_file", f"data key {seal.data_key_sha256}", cipher.commitment
