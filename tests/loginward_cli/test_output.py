"""What is printed is plain, bounded, and ends in JSON where a script asks."""

from __future__ import annotations

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from loginward_cli.output import columns, emit_json, error, progress, say


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(st.text())
def test_no_text_reaches_the_terminal_raw(capsys: pytest.CaptureFixture[str], text: str) -> None:
    """Only line ends of our own are kept; everything else that is not printable is escaped."""
    say(text)
    error(text)

    shown = capsys.readouterr()
    assert shown.out.replace("\n", "").isprintable()
    assert shown.err.replace("\n", "").isprintable()


def test_columns_are_aligned(capsys: pytest.CaptureFixture[str]) -> None:
    """Cells stand under their heads, without trailing spaces."""
    columns([("a", "long cell"), ("longer", "b")], header=("one", "two"))

    assert capsys.readouterr().out == "one     two\na       long cell\nlonger  b\n"


def test_no_rows_print_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing to show is nothing printed."""
    columns([])

    assert capsys.readouterr().out == ""


def test_json_is_one_line_after_the_text(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    """The last line is JSON, in UTF-8, whatever came before."""
    say("first")
    emit_json({"名": [1, None]})

    assert json.loads(capfdbinary.readouterr().out.splitlines()[-1]) == {"名": [1, None]}


def test_a_bar_is_silent_without_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    """Logs of a scheduler are not filled with bars."""
    with progress("reading", total=3) as advance:
        advance()
        advance(2)

    shown = capsys.readouterr()
    assert shown.out + shown.err == ""
