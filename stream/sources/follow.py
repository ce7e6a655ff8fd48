"""A log that is being written, read line by line across rotation, restarts and kill -9.

Rotation by rename and by copytruncate (logrotate(8)), with or without compression, also while
nobody was reading. What cannot be helped: lines a writer adds between logrotate's copy and its
truncation are lost to everybody; and what was written to an empty file, copied and truncated, all
between two looks of a running reader, cannot be recognised in the copy.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from detectors.errors import LoginwardError

from .base import Line
from .file_identity import changed_ns, find, inode, rotated
from .followed_part import SPAN, Part, copied, opened
from .lines import DAMAGE
from .positions import Position

AFTER_ROTATION_S = 5.0
"""How long a renamed file is still read: its writer holds it until it is told to reopen."""


class Follower:
    """Reads the log at `path` from `position` on, or from its beginning.

    `monotonic` gives seconds. `report` is told of what cannot be read any more; `gaps` counts it.
    Lines at places below `delivered_before` are read only to understand later ones.
    """

    def __init__(
        self,
        path: Path,
        position: Position | None,
        *,
        monotonic: Callable[[], float],
        report: Callable[[str], None],
    ) -> None:
        self.gaps = 0
        self.delivered_before = 0
        self._path = path
        self._monotonic = monotonic
        self._report = report
        self._renamed_at: float | None = None
        self._at_end = False
        self._there = {inode(entry): SPAN for entry in rotated(path)}
        if path.exists():
            self._there[inode(path)] = path.stat().st_size
        self._parts: list[Part] = []
        self._current = 0
        if position is not None:
            self._resume(position)

    def begin(self) -> bool:
        """Open the log if it is there and nothing is open yet; whether that happened now."""
        return not self._parts and self._open_written()

    def read(self, most: int) -> list[Line]:
        """Up to `most` complete lines; none where nothing has come yet."""
        self._at_end = True  # look first whether it is still the same file
        lines: list[Line] = []
        try:
            while len(lines) < most and (line := self._next()) is not None:
                lines.append(line)
        except FileNotFoundError:
            return lines  # a rotation is under way: the next look finds it done
        return lines

    def was_there(self, at: int) -> bool:
        """Whether the line at `at` had been written before following began."""
        part = self._part_of(at)
        return at - part.base < part.there

    def place(self, at: int) -> tuple[str, int]:
        """Name of the file (when it was opened) and byte at which the line at `at` begins."""
        part = self._part_of(at)
        return part.name, at - part.base

    def position(self, needed_from: int | None) -> Position | None:
        """Where to resume if every line read so far is delivered; older files are let go.

        `needed_from`: the oldest line that matters to what follows. None before the first file.
        """
        if not self._parts:
            return None
        current = self._parts[self._current]
        warm_from = current.at if needed_from is None else min(needed_from, current.at)
        first = self._parts.index(self._part_of(warm_from))
        for part in self._parts[:first]:
            part.close()
        del self._parts[:first]
        self._current -= first
        current.grow()
        return Position(
            version=1,
            path=str(self._path),
            files=[part.identity for part in self._parts[: self._current + 1]],
            warm_from=warm_from - self._parts[0].base,
            delivered=current.offset,
            changed_ns=current.changed_ns,
        )

    def close(self) -> None:
        """Close all files."""
        for part in self._parts:
            part.close()

    def _part_of(self, at: int) -> Part:
        return next(part for part in reversed(self._parts) if part.base <= at)

    def _next(self) -> Line | None:
        while True:
            if not self._parts and not self._open_written():
                return None
            part = self._parts[self._current]
            last = self._current + 1 == len(self._parts)
            over = not last or part.retired or (self._at_end and self._left_behind(part))
            line = self._line(self._parts[self._current], final=over)
            self._at_end = line is None
            if line is not None:
                return line
            if not over or (last and not self._open_next()):
                return None
            self._current += 1
            self._at_end, self._renamed_at = False, None

    def _line(self, part: Part, *, final: bool) -> Line | None:
        try:
            return part.line(final=final)
        except DAMAGE as problem:
            part.spend()
            self._gap(f"{part.name}: cannot be read behind byte {part.offset}: {problem}")
            return None

    def _left_behind(self, part: Part) -> bool:
        """Whether the file being read is no longer the one that is written."""
        if part.truncated():
            self._go_on_in_copy(part)
            return True
        part.grow()
        try:
            now = inode(self._path)
        except FileNotFoundError:
            return False  # renamed; its successor does not exist yet
        if now == (part.identity.device, part.identity.inode):
            return False
        if self._renamed_at is None:
            self._renamed_at = self._monotonic()
        return self._monotonic() - self._renamed_at >= AFTER_ROTATION_S

    def _go_on_in_copy(self, part: Part) -> None:
        """Go on in the copy that was made before the truncation, where there is one."""
        copy = find(self._path, part.identity)
        if copy is None:
            part.spend()
            self._gap(f"{part.name}: truncated behind byte {part.offset}, and no copy is left")
            return
        self._parts[self._current] = copied(copy, part)
        part.close()

    def _open_next(self) -> bool:
        """Open what was written after the current part; False where nothing is there yet."""
        part = self._parts[self._current]
        older = rotated(self._path)
        here = find(self._path, part.identity)
        if here in older:
            newer = older[older.index(here) + 1 :]
        else:
            newer = self._newer_than(part.changed_ns)
        if not newer:
            return self._open_written()
        self._open(newer[0])
        return True

    def _open_written(self) -> bool:
        try:
            self._open(self._path)
        except FileNotFoundError:
            return False
        return True

    def _open(self, path: Path) -> None:
        base = self._parts[-1].base + SPAN if self._parts else 0
        part = opened(path, base=base, there=self._there.get(inode(path), 0))
        if part.retired and path == self._path:
            part.close()
            raise LoginwardError(
                f"{path}: is compressed, so nobody writes to it; leave out --follow"
            )
        self._parts.append(part)

    def _newer_than(self, after_ns: int) -> list[Path]:
        return [file for file in rotated(self._path) if changed_ns(file) > after_ns]

    def _gap(self, what: str) -> None:
        self.gaps += 1
        self._report(what)

    def _resume(self, position: Position) -> None:
        found = [find(self._path, known) for known in position.files]
        if position.files[-1].head_bytes == 0:
            # It was empty, so it can be known by its time alone; and nothing was read of it.
            after = next(iter(self._newer_than(position.changed_ns)), self._path)
            if not after.exists():
                return
            found[-1] = after
        last = found[-1]
        if last is None:
            self._gap(
                f"{self._path.name}: the file read last is gone, and with it what stood behind "
                f"byte {position.delivered}"
            )
            return
        if None in found:
            # What lines of the lost file began cannot be known; what was delivered, can.
            found, warm_from = [last], position.delivered
        else:
            warm_from = position.warm_from
        for file in filter(None, found):
            self._open(file)
        try:
            self._parts[0].seek(warm_from)
        except DAMAGE as problem:
            self._gap(f"{self._parts[0].name}: cannot be read up to byte {warm_from}: {problem}")
            self._parts[0].spend()
        self.delivered_before = self._parts[-1].base + position.delivered
