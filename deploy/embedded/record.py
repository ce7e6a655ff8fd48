"""What is written down about a server beside its data: its process and its ports."""

import os
from pathlib import Path

import msgspec

FILE_NAME = "server.json"
STOPPED = 0  # for a process id: it was stopped in order


class ServerRecord(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The last start of a server. Ports stay valid when it is down: they are tried first."""

    pid: int  # STOPPED after a stop in order
    ports: dict[str, int]  # by listener name
    owner: int | None = None  # the process whose end ends it; None: it outlives its starter
    version: str = ""
    started_at: str = ""  # RFC 3339, UTC; for people


def read_record(directory: Path) -> ServerRecord | None:
    """Give the record, or None where there is none or it was cut short: it can be remade."""
    try:
        return msgspec.json.decode((directory / FILE_NAME).read_bytes(), type=ServerRecord)
    except (FileNotFoundError, msgspec.DecodeError):
        return None


def write_record(directory: Path, record: ServerRecord) -> None:
    """Write the record so that a reader sees the old one or the new one, never half."""
    target = directory / FILE_NAME
    scratch = target.with_suffix(f".{os.getpid()}")
    try:
        scratch.write_bytes(msgspec.json.format(msgspec.json.encode(record)) + b"\n")
        scratch.replace(target)
    finally:
        scratch.unlink(missing_ok=True)
