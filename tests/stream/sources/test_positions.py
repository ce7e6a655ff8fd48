"""Where a reader stands: kept on disk, of one log, held by one process."""

from __future__ import annotations

from pathlib import Path

import pytest

from detectors.errors import LoginwardError
from stream.sources.file_identity import HEAD_BYTES
from stream.sources.follow import AFTER_ROTATION_S
from stream.sources.positions import load_position, only_one, save_position

from .following import World


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
