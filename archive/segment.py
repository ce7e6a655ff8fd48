"""Writing one segment: Parquet file, key file, then the seal, whose link is the one commit."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import msgspec
import pyarrow.compute as pc

from config.failpoints import hit
from detectors.events import rfc3339
from detectors.pseudonyms import Pseudonyms

from . import encoding, heads
from .chain import End
from .cipher import SegmentCipher
from .durable import publish, sync_folder
from .errors import Superseded
from .keys import ArchiveKeys
from .layout import PartitionId, data_stem, seal_name
from .records import Columns, KafkaRecord
from .seal import DataFile, Range, Seal, SignedSeal, encode, ranges, sign


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """What is to be sealed: records, and the offsets before or between them that Kafka lacks."""

    first: int
    last: int
    records: Sequence[KafkaRecord]
    absent: tuple[Range, ...] = ()
    expired: tuple[Range, ...] = ()


def write(
    root: Path,
    part: PartitionId,
    cut: Cut,
    end: End,
    *,
    keys: ArchiveKeys,
    pseudonyms: Pseudonyms,
    sealed_at: datetime,
) -> SignedSeal:
    """Seal `cut` behind `end`; when this returns, it is on the disk.

    Raises Superseded where another archiver sealed this first offset, OSError where the disk
    refuses. In both cases nothing of `cut` counts as archived by us, and our files are removed.
    """
    folder = part.folder(root)
    cipher = encoding.cipher_for(part, cut.first)
    rows = encoding.columns(part, cut.records, pseudonyms, cipher)
    written: list[str] = []
    keep = False
    try:
        file = _write_data(folder, cut, rows, cipher, keys, written)
        seal = _seal(part, cut, end, rows, file, keys.key_id, digest(cut.records[-1], keys))
        if cipher is not None and file is not None:
            seal = msgspec.structs.replace(seal, data_key_sha256=cipher.commitment)
        signed = sign(msgspec.structs.replace(seal, sealed_at=rfc3339(sealed_at)), keys)
        keep = True
        try:
            publish(folder, seal_name(cut.first), encode(signed), kind="seal")
        except BaseException:
            # A failure after the link leaves a valid seal: then its files must stay.
            keep = _stands(folder / seal_name(cut.first), encode(signed))
            raise
    except (FileExistsError, FileNotFoundError):
        raise Superseded(f"{part}: offset {cut.first} was sealed by another archiver") from None
    finally:
        if not keep:
            _remove(folder, written)
    sync_folder(folder)
    hit("archive.seal_durable")
    heads.append(root, signed)
    hit("archive.head_written")
    return signed


def _write_data(
    folder: Path,
    cut: Cut,
    rows: Columns,
    cipher: SegmentCipher | None,
    keys: ArchiveKeys,
    written: list[str],
) -> DataFile | None:
    """Put Parquet and key file on the disk, noting each name in `written`; None for no rows."""
    if not rows.table.num_rows:
        return None
    data = memoryview(encoding.parquet(rows))
    sha256 = hashlib.sha256(data).hexdigest()
    stem = data_stem(cut.first, cut.last, sha256)
    written.append(f"{stem}.parquet")
    publish(folder, f"{stem}.parquet", data, kind="parquet")
    if cipher is not None:
        written.append(f"{stem}.key")
        publish(folder, f"{stem}.key", cipher.key_file(keys), kind="key")
    sync_folder(folder)
    hit("archive.data_synced")
    return DataFile(name=f"{stem}.parquet", size=len(data), sha256=sha256)


def _stands(path: Path, data: bytes) -> bool:
    """Whether this very seal was linked; where the disk does not say, assume it was."""
    try:
        return path.read_bytes() == data
    except FileNotFoundError:
        return False
    except OSError:
        return True


def _remove(folder: Path, names: Sequence[str]) -> None:
    for name in names:
        # A disk that refuses even this leaves waste that the next take-over sweeps.
        with suppress(OSError):
            (folder / name).unlink(missing_ok=True)


def digest(record: KafkaRecord, keys: ArchiveKeys) -> str:
    """A keyed check of a record as Kafka held it, to see later whether it still does."""
    return keys.digest(msgspec.msgpack.encode((record.timestamp, record.key, record.value)))


def _seal(
    part: PartitionId,
    cut: Cut,
    end: End,
    rows: Columns,
    file: DataFile | None,
    key_id: str,
    last_digest: str,
) -> Seal:
    bounds = pc.min_max(rows.table["kafka_timestamp"].cast("int64")).as_py()
    return Seal(
        schema=rows.schema,
        topic=part.topic,
        topic_id=part.topic_id,
        partition=part.partition,
        sequence=end.sequence,
        first=cut.first,
        last=cut.last,
        rows=rows.table.num_rows,
        rejected=ranges(rows.rejected),
        absent=cut.absent,
        expired=cut.expired,
        file=file,
        pseudonym_key=rows.pseudonym_key,
        last_digest=last_digest,
        from_ms=bounds["min"],
        to_ms=bounds["max"],
        occurred_from_us=rows.occurred[0] if rows.occurred else None,
        occurred_to_us=rows.occurred[1] if rows.occurred else None,
        previous=end.previous,
        sealed_at="",
        key_id=key_id,
    )
