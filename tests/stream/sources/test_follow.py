"""A followed log: every line once in order, through rotation, truncation and restarts."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from .following import World


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


def test_a_log_that_is_renamed_and_not_made_again_is_still_read(world: World) -> None:
    """Between the rename and the new file the writer goes on in the old one."""
    world.write(1)
    assert world.read() == [1]
    world.log.rename(world.log.with_name("auth.log.1"))
    with world.log.with_name("auth.log.1").open("a") as log:
        log.write("line 2\n")

    assert world.read() == [2]


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
