"""The columns of `logins`: every record that decodes, its account encrypted, nothing left out."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import pyarrow as pa

from detectors import wire
from detectors.errors import Rejected
from detectors.events import LoginEvent
from detectors.pseudonyms import Pseudonyms

from . import extras
from .cipher import SegmentCipher
from .layout import PartitionId
from .records import Columns, KafkaRecord, headers, identity
from .times import microseconds

SCHEMA = "logins/1"
LARGEST_SEQ = 2**63 - 1

_TEXTS: tuple[str, ...] = (
    "system",
    "source",
    "event_id",
    "outcome",
    "reason",
    "channel",
    "account_class",
    "device_id",
    "fingerprint",
    "user_agent",
    "session_id",
    "action",
    "instrument",
    "market",
)


def columns(
    part: PartitionId,
    records: Sequence[KafkaRecord],
    pseudonyms: Pseudonyms,
    cipher: SegmentCipher,
) -> Columns:
    """The decoded events of `records`; those that `wire.decode` refuses are named, not kept."""
    kept, events, rejected = _decoded(records)
    occurred = [microseconds(event.occurred_at) for event in events]
    accounts, encrypted = _accounts(events, pseudonyms, cipher)
    texts = {name: pa.array([getattr(e, name) for e in events], pa.string()) for name in _TEXTS}
    table = pa.table(
        identity(part, kept)
        | {
            "occurred_at": pa.array(occurred, pa.timestamp("us", "UTC")),
            "received_at": pa.array(
                [e.received_at and microseconds(e.received_at) for e in events],
                pa.timestamp("us", "UTC"),
            ),
            "account_pseudonym": accounts,
            "account_encrypted": encrypted,
            "ip": pa.array([e.ip for e in events], pa.string()),
            "ip_packed": _by_value([e.ip for e in events], packed, pa.binary()),
            "mfa": pa.array([e.mfa for e in events], pa.bool_()),
            "origin_country": pa.array(
                [e.origin and e.origin.country for e in events], pa.string()
            ),
            "origin_asn": pa.array([e.origin and e.origin.asn for e in events], pa.uint32()),
            "seq": pa.array([_storable(e.seq) for e in events], pa.int64()),
        }
        | texts
        | {
            "headers": headers(kept),
            "extra_encrypted": _extras(kept, events, pseudonyms, cipher),
        }
    )
    return Columns(
        schema=SCHEMA,
        table=table,
        rejected=rejected,
        occurred=(min(occurred), max(occurred)) if occurred else None,
        pseudonym_key=pseudonyms.key_id,
    )


def _decoded(
    records: Sequence[KafkaRecord],
) -> tuple[list[KafkaRecord], list[LoginEvent], list[int]]:
    kept: list[KafkaRecord] = []
    events: list[LoginEvent] = []
    rejected: list[int] = []
    for record in records:
        try:
            events.append(wire.decode(record.value))
        except Rejected:
            rejected.append(record.offset)
        else:
            kept.append(record)
    return kept, events, rejected


def _accounts(
    events: Iterable[LoginEvent], pseudonyms: Pseudonyms, cipher: SegmentCipher
) -> tuple[Any, Any]:
    """Pseudonym and ciphertext of each event's account; each computed once an account."""
    names = [event.account for event in events]
    return (
        _by_value(names, pseudonyms.account, pa.string()),
        _by_value(
            names,
            lambda name: cipher.encrypt_account(pseudonyms.account(name), name),
            pa.binary(),
        ),
    )


def _by_value(cells: Sequence[str | None], make: Callable[[str], Any], kind: Any) -> Any:
    """`make` of each cell, called once a distinct value; None stays None."""
    places: dict[str | None, int | None] = {None: None}
    distinct: list[str] = []
    codes: list[int | None] = []
    for cell in cells:
        if cell not in places:
            places[cell] = len(distinct)
            distinct.append(cell)  # type: ignore[arg-type]  # None is in places from the start
        codes.append(places[cell])
    return pa.array([make(value) for value in distinct], kind).take(pa.array(codes, pa.int32()))


def _extras(
    records: Sequence[KafkaRecord],
    events: Sequence[LoginEvent],
    pseudonyms: Pseudonyms,
    cipher: SegmentCipher,
) -> Any:
    cells: list[bytes | None] = []
    for record, event in zip(records, events, strict=True):
        extra = extras.unknown(record.value or b"", event)
        if extra is None:
            cells.append(None)
            continue
        pseudonym = None if event.account is None else pseudonyms.account(event.account)
        cells.append(cipher.encrypt_extra(pseudonym, record.offset, extra))
    return pa.array(cells, pa.binary())


def _storable(seq: int | None) -> int | None:
    """A number a Parquet column holds; `extras` keeps the others."""
    return seq if seq is not None and -LARGEST_SEQ <= seq <= LARGEST_SEQ else None


def packed(ip: str) -> bytes:
    """A canonical address as 16 bytes (IPv4 mapped into IPv6), so that networks are ranges."""
    address = ipaddress.ip_address(ip)
    return address.packed if address.version == 6 else b"\0" * 10 + b"\xff\xff" + address.packed  # noqa: PLR2004
