"""Verifying the archive: every seal, file and offset, against public keys and kept heads."""

from __future__ import annotations

import stat
from collections.abc import Callable, Mapping
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from . import heads
from .chain import End, read_seal, stem_of
from .durable import FILE_MODE, FOLDER_MODE
from .errors import ArchiveError
from .findings import Finding, Report, What
from .keys import ArchiveKeys
from .layout import (
    HEADS,
    TEMPORARY,
    PartitionId,
    first_of_seal,
    partitions,
    range_of_data,
    seal_name,
    seals,
)
from .seal import Seal, SignedSeal, is_signed_by, span
from .verify_file import check_file

Progress = Callable[[], None]


class Verifier:
    """One walk through the archive in `root`; `report` fills while it goes.

    `public` holds the keys seals may be signed with. With `keys` (the private one) it is also
    checked that the accounts can still be decrypted.
    """

    def __init__(
        self,
        root: Path,
        public: Mapping[str, Ed25519PublicKey],
        *,
        keys: ArchiveKeys | None = None,
        progress: Progress = lambda: None,
    ) -> None:
        self.report = Report(accounts_checked=keys is not None)
        self._root = root
        self._public = public
        self._keys = keys
        self._progress = progress
        self._sealed: dict[tuple[PartitionId, int], heads.Head] = {}

    def run(self, kept_heads: Path | None = None) -> Report:
        """Verify all; `kept_heads` is a copy of heads.jsonl that was kept elsewhere."""
        ours = self._root / HEADS
        # Read before the walk: an archiver at work adds seals, and each has its head after it.
        lines = [(ours, *line) for line in heads.lines(ours)] if ours.exists() else []
        if kept_heads is not None:
            lines += [(kept_heads, *line) for line in heads.lines(kept_heads)]
        for folder in {self._root, *self._root.glob("*"), *self._root.glob("*/*")}:
            self._modes(folder)
        for part in partitions(self._root):
            self.report.partitions += 1
            self._partition(part)
        for path, number, line in lines:
            self._head(path, number, line)
        return self.report

    def _partition(self, part: PartitionId) -> None:
        folder = part.folder(self._root)
        expected: End | None = End()
        stems: set[str] = set()
        for first in seals(folder):
            path = folder / seal_name(first)
            try:
                signed = read_seal(path)
            except (ArchiveError, OSError) as failure:
                self._find(path, "bad_seal", "a seal", str(failure).removeprefix(f"{path}: "))
                expected = None
                continue
            self._sealed[part, first] = heads.head_of(signed)
            self._seal(path, part, first, signed)
            if expected is not None:
                self._link(path, signed.seal, expected)
            if signed.seal.file is not None:
                stems.add(stem_of(signed.seal.file.name))
                for what, wanted, found in check_file(folder, part, signed.seal, self._keys):
                    self._find(folder / signed.seal.file.name, what, wanted, found)
            self._count(signed.seal)
            expected = End(
                next_offset=signed.seal.last + 1,
                sequence=signed.seal.sequence + 1,
                previous=signed.sha256,
            )
            self._progress()
        self._names(folder, stems)

    def _seal(self, path: Path, part: PartitionId, first: int, signed: SignedSeal) -> None:
        seal = signed.seal
        named = PartitionId(topic=seal.topic, topic_id=seal.topic_id, partition=seal.partition)
        if (named, seal.first) != (part, first):
            self._find(path, "misplaced", f"{part} from {first}", f"{named} from {seal.first}")
        key = self._public.get(seal.key_id)
        if key is None:
            known = ", ".join(self._public)
            self._find(path, "signature", f"a key of {known}", f"key {seal.key_id}")
        elif not is_signed_by(signed, key):
            self._find(path, "signature", f"key {seal.key_id} over these bytes", "another content")
        parts = sorted([*seal.rejected, *seal.absent, *seal.expired])
        total = seal.rows + span(parts)
        if total != seal.last - seal.first + 1 or not _disjoint(parts, seal.first, seal.last):
            wanted = f"{seal.last - seal.first + 1} offsets, each accounted for once"
            self._find(path, "accounting", wanted, f"{total}")

    def _link(self, path: Path, seal: Seal, expected: End) -> None:
        if seal.first > expected.next_offset:
            self._find(
                path.with_name(seal_name(expected.next_offset)),
                "missing_segment",
                f"offsets {expected.next_offset} to {seal.first - 1}",
                "no seal",
            )
        elif seal.first < expected.next_offset:
            self._find(path, "overlap", f"first offset {expected.next_offset}", f"{seal.first}")
        if seal.previous != expected.previous:
            self._find(path, "order", f"behind seal {expected.previous}", f"seal {seal.previous}")
        elif seal.sequence != expected.sequence:
            self._find(path, "order", f"sequence {expected.sequence}", f"{seal.sequence}")

    def _names(self, folder: Path, stems: set[str]) -> None:
        """Modes of everything, and files nobody sealed."""
        self._modes(folder)
        for entry in sorted(folder.iterdir()):
            self._modes(entry)
            if first_of_seal(entry.name) is not None or stem_of(entry.name) in stems:
                continue
            if entry.name.startswith(TEMPORARY) or range_of_data(entry.name) is not None:
                self.report.leftovers += 1
            else:
                self._find(entry, "unknown_file", "seals, Parquet and key files", "another file")

    def _head(self, path: Path, number: int, line: bytes) -> None:
        head = heads.decode(line)
        if head is None:
            if not self._cut_short(path, line):
                self._find(path, "bad_head", "a head", f"line {number} is none")
            return
        part = PartitionId(topic=head.topic, topic_id=head.topic_id, partition=head.partition)
        self.report.heads += 1
        found = self._sealed.get((part, head.first))
        if found is None or found.sha256 != head.sha256:
            self._find(
                part.folder(self._root) / seal_name(head.first),
                "truncated" if found is None else "order",
                f"seal {head.sha256} (line {number} of {path.name})",
                "no seal" if found is None else f"seal {found.sha256}",
            )
        elif found != head:
            self._find(path, "bad_head", f"{found} in line {number}", f"{head}")

    def _cut_short(self, path: Path, line: bytes) -> bool:
        """A full disk may cut a line of our own list; a copy that was kept is whole."""
        return path == self._root / HEADS and any(
            heads.encode(head).startswith(line) for head in self._sealed.values()
        )

    def _modes(self, path: Path) -> None:
        try:
            found = path.lstat().st_mode
        except FileNotFoundError:
            return  # a writer's temporary file, gone meanwhile
        wanted = FOLDER_MODE if stat.S_ISDIR(found) else FILE_MODE
        if stat.S_IMODE(found) & ~wanted:
            self._find(path, "permissions", f"{wanted:04o}", f"{stat.S_IMODE(found):04o}")

    def _count(self, seal: Seal) -> None:
        report = self.report
        report.segments += 1
        report.records += seal.rows
        report.rejected += span(seal.rejected)
        report.absent += span(seal.absent)
        report.expired += span(seal.expired)
        report.file_bytes += seal.file.size if seal.file else 0

    def _find(self, path: Path, what: What, expected: str, found: str) -> None:
        inside = path.is_relative_to(self._root)
        self.report.findings.append(
            Finding(
                path=str(path.relative_to(self._root) if inside else path),
                what=what,
                expected=expected,
                found=found,
            )
        )


def _disjoint(parts: list[tuple[int, int]], first: int, last: int) -> bool:
    """Whether sorted ranges lie inside first..last and do not touch one another's offsets."""
    free = first
    for start, end in parts:
        if start < free or end < start:
            return False
        free = end + 1
    return free <= last + 1
