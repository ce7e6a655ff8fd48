"""A followed log: every line once in order, through rotation, truncation and restarts."""

from __future__ import annotations

import gzip
import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from detectors.errors import LoginwardError
from stream.sources.file_identity import HEAD_BYTES
from stream.sources.follow import AFTER_ROTATION_S, Follower
from stream.sources.positions import Position, load_position, only_one, save_position


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


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """Give a folder with a log to come."""
    made = World(tmp_path)
    yield made
    made.reader.close()


def test_lines_come_as_they_are_written(world: World) -> None:
    """A log that does not exist yet is awaited; then each line comes once."""
    assert world.read() == []

    world.write(2)
    first = world.read()
    world.write(1)

    assert (first, world.read(), world.read()) == ([1, 2], [3], [])


def test_half_a_line_is_awaited(world: World) -> None:
    """A line comes when its end is written, however long that takes."""
    world.write(1)
    world.write(1, end="")
    half = world.read()
    with world.log.open("a") as log:
        log.write("\n")

    assert (half, world.read()) == ([1], [2])


@pytest.mark.parametrize("rotate", [World.rename, World.copytruncate])
def test_rotation_loses_nothing(world: World, rotate: Callable[[World], None]) -> None:
    """What was not read before the rotation comes first, then the new file."""
    world.write(3)
    assert world.read(2) == [1, 2]

    world.write(2)
    rotate(world)
    world.write(2)

    assert world.read() == [3, 4, 5, 6, 7]
    assert world.reader.gaps == 0


def test_a_writer_may_keep_the_renamed_file_for_a_while(world: World) -> None:
    """Lines written to the old file after the rename come too, before those of the new one."""
    world.write(1)
    world.read()
    with world.log.open("a") as old:
        world.rename()
        assert world.reader.read(10) == []
        old.write("line 2\n")
    world.written = 2
    world.write(1)

    assert world.read() == [2, 3]


def test_the_last_line_of_a_finished_file_needs_no_end(world: World) -> None:
    """A daemon that died in the middle of a line never ends it; after rotation it is a line."""
    world.write(1)
    world.write(1, end="")
    world.reader.begin()
    world.rename()
    world.write(1)

    assert world.read() == [1, 2, 3]


def test_an_empty_log_is_known_by_its_time(world: World) -> None:
    """Written and rotated by copy while nobody read: what was empty has no first bytes to know."""
    world.log.touch()
    world.reader.begin()
    world.save()
    world.write(3)
    world.copytruncate()
    world.write(1)
    world.restart()

    assert world.read() == [1, 2, 3, 4]


@pytest.mark.parametrize("rotations", [1, 2, 3])
@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("rotate", [World.rename, World.copytruncate])
def test_a_restart_after_rotations_goes_on_where_it_was(
    world: World, rotate: Callable[[World], None], packed: bool, rotations: int
) -> None:
    """Rotated and compressed while nobody read: the rest of the old file, then all newer ones."""
    world.write(30)
    assert len(world.read(10)) == 10
    world.save()
    for _ in range(rotations):
        rotate(world)
        if packed:
            world.compress()
        world.write(30)
    world.restart()

    assert world.read() == list(range(11, 31 + 30 * rotations))
    assert world.reports == []


def test_what_is_gone_is_reported(world: World) -> None:
    """A file that was deleted unread is a gap with its name, not silence."""
    world.write(3)
    world.read(2)
    world.save()
    world.log.unlink()
    world.write(1)
    world.restart()

    assert world.read() == [4]
    assert world.reader.gaps == 1
    assert "auth.log" in world.reports[0]


def test_a_truncation_without_a_copy_is_reported(world: World) -> None:
    """Somebody emptied the log by hand: what was not read is lost, and that is said."""
    world.write(3)
    world.read()
    world.write(2)
    os.truncate(world.log, 0)
    world.write(1)

    assert world.read() == [6]
    assert world.reports == ["auth.log: truncated behind byte 120, and no copy is left"]


def test_a_new_file_with_the_old_inode_is_another_file(world: World) -> None:
    """File systems give a freed inode to the next file; the first bytes tell them apart."""
    world.write(2)
    world.read()
    world.save()
    text = world.log.read_text().replace("line 1", "LINE 9")
    world.log.write_text(text)
    world.restart()

    assert world.read() == [9, 2]


def test_needed_lines_are_read_again_but_known_as_delivered(world: World) -> None:
    """A position reaches back as far as it is asked to, across a rotation."""
    world.write(2)
    first = world.reader.read(1)[0]
    world.read()
    world.rename()
    world.write(1)
    assert world.read() == [3]
    world.save(back=first.at)
    world.restart()
    world.write(1)

    lines = world.reader.read(10)
    world.reader.read(1)  # notices the rotation; the wait begins
    world.clock.now += AFTER_ROTATION_S + 1
    lines += world.reader.read(10)

    assert [int(line.raw.split()[1]) for line in lines] == [1, 2, 3, 4]
    assert [line.at >= world.reader.delivered_before for line in lines] == [False] * 3 + [True]


def test_places_are_files_and_bytes(world: World) -> None:
    """A place tells where a line stands, for a person with an editor."""
    world.write(2)
    line = world.reader.read(2)[1]

    assert world.reader.place(line.at) == ("auth.log", 40)
    assert not world.reader.was_there(line.at)


def test_what_was_written_before_following_is_known(world: World) -> None:
    """Such lines were not received now."""
    world.write(2)
    world.restart()
    world.write(1)

    there = [world.reader.was_there(line.at) for line in world.reader.read(3)]

    assert there == [True, True, False]


