"""Checks that run beside the tests are told in one piece, and one that fails ends its lane."""

from __future__ import annotations

from typing import IO

import pytest

from loginward_cli.lane import Lane, Step


def said(text: str, code: int = 0) -> Step:
    """A step that says `text` and ends with `code`."""

    def step(out: IO[bytes]) -> int:
        out.write(text.encode())
        out.flush()
        return code

    return step


def test_steps_run_in_order_and_are_told_together() -> None:
    """What each says stands in the order of the steps; all fine is 0."""
    with Lane([said("types "), said("core")]) as lane:
        assert lane.wait() == 0
        assert lane.said == "types core"


def test_the_first_that_fails_is_the_last() -> None:
    """Its code is the lane's, and no later step runs."""
    with Lane([said("a"), said("b", 3), said("c")]) as lane:
        assert lane.wait() == 3
        assert (lane.code, lane.said) == (3, "ab")


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_step_that_breaks_is_no_success() -> None:
    """An exception in a step is our fault: code 70, not 0."""

    def broken(out: IO[bytes]) -> int:
        raise OSError

    with Lane([broken]) as lane:
        assert lane.wait() == 70
