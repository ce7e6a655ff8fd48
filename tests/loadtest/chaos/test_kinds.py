"""The catalogue: names that can be typed, steps that exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from detectors.errors import LoginwardError
from loadtest.chaos.kinds import KINDS, QUICK, chosen, notify
from loadtest.chaos.kinds.steps import STEPS

ROOT = Path(__file__).resolve().parents[3]


def test_every_kind_is_named_once_and_says_what_it_does() -> None:
    """What `--list` prints can be typed after `--faults`."""
    assert [kind.name for kind in chosen(",".join(KINDS))] == list(KINDS)
    assert all(re.fullmatch(r"[a-z0-9_]+", name) and kind.tells for name, kind in KINDS.items())
    assert set(QUICK) <= set(KINDS)


@pytest.mark.parametrize("names", ["kill_all", "", " , ", "kill_detect,redis@0.5"])
def test_a_fault_that_is_none_is_refused(names: str) -> None:
    """A misspelt fault is told with a way out instead of being left out silently."""
    with pytest.raises(LoginwardError, match="loginward chaos --list"):
        chosen(names)


def test_every_step_stands_in_the_code_of_its_part() -> None:
    """A failpoint that was renamed would never be hit."""
    code = "".join(
        file.read_text()
        for name in ("stream", "archive", "notifier")
        for file in (ROOT / name).rglob("*.py")
    )

    steps = [step for steps in (*STEPS.values(), notify.STEPS) for step in steps]
    # The notifier's steps around a call are named by channel.
    code += code.replace("{send.channel}", "app") + code.replace("{send.channel}", "sms")
    code += code.replace("{send.channel}", "email")
    assert [step for step in steps if f'"{step}"' not in code] == []