def test_a_damaged_compressed_file_is_reported_and_passed(world: World) -> None:
    """What gzip can still read comes, the rest is a gap, and the next file follows."""
    world.write(2000)
    world.read(1)
    world.save()
    world.rename()
    world.compress()
    packed = world.log.with_name("auth.log.1.gz")
    packed.write_bytes(packed.read_bytes()[:-400])
    world.write(1)
    world.restart()

    got = world.read(5000)

    assert got[-1] == 2001
    assert got[:5] == [2, 3, 4, 5, 6]
    assert len(world.reports) == 1


def test_a_compressed_file_that_is_damaged_before_the_position_is_reported(world: World) -> None:
    """The reader cannot get to where it was: a gap, and the next file follows."""
    world.write(5000)
    world.read(4900)
    world.save()
    world.rename()
    world.compress()
    packed = world.log.with_name("auth.log.1.gz")
    packed.write_bytes(packed.read_bytes()[:2000])
    world.write(1)
    world.restart()

    assert world.read() == [5001]
    assert ["cannot be read" in report for report in world.reports] == [True]


def test_without_the_file_before_what_was_delivered_is_not_sent_again(world: World) -> None:
    """Lines that only helped to understand later ones may be gone; nothing repeats, no gap."""
    world.write(2)
    first = world.reader.read(1)[0]
    world.read()
    world.rename()
    world.write(1)
    world.read()
    world.save(back=first.at)
    world.log.with_name("auth.log.1").unlink()
    world.write(1)
    world.restart()

    assert world.read() == [4]
    assert world.reports == []


def test_a_log_that_is_renamed_and_not_made_again_is_still_read(world: World) -> None:
    """Between the rename and the new file the writer goes on in the old one."""
    world.write(1)
    assert world.read() == [1]
    world.log.rename(world.log.with_name("auth.log.1"))
    with world.log.with_name("auth.log.1").open("a") as log:
        log.write("line 2\n")

    assert world.read() == [2]


def test_a_compressed_log_is_not_followed(world: World) -> None:
    """Nobody writes to it: that is told, not tried for ever."""
    world.log.write_bytes(gzip.compress(b"line 1\n"))

    with pytest.raises(LoginwardError, match="leave out --follow"):
        world.reader.read(10)


def test_files_of_others_beside_the_log_are_no_rotations(world: World) -> None:
    """Only names that logrotate makes are looked at; a folder or a broken link is passed."""
    world.write(2)
    world.read(1)
    world.save()
    for name in ("auth.log.bak", "auth.log.swp", "auth.logs", "other.log.1"):
        world.log.with_name(name).write_text("line 77\n")
    world.log.with_name("auth.log.90").mkdir()
    world.log.with_name("auth.log.91").symlink_to("nowhere")
    world.rename()
    world.write(1)
    world.restart()

    assert world.read() == [2, 3]


def test_a_position_survives_on_disk(world: World, tmp_path: Path) -> None:
    """What is saved is what is loaded."""
    world.write(60)
    world.read()
    world.save()
    assert world.position is not None
    file = tmp_path / "position.json"

    save_position(file, world.position)

    assert load_position(file, world.log) == world.position
    assert world.position.files[0].head_bytes == HEAD_BYTES
    assert file.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("content", ["", "{}", "[", '{"version": 2}', '{"version": 1, "x": 1}'])
def test_a_damaged_position_is_told_with_the_way_out(
    world: World, tmp_path: Path, content: str
) -> None:
    """Nothing is guessed: the file is named, and what to do."""
    file = tmp_path / "position.json"
    file.write_text(content)

    with pytest.raises(LoginwardError, match=r"position\.json: .* remove it"):
        load_position(file, world.log)


def test_a_position_of_another_log_is_refused(world: World, tmp_path: Path) -> None:
    """Two logs cannot share a position."""
    world.write(1)
    world.read()
    world.save()
    assert world.position is not None
    file = tmp_path / "position.json"
    save_position(file, world.position)

    with pytest.raises(LoginwardError, match="--position"):
        load_position(file, tmp_path / "other.log")


def test_one_log_is_followed_by_one_process(tmp_path: Path) -> None:
    """A second follower is refused while the first one lives."""
    file = tmp_path / "positions" / "a.json"

    with only_one(file), pytest.raises(LoginwardError, match="another process"), only_one(file):
        pass
    with only_one(file):
        pass


DO: dict[str, Callable[[World], object]] = {
    "write": lambda world: world.write(3),
    "half": lambda world: world.write(1, end=""),
    "end": lambda world: world.write_end(),
    "rename": World.rename,
    # Of a file that was empty when last looked at no copy can be recognised: so look first.
    "copytruncate": lambda world: world.copytruncate(look=True),
    "compress": World.compress,
    "read": lambda world: world.got.extend(world.look(2)),
    "save": World.save,
    "restart": World.restart,
}


@settings(max_examples=120, deadline=None)
@given(steps=st.lists(st.sampled_from(sorted(DO)), max_size=30))
@example(steps=["copytruncate", "write", "rename"])
@example(steps=["copytruncate", "rename", "half", "read", "compress", "copytruncate"])
@example(steps=["copytruncate", "copytruncate", "rename", "save", "compress", "restart"])
def test_whatever_happens_every_line_comes_once_in_order(
    tmp_path_factory: pytest.TempPathFactory, steps: list[str]
) -> None:
    """Writes, rotations and restarts in any order; unsaved lines come again after a restart."""
    world = World(tmp_path_factory.mktemp("follow"))
    world.write(1)
    world.reader.begin()
    world.save()
    for step in steps:
        DO[step](world)
    world.write_end()
    world.write(1)
    world.got += world.read()
    world.reader.close()

    assert world.got == list(range(1, world.written + 1))
    assert world.reports == []
