"""Durations are read with their unit, and with nothing else."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.durations import parse_duration, written


@pytest.mark.parametrize(
    ("text", "span"),
    [
        ("250ms", timedelta(milliseconds=250)),
        ("60s", timedelta(seconds=60)),
        ("5m", timedelta(minutes=5)),
        ("24h", timedelta(hours=24)),
        ("7d", timedelta(days=7)),
        ("0s", timedelta()),
    ],
)
def test_reads_each_unit(text: str, span: timedelta) -> None:
    """Each unit means what it says."""
    assert parse_duration(text) == span


@pytest.mark.parametrize(
    "text", ["", "5", "5mn", "m5", "-5m", "5.5m", "5 m", "5m ", "1h30m", "5M", "٥m", "5m\n"]
)
def test_refuses_what_has_no_unit(text: str) -> None:
    """Anything but a whole number and a unit is refused with a way out."""
    with pytest.raises(ValueError, match="write a whole number and ms, s, m, h or d"):
        parse_duration(text)


def test_refuses_more_than_a_calendar_holds() -> None:
    """A number of days beyond any date is told, not thrown as an overflow."""
    with pytest.raises(ValueError, match="write a smaller number"):
        parse_duration("999999999999d")


@given(st.integers(min_value=0, max_value=10**11))
def test_written_spans_read_back(milliseconds: int) -> None:
    """What is written reads back as the same span, in the largest unit that fits."""
    span = timedelta(milliseconds=milliseconds)

    assert parse_duration(written(span)) == span
