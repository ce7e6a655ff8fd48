"""A file that is appended to and never changed, each line naming the hash of the one before.

A cut-off or altered line breaks the chain there; what stands before still holds, and the damage is
told. That the end was cut off shows by the head: every record of `judged` names it, and the archive
seals those.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, Protocol, TypeVar

import msgspec

from detectors.errors import LoginwardError, escaped

START = "0" * 64
_LONGEST = 64 * 1024 * 1024
_encoder = msgspec.json.Encoder()


class Link(Protocol):
    """A line: its number from 1 on, and the SHA-256 of the line before it (zeros for the first)."""

    @property
    def number(self) -> int:
        """From 1 on."""
        ...

    @property
    def previous(self) -> str:
        """Hash of the bytes of the line before it, without its line end."""
        ...


L = TypeVar("L", bound=Link)


@dataclass(frozen=True, slots=True, kw_only=True)
class Chain(Generic[L]):
    """All lines up to the first damage, the hash of the last good one, and the damage if any."""

    lines: tuple[L, ...] = ()
    head: str = START
    damage: str | None = None


def read_chain(path: Path, decoder: msgspec.json.Decoder[L]) -> Chain[L]:
    """The lines of `path`; none where there is no such file. Raises OSError."""
    try:
        data = path.read_bytes() if path.stat().st_size <= _LONGEST else None
    except FileNotFoundError:
        return Chain()
    if data is None:
        return Chain(damage=f"{path}: larger than {_LONGEST >> 20} MiB; is it ours?")
    return _read(data, path, decoder)


def _read(data: bytes, path: Path, decoder: msgspec.json.Decoder[L]) -> Chain[L]:
    lines: list[L] = []
    head = START
    # What has no line end was never acknowledged: the next append takes its place.
    for number, raw in enumerate(data.split(b"\n")[:-1], start=1):
        try:
            line = decoder.decode(raw)
        except (msgspec.DecodeError, UnicodeDecodeError) as failure:
            return _damaged(lines, head, f"{path}:{number}: {escaped(str(failure), 200)}")
        if (line.number, line.previous) != (number, head):
            return _damaged(
                lines, head, f"{path}:{number}: does not follow the line before it; one was altered"
            )
        lines.append(line)
        head = hashlib.sha256(raw).hexdigest()
    return Chain(lines=tuple(lines), head=head)


def _damaged(lines: list[L], head: str, damage: str) -> Chain[L]:
    return Chain(lines=tuple(lines), head=head, damage=damage)


def append_link(
    path: Path, decoder: msgspec.json.Decoder[L], make: Callable[[Chain[L]], L | None]
) -> L | None:
    """One more line, on the disk when this returns.

    `make` sees the chain as it stands, nobody else writing, and gives the line, None for none, or
    raises. Raises LoginwardError where the chain is damaged, OSError where it cannot be written.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with _locked(path) as handle:
        known = read_chain(path, decoder)
        if known.damage is not None:
            raise LoginwardError(
                f"{known.damage}. Nothing is added to a damaged ledger: put the backup in its place"
            )
        line = make(known)
        if line is None:
            return None
        raw = _encoder.encode(line)
        decoder.decode(raw)  # what could not be read again is never written
        end = os.lseek(handle, 0, os.SEEK_END)
        os.ftruncate(handle, _acknowledged(handle, end))
        os.lseek(handle, 0, os.SEEK_END)
        _write(handle, raw + b"\n")
        os.fsync(handle)
    _sync_folder(path.parent)
    return line


def _write(handle: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(handle, view) :]


def _acknowledged(handle: int, end: int) -> int:
    """How many bytes are whole lines."""
    at = end
    while at:
        size = min(at, 65_536)
        found = os.pread(handle, size, at - size).rfind(b"\n")
        if found >= 0:
            return at - size + found + 1
        at -= size
    return 0


@contextmanager
def _locked(path: Path) -> Iterator[int]:
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield handle
    finally:
        os.close(handle)


def _sync_folder(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
