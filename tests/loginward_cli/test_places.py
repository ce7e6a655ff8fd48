"""Files and folders that a user names: looked at before the work, never lost by it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import typer

from loginward_cli.places import made_anew, to_write

from .running import loginward


def test_a_folder_of_somebody_is_never_emptied(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """`--folder ~` is refused with nothing touched; what a trial made is made anew."""
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "letter").write_text("kept")
    with pytest.raises(typer.Exit) as refused:
        made_anew(mine, tmp_path / "usual")
    trial = made_anew(tmp_path / "trial", tmp_path / "usual")
    (trial / "log").touch()

    assert refused.value.exit_code == 2
    assert f"--folder {mine}: holds files that are not of a trial" in capsys.readouterr().err
    assert (mine / "letter").read_text() == "kept"
    assert made_anew(trial, tmp_path / "usual") == trial
    assert not (trial / "log").exists()


@pytest.mark.parametrize("command", [("soak", "--minutes", "10"), ("chaos", "--quick")])
def test_a_trial_refuses_a_folder_in_use(tmp_path: Path, command: tuple[str, ...]) -> None:
    """Exit 2 before any server starts."""
    (tmp_path / "letter").write_text("kept")

    ran = loginward(*command, "--folder", str(tmp_path), cwd=tmp_path)

    assert ran.returncode == 2
    assert "name one that is empty or not there yet" in ran.stderr
    assert (tmp_path / "letter").read_text() == "kept"


def test_what_cannot_be_written_is_told_before_the_work(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A folder, a folder that is not there and a file on the way: option, value, way out."""
    (tmp_path / "file").touch()
    for file, said in (
        (tmp_path, "is a folder; name a file"),
        (tmp_path / "no" / "x", "is no folder; make it"),
        (tmp_path / "file" / "x", "is no folder; make it"),
    ):
        with pytest.raises(typer.Exit):
            to_write("--alerts", file)
        err = capsys.readouterr().err
        assert err.startswith(f"error: --alerts {file}: ")
        assert said in err
    to_write("--alerts", tmp_path / "new")
    to_write("--daily", None)


@pytest.mark.parametrize(
    "command", [("rules", "export"), ("convert", "--source", "jsonl", "events.jsonl")]
)
def test_no_message_names_a_temporary_file(tmp_path: Path, command: tuple[str, ...]) -> None:
    """The place is the one that was typed."""
    (tmp_path / "events.jsonl").touch()

    ran = loginward(*command, "-o", "no/x", cwd=tmp_path)

    assert (ran.returncode, ran.stderr) == (
        2,
        "error: --output no/x: no is no folder; make it, or name another place\n",
    )


def test_a_replay_says_so_before_it_judges(tmp_path: Path) -> None:
    """Hours of judging are not thrown away for a name: exit 2, no traceback."""
    (tmp_path / "events.jsonl").touch()

    ran = loginward("replay", "events.jsonl", "--alerts", ".", cwd=tmp_path)

    assert (ran.returncode, ran.stderr) == (2, "error: --alerts .: is a folder; name a file\n")


def test_a_device_or_a_pipe_is_written_to_and_never_replaced(tmp_path: Path) -> None:
    """`--alerts /dev/null` as root must not leave a file in place of the device."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    held = os.open(pipe, os.O_RDWR | os.O_NONBLOCK)
    (tmp_path / "events.jsonl").touch()
    try:
        ran = loginward("replay", "events.jsonl", "--alerts", "pipe", "--daily", "d", cwd=tmp_path)
    finally:
        os.close(held)

    assert ran.returncode == 0, ran.stderr
    assert pipe.is_fifo()
    assert (tmp_path / "d").is_file()
