"""Times and identity of an event: whose clock counts, and how times are written."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.errors import Rejected, escaped
from detectors.events import (
    EPOCH,
    FUTURE_TOLERANCE,
    PAST_TOLERANCE,
    instant,
    milliseconds,
    rfc3339,
)
from tests.builders import START, login, time

MILLISECOND = timedelta(milliseconds=1)


@given(st.integers(0, 10**13))
def test_milliseconds_and_instants_are_inverse(ms: int) -> None:
    """Whole milliseconds survive both ways; what is finer is cut, not rounded."""
    assert milliseconds(instant(ms)) == ms
    assert milliseconds(instant(ms) + timedelta(microseconds=999)) == ms


def test_times_are_written_in_utc_with_z() -> None:
    """Seconds, or milliseconds where there are some; any offset becomes Z."""
    taipei = timezone(timedelta(hours=8))

    assert rfc3339(datetime(2026, 11, 23, 14, tzinfo=taipei)) == "2026-11-23T06:00:00Z"
    assert rfc3339(START + MILLISECOND) == "2026-11-23T06:00:00.001Z"
    assert rfc3339(EPOCH) == "1970-01-01T00:00:00Z"


@pytest.mark.parametrize(
    ("off", "skewed"),
    [
        (FUTURE_TOLERANCE, False),
        (FUTURE_TOLERANCE + MILLISECOND, True),
        (-PAST_TOLERANCE, False),
        (-PAST_TOLERANCE - MILLISECOND, True),
        (timedelta(), False),
    ],
)
def test_a_clock_is_wrong_beyond_its_tolerance(off: timedelta, skewed: bool) -> None:
    """Five minutes ahead of the receiver or seven days behind are late; more is a wrong clock."""
    event = login(off.total_seconds(), "e", received_at=START)

    assert event.skewed is skewed
    assert event.judged_at == (START if skewed else event.occurred_at)


def test_without_a_receiver_no_clock_is_wrong() -> None:
    """An import of an old file is judged by the times it tells."""
    event = login(-(10**8), "e")

    assert not event.skewed
    assert event.judged_at == event.occurred_at == time(-(10**8))


def test_identity_is_that_of_the_source_or_of_the_system() -> None:
    """Two gateways of one system may number their events alike."""
    assert login(0, "e").emitter == "web"
    assert login(0, "e", source="gateway").emitter == "gateway"


@given(st.text(max_size=500))
def test_escaped_text_is_safe_and_bounded(text: str) -> None:
    """No control, bidi or surrogate character reaches a log or a terminal."""
    shown = escaped(text)

    assert shown.isprintable()
    assert len(shown) <= 121 * 10
    if text.isprintable() and len(text) <= 120:
        assert shown == text


def test_a_refusal_names_reason_and_detail() -> None:
    """Both in one sentence, the detail escaped."""
    refused = Rejected("bad_value", "ip: '\x1b[31m' is no address")

    assert refused.reason == "bad_value"
    assert str(refused) == "bad_value: ip: '\\x1b[31m' is no address"
