"""A log file with its writer and rotations, and one reader at a time."""

from __future__ import annotations

import gzip
import os
import shutil
from dataclasses import dataclass, field
from pathlib import Path

from stream.sources.follow import AFTER_ROTATION_S, Follower
from stream.sources.positions import Position


@dataclass
class Clock:
    """Seconds that pass when a test says so."""

    now: float = 0.0

    def __call__(self) -> float:
        """The time."""
        return self.now


@dataclass
class World:
    """A log file with its writer and rotations, and one reader at a time."""

    folder: Path
    clock: Clock = field(default_factory=Clock)
    reports: list[str] = field(default_factory=list)
    written: int = 0
    position: Position | None = None
    got: list[int] = field(default_factory=list)
    saved: int = 0

    def __post_init__(self) -> None:
        self.log = self.folder / "auth.log"
        self.reader = self.start()

    def start(self) -> Follower:
        """A reader that knows the saved position and nothing else."""
        return Follower(self.log, self.position, monotonic=self.clock, report=self.reports.append)

    def write(self, number: int = 1, *, end: str = "\n") -> None:
        """Append lines `line 1`, `line 2`, ... of 40 bytes."""
        self.write_end()
        with self.log.open("a") as log:
            for _ in range(number):
                self.written += 1
                log.write(f"line {self.written:<34}{end}")

    def write_end(self) -> None:
        """End the last line, if it has no end."""
        if self.log.exists() and self.log.read_bytes()[-1:] not in {b"", b"\n"}:
            with self.log.open("a") as log:
                log.write("\n")

    def read(self, most: int = 1000) -> list[int]:
        """Numbers of the lines that come; the time after each rotation passes."""
        got: list[int] = []
        for _ in range(40):
            got += self.look(most - len(got))
            self.clock.now += AFTER_ROTATION_S / 2 + 1
        return got

    def look(self, most: int) -> list[int]:
        """Numbers of the lines that are there, without waiting."""
        return [
            int(line.raw.split()[1])
            for line in self.reader.read(most)
            if line.at >= self.reader.delivered_before
        ]

    def save(self, back: int | None = None) -> None:
        """Keep the position; lines from place `back` on are still needed."""
        self.position = self.reader.position(back)
        self.saved = len(self.got)

    def restart(self) -> None:
        """Kill the reader, whose unsaved lines will come again, and start another."""
        del self.got[self.saved :]
        self.reader.close()
        self.reader = self.start()

    def shift(self) -> None:
        """Make room for .1 as logrotate does."""
        for number in range(40, 0, -1):
            for suffix in ("", ".gz"):
                old = self.log.with_name(f"auth.log.{number}{suffix}")
                if old.exists():
                    old.rename(self.log.with_name(f"auth.log.{number + 1}{suffix}"))

    def rename(self) -> None:
        """Rotate by rename and create."""
        if self.log.exists():
            self.shift()
            self.log.rename(self.log.with_name("auth.log.1"))
        self.log.touch()

    def copytruncate(self, *, look: bool = False) -> None:
        """Rotate by copy and truncation."""
        if look:
            self.got += self.look(1)
        if self.log.exists():
            self.shift()
            shutil.copyfile(self.log, self.log.with_name("auth.log.1"))
            os.truncate(self.log, 0)

    def compress(self) -> None:
        """Compress the newest rotated file, keeping its time as gzip does."""
        plain = self.log.with_name("auth.log.1")
        if plain.exists():
            status, packed = plain.stat(), self.log.with_name("auth.log.1.gz")
            packed.write_bytes(gzip.compress(plain.read_bytes()))
            os.utime(packed, ns=(status.st_atime_ns, status.st_mtime_ns))
            plain.unlink()
