"""What was told to a customer, and what they said, as it stands on the topics."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from detectors.notices import (
    STATES,
    Confirmation,
    NoticeStep,
    decode_confirmation,
    decode_step,
    encode,
)

ABOUT: dict[str, Any] = {
    "schema": 1,
    "notice_id": "n1",
    "verdict_id": "v1",
    "event_id": "e1",
    "account": "k1:00ff",
    "system": "web",
}
STEP = NoticeStep(**ABOUT, seq=1, at="2026-11-23T06:00:00Z", state="planned", notice_risk="high")
ANSWER = Confirmation(
    **ABOUT, confirmation_id="c1", answer="no", via="page", at="2026-11-23T06:01:00Z"
)


def test_records_come_back_as_they_were_written() -> None:
    """What is absent is not written, and read as absent."""
    assert decode_step(encode(STEP)) == STEP
    assert decode_confirmation(encode(ANSWER)) == ANSWER
    assert b"channel" not in encode(STEP)
    assert b"strength" not in encode(ANSWER)


@pytest.mark.parametrize("field", ["state", "notice_risk", "channel"])
def test_a_word_that_is_none_of_ours_is_no_record(field: str) -> None:
    """A consumer never meets a state, a risk or a channel that it does not know."""
    wrong = msgspec.to_builtins(STEP) | {field: "perhaps"}

    with pytest.raises(msgspec.DecodeError, match=field):
        decode_step(msgspec.json.encode(wrong))


def test_an_answer_is_yes_or_no() -> None:
    """There is no third."""
    wrong = msgspec.to_builtins(ANSWER) | {"answer": "maybe"}

    with pytest.raises(msgspec.DecodeError, match="answer"):
        decode_confirmation(msgspec.json.encode(wrong))


def test_accepted_is_not_received() -> None:
    """What the provider has comes before what a handset tells (COMPLIANCE.md 3.6)."""
    assert STATES.index("accepted") < STATES.index("carrier") < STATES.index("handset")
