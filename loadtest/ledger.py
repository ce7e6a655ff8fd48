"""The ledger of truth: one line for each record that was delivered, with why it exists.

JSON Lines; with a name that ends in `.zst` compressed (about a tenth of the size).
"""

from __future__ import annotations

import io
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

import msgspec
import zstandard

from .attempts import Attempt
from .bad_records import Bad


class LedgerLine(msgspec.Struct, frozen=True, kw_only=True):
    """One delivered record. A planted bad one has `bad` and `bytes` (base64, None: no value).

    `copy` is 1 for the second delivery of a duplicate. `line` counts lines of a file from 1;
    `partition` and `offset` are what Kafka acknowledged.
    """

    event_id: str = ""
    profile: str = ""
    label: str = ""
    campaign: str = ""
    kind: str = ""
    account: str | None = None
    ip: str | None = None
    at_ms: int = 0
    outcome: str = ""
    copy: int = 0
    bad: str = ""
    bytes: str | None = None
    line: int | None = None
    partition: int | None = None
    offset: int | None = None


class Sink(Protocol):
    """Where lines are written: a file, or a compressor in front of one."""

    def write(self, data: bytes, /) -> int:
        """Take `data` whole."""
        ...


_OUTCOMES = ("failure", "success", "failure")
_encode = msgspec.json.encode


def told(attempt: Attempt, event_id: str) -> str:
    """The open beginning of an attempt's line, without its place and the closing brace."""
    truth = attempt.truth
    account = attempt.account
    if account is None or account.isalnum():
        name = "null" if account is None else f'"{account}"'
    else:
        name = _encode(account).decode()
    return (
        f'{{"event_id":"{event_id}","profile":"{truth.profile}","label":"{truth.label}",'
        f'"campaign":"{truth.campaign}","kind":"{truth.kind}","account":{name},'
        f'"ip":{"null" if attempt.ip is None else chr(34) + attempt.ip + chr(34)},'
        f'"at_ms":{attempt.at_ms},"outcome":"{_OUTCOMES[attempt.outcome]}"'
    )


def told_bad(bad: Bad) -> str:
    """The open beginning of a bad record's line; its bytes stand there whole."""
    value = "null" if bad.value is None else f'"{b64encode(bad.value).decode()}"'
    return f'{{"bad":"{bad.kind}","bytes":{value}'


@contextmanager
def writing(path: Path) -> Iterator[Sink]:
    """The ledger opened for writing."""
    with path.open("wb", buffering=1 << 20) as raw:
        if path.suffix != ".zst":
            yield raw
            return
        packer = zstandard.ZstdCompressor(level=3)
        with packer.stream_writer(raw, closefd=False) as packed:
            yield packed


def read(path: Path) -> Iterator[LedgerLine]:
    """The lines of a ledger, one after another."""
    decode = msgspec.json.Decoder(LedgerLine).decode
    with path.open("rb") as raw:
        if path.suffix == ".zst":
            unpacked = zstandard.ZstdDecompressor().stream_reader(raw)
            for line in io.BufferedReader(unpacked):
                yield decode(line)
            return
        for line in raw:
            yield decode(line)
