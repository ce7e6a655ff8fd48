"""Reading sealed segments back: records byte for byte, logins as the events they were."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import pyarrow.parquet as pq

from detectors.events import LoginEvent, Origin

from . import chain, logins, records
from .chain import stem_of
from .cipher import SegmentCipher
from .encoding import binding
from .errors import ArchiveError
from .keys import ArchiveKeys
from .layout import PartitionId, partitions
from .records import Record, decoded_headers
from .seal import Seal
from .times import instant


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchivedLogin:
    """One archived login: its identity, Kafka's timestamp (ms), the event, its unknown fields."""

    part: PartitionId
    offset: int
    timestamp: int
    event: LoginEvent
    headers: records.Headers
    extra: bytes | None


def segments(root: Path, topic: str) -> Iterator[tuple[PartitionId, Seal]]:
    """All sealed segments of a topic, by partition and offset; unsealed files do not exist here."""
    for part in partitions(root):
        if part.topic == topic:
            for signed in chain.sealed(part.folder(root)):
                yield part, signed.seal


def read_records(root: Path, topic: str, keys: ArchiveKeys) -> Iterator[tuple[PartitionId, Record]]:
    """Every archived record of a topic that is kept byte for byte. Raises ArchiveError."""
    for part, seal in segments(root, topic):
        for row in _rows(root, part, seal, records.SCHEMA):
            value = row["value"]
            if row["value_encrypted"] is not None:
                cipher = cipher_of(root, part, seal, keys)
                value = cipher.decrypt_value(row["offset"], row["value_encrypted"])
            yield (
                part,
                Record(
                    offset=row["offset"],
                    timestamp=row["kafka_timestamp"],
                    key=row["key"],
                    value=value,
                    headers=decoded_headers(row["headers"]),
                ),
            )


def read_logins(root: Path, keys: ArchiveKeys) -> Iterator[ArchivedLogin]:
    """Every archived login, its account decrypted. Raises ArchiveError."""
    for part, seal in segments(root, "logins"):
        if seal.file is None:
            continue
        cipher = cipher_of(root, part, seal, keys)
        for row in _rows(root, part, seal, logins.SCHEMA):
            yield _login(part, row, cipher)


def cipher_of(root: Path, part: PartitionId, seal: Seal, keys: ArchiveKeys) -> SegmentCipher:
    """The cipher of a sealed segment. Raises ArchiveError where its key file does not fit."""
    assert seal.file is not None  # noqa: S101 (callers come from a row of that file)
    path = part.folder(root) / f"{stem_of(seal.file.name)}.key"
    try:
        data = path.read_bytes()
    except OSError as failure:
        raise ArchiveError(
            f"{path}: {failure.strerror}; without it the accounts of this segment stay encrypted"
        ) from None
    return SegmentCipher.load(data, keys, binding(part, seal.first))


def _rows(root: Path, part: PartitionId, seal: Seal, schema: str) -> Iterator[dict[str, Any]]:
    """Rows as dicts, timestamps as numbers (a year 10000 in UTC is no Python datetime)."""
    if seal.file is None:
        return
    path = part.folder(root) / seal.file.name
    if seal.schema != schema:
        raise ArchiveError(
            f"{path}: has schema '{seal.schema}', not '{schema}'; read it with the release of "
            "loginward that knows it"
        )
    with pq.ParquetFile(path) as file:
        for batch in file.iter_batches():
            yield from _numeric(batch).to_pylist()


def _numeric(batch: Any) -> Any:
    for at, column in enumerate(batch.schema):
        if str(column.type).startswith("timestamp"):
            batch = batch.set_column(at, column.name, batch.column(at).cast("int64"))
    return batch


def _login(part: PartitionId, row: dict[str, Any], cipher: SegmentCipher) -> ArchivedLogin:
    pseudonym, account, extra = row["account_pseudonym"], None, None
    if row["account_encrypted"] is not None:
        account = cipher.decrypt_account(pseudonym, row["account_encrypted"])
    if row["extra_encrypted"] is not None:
        extra = cipher.decrypt_extra(pseudonym, row["offset"], row["extra_encrypted"])
    return ArchivedLogin(
        part=part,
        offset=row["offset"],
        timestamp=row["kafka_timestamp"],
        event=_event(row, account, extra),
        headers=decoded_headers(row["headers"]),
        extra=extra,
    )


def _event(row: dict[str, Any], account: str | None, extra: bytes | None) -> LoginEvent:
    fields = {name: row[name] for name in LoginEvent.__struct_fields__ if name in row}
    fields["occurred_at"] = instant(row["occurred_at"])
    fields["received_at"] = None if row["received_at"] is None else instant(row["received_at"])
    if row["origin_country"] is not None or row["origin_asn"] is not None:
        fields["origin"] = Origin(country=row["origin_country"], asn=row["origin_asn"])
    if row["seq"] is None and extra is not None:
        big = msgspec.json.decode(extra).get("seq")
        fields["seq"] = None if big is None else int(big)
    return LoginEvent(schema=1, account=account, **fields)
