"""Which logins: by account, address, time, system, outcome, over sealed segments only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from detectors.pseudonyms import Pseudonyms

from . import times
from .database import database_of
from .errors import ArchiveError
from .keys import ArchiveKeys
from .layout import PartitionId
from .logins import packed
from .read import cipher_of, segments
from .seal import Seal

FIELDS: Mapping[str, str] = {
    "occurred_at": "epoch_us(occurred_at)",
    "system": "system",
    "action": "action",
    "outcome": "outcome",
    "reason": "reason",
    "account": "account_pseudonym",
    "ip": "ip",
    "source": "source",
    "event_id": "event_id",
    "channel": "channel",
    "mfa": "mfa",
    "account_class": "account_class",
    "device_id": "device_id",
    "fingerprint": "fingerprint",
    "user_agent": "user_agent",
    "session_id": "session_id",
    "origin_country": "origin_country",
    "origin_asn": "origin_asn",
    "instrument": "instrument",
    "market": "market",
    "seq": "seq",
    "received_at": "epoch_us(received_at)",
    "kafka_timestamp": "epoch_us(kafka_timestamp)",
    "topic_id": "topic_id",
    "partition": '"partition"',
    "offset": '"offset"',
}
"""What an answer says of a login, and how DuckDB reads it; times leave it as microseconds."""

_TIMES = ("occurred_at", "received_at", "kafka_timestamp")

Answer = list[dict[str, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """All that is given must hold. `since` is inside, `until` is not; both by `occurred_at`."""

    account: str | None = None
    network: IPv4Network | IPv6Network | None = None
    since: datetime | None = None
    until: datetime | None = None
    system: str | None = None
    outcome: str | None = None
    limit: int = 1000


def ask(
    root: Path,
    question: Question,
    pseudonyms: Pseudonyms,
    *,
    keys: ArchiveKeys | None = None,
    reveal: bool = False,
) -> Answer:
    """The logins that fit, by time and then place, times as RFC 3339, at most `question.limit`.

    Accounts are pseudonyms, unless `reveal` (needs `keys`). Segments that were sealed under another
    pseudonym key are searched by decrypting their accounts (needs `keys`). Raises ArchiveError.
    """
    files = {
        str(part.folder(root) / seal.file.name): (part, seal)
        for part, seal in segments(root, "logins")
        if seal.file is not None and _overlaps(seal, question)
    }
    if not files:
        return []
    names = None
    if question.account is not None:
        names = _names(root, question.account, files, pseudonyms, keys)
    rows = _select(list(files), *_conditions(question, names), question.limit)
    if reveal:
        _reveal(root, rows, files, keys)
    for row in rows:
        del row["filename"], row["account_encrypted"]
        for name in _TIMES:
            row[name] = None if row[name] is None else times.text(row[name])
    return rows


Files = Mapping[str, tuple[PartitionId, Seal]]


def _overlaps(seal: Seal, question: Question) -> bool:
    first, last = seal.occurred_from_us, seal.occurred_to_us
    if first is None or last is None:
        return False
    if question.since is not None and last < times.microseconds(question.since):
        return False
    return question.until is None or first < times.microseconds(question.until)


def _names(
    root: Path, account: str, files: Files, pseudonyms: Pseudonyms, keys: ArchiveKeys | None
) -> list[str]:
    """The pseudonyms of `account` under every key that these segments were sealed with."""
    names = {pseudonyms.account(account)}
    for path, (part, seal) in files.items():
        if seal.pseudonym_key != pseudonyms.key_id:
            names |= _decrypted_names(root, path, part, seal, account, _needed(keys, path))
    return sorted(names)


def _decrypted_names(
    root: Path, path: str, part: PartitionId, seal: Seal, account: str, keys: ArchiveKeys
) -> set[str]:
    cipher = cipher_of(root, part, seal, keys)
    columns = pq.read_table(path, columns=["account_pseudonym", "account_encrypted"])
    pairs = columns.group_by(columns.column_names).aggregate([]).to_pylist()
    return {
        pair["account_pseudonym"]
        for pair in pairs
        if pair["account_encrypted"] is not None
        and cipher.decrypt_account(pair["account_pseudonym"], pair["account_encrypted"]) == account
    }


def _needed(keys: ArchiveKeys | None, path: str) -> ArchiveKeys:
    if keys is None:
        raise ArchiveError(
            f"{path}: its accounts must be decrypted, and archive.key_file is not here; "
            "ask on the machine that holds the key"
        )
    return keys


def _conditions(question: Question, names: list[str] | None) -> tuple[list[str], list[Any]]:
    wanted: list[tuple[str, list[Any]]] = []
    if names is not None:
        wanted.append(("account_pseudonym IN (SELECT unnest(?::VARCHAR[]))", [names]))
    if question.network is not None:
        first, last = question.network[0], question.network[-1]
        wanted.append(("ip_packed BETWEEN ? AND ?", [packed(str(first)), packed(str(last))]))
    if question.since is not None:
        wanted.append(("occurred_at >= make_timestamp(?)", [times.microseconds(question.since)]))
    if question.until is not None:
        wanted.append(("occurred_at < make_timestamp(?)", [times.microseconds(question.until)]))
    if question.system is not None:
        wanted.append(("system = ?", [question.system]))
    if question.outcome is not None:
        wanted.append(("outcome = ?", [question.outcome]))
    return [text for text, _ in wanted], [value for _, values in wanted for value in values]


def _select(files: list[str], conditions: list[str], values: list[Any], limit: int) -> Answer:
    # Built from constants of this file alone; whatever was typed is a parameter.
    columns = ", ".join(f'{source} AS "{name}"' for name, source in FIELDS.items())
    where = f"WHERE {' AND '.join(conditions)}" if conditions else ""
    statement = (
        f"SELECT {columns}, filename, account_encrypted "  # noqa: S608
        "FROM read_parquet(?, filename = true, hive_partitioning = false) "
        f'{where} ORDER BY occurred_at, topic_id, "partition", "offset" LIMIT ?'
    )
    with database_of(files) as database:
        cursor = database.execute(statement, [files, *values, limit])
        names = [column[0] for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def _reveal(root: Path, rows: Answer, files: Files, keys: ArchiveKeys | None) -> None:
    ciphers: dict[str, Any] = {}
    for row in rows:
        if row["account_encrypted"] is None:
            continue
        path = row["filename"]
        if path not in ciphers:
            ciphers[path] = cipher_of(root, *files[path], _needed(keys, path))
        row["account"] = ciphers[path].decrypt_account(row["account"], row["account_encrypted"])
