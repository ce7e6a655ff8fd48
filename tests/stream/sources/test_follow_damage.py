"""What a followed log has lost is reported; what is damaged is passed, not guessed."""

from __future__ import annotations

import gzip
import os

import pytest

from detectors.errors import LoginwardError

from .following import World


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
