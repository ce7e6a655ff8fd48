"""The chain of one partition's seals: where it ends, and what lies beside it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from .durable import sweep, sync_folder
from .errors import ArchiveError
from .layout import TEMPORARY, range_of_data, seal_name, seals
from .seal import LARGEST, NO_SEAL, SignedSeal, decode


@dataclass(frozen=True, slots=True, kw_only=True)
class End:
    """What the next segment follows: its first offset, its place in the chain, the seal before."""

    next_offset: int = 0
    sequence: int = 0
    previous: str = NO_SEAL
    last_digest: str | None = None


def read_seal(path: Path) -> SignedSeal:
    """The seal in a file, not yet verified. Raises ArchiveError with its path."""
    with path.open("rb") as file:
        data = file.read(LARGEST + 1)
    try:
        return decode(data)
    except ArchiveError as failure:
        raise ArchiveError(f"{path}: {failure}; run `loginward archive verify`") from None


def sealed(folder: Path) -> Iterator[SignedSeal]:
    """All seals of a partition's folder, by offset. Raises ArchiveError where one is unreadable."""
    for first in seals(folder):
        yield read_seal(folder / seal_name(first))


def end(folder: Path) -> End:
    """Where the chain in `folder` ends; the start of a chain where there is no seal."""
    found = seals(folder)
    if not found:
        return End()
    signed = read_seal(folder / seal_name(found[-1]))
    if signed.seal.first != found[-1]:
        raise ArchiveError(
            f"{folder / seal_name(found[-1])}: seals offset {signed.seal.first}, not its name's; "
            "run `loginward archive verify`"
        )
    return End(
        next_offset=signed.seal.last + 1,
        sequence=signed.seal.sequence + 1,
        previous=signed.sha256,
        last_digest=signed.seal.last_digest,
    )


def take_over(folder: Path) -> End:
    """Tidy the folder, make its entries durable, and say where the chain ends.

    A data file whose first offset is not yet sealed may be another archiver's that is about to be
    sealed, so it stays; once that offset is sealed, every other file that begins there is waste.
    """
    found = end(folder)
    waste = _waste(folder, found)
    sweep(folder, lambda name: name.startswith(TEMPORARY) or stem_of(name) in waste)
    sync_folder(folder)
    return found


def _waste(folder: Path, found: End) -> set[str]:
    """Stems of data files that begin at a sealed offset and are not the sealed ones."""
    stems: dict[int, set[str]] = {}
    for entry in folder.iterdir():
        held = range_of_data(entry.name)
        if held is not None and held[0] < found.next_offset:
            stems.setdefault(held[0], set()).add(stem_of(entry.name))
    bounds = [*(at for at in seals(folder) if at < found.next_offset), found.next_offset]
    waste: set[str] = set()
    for first, after in pairwise(bounds):
        names = stems.get(first, set())
        # A seal is read only where a name contradicts it: there may be a hundred thousand of them.
        if len(names) > 1 or any(range_of_data(f"{n}.key") != (first, after - 1) for n in names):
            file = read_seal(folder / seal_name(first)).seal.file
            waste |= names - ({stem_of(file.name)} if file else set())
    return waste


def stem_of(name: str) -> str:
    """A data file's name without its suffix: what Parquet and key file of a segment share."""
    return name.rpartition(".")[0]
