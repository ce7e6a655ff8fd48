"""The wire: what encodes decodes to the same, and what is not an event is told why."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors import wire
from detectors.errors import Rejected
from detectors.events import FUTURE_TOLERANCE, PAST_TOLERANCE, LoginEvent

from .made_events import EVENTS

GOOD: dict[str, Any] = {
    "schema": 1,
    "event_id": "e1",
    "occurred_at": "2026-11-22T10:00:00+08:00",
    "system": "web",
    "account": "alice",
    "ip": "192.0.2.1",
    "outcome": "failure",
}
AT = datetime(2026, 11, 22, 10, tzinfo=UTC)


def _record(**fields: Any) -> bytes:
    return json.dumps(GOOD | fields).encode()


@given(event=EVENTS)
def test_what_is_encoded_decodes_to_the_same(event: LoginEvent) -> None:
    """Every event that can be, with its address in canonical spelling."""
    again = wire.decode(wire.encode(event))

    assert msgspec.structs.replace(again, ip=event.ip) == event
    assert wire.encode(again) == wire.encode(wire.decode(wire.encode(again)))


def test_required_fields_are_written_even_if_null() -> None:
    """A source that knows no account or address says so."""
    event = wire.decode(_record(account=None, ip=None))

    assert {"account": None, "ip": None}.items() <= msgspec.json.decode(wire.encode(event)).items()
    assert "reason" not in msgspec.json.decode(wire.encode(event))


def test_unknown_fields_are_no_obstacle() -> None:
    """Sources may say more than we read; the archive keeps it."""
    assert wire.decode(_record(colour="red", nested={"a": [1]})).event_id == "e1"


def test_an_address_is_decoded_to_its_one_spelling() -> None:
    """::ffff:192.0.2.1 is the IPv4 address it stands for."""
    assert wire.decode(_record(ip="::ffff:192.0.2.1")).ip == "192.0.2.1"


BAD = [
    pytest.param(None, "empty", id="a tombstone"),
    pytest.param(b"", "empty", id="no bytes"),
    pytest.param(b"\x1f\x8b\x08\x00\x00\x00\x00\x00", "not_json", id="gzip, truncated"),
    pytest.param(b"Nov 22 10:00:00 host sshd[1]: Failed", "not_json", id="unparsable line"),
    pytest.param(b'{"schema": 1', "not_json", id="half a record"),
    pytest.param(b'{"a": NaN}', "not_json", id="NaN"),
    pytest.param(b'{"account": "\xff"}', "not_json", id="no UTF-8"),
    pytest.param(b'{"account": "\x00"}', "not_json", id="a bare control character"),
    pytest.param(b'{"a":' * 5000, "not_json", id="deep"),
    pytest.param(b"[1, 2]", "wrong_type", id="a list"),
    pytest.param(b"null", "wrong_type", id="null"),
    pytest.param(_record(account=5), "wrong_type", id="wrong type"),
    pytest.param(_record(mfa="yes"), "wrong_type", id="a word for a truth"),
    pytest.param(_record(system=None), "wrong_type", id="null where none may be"),
    pytest.param(_record(occurred_at=1), "wrong_type", id="a number for a time"),
    pytest.param(_record(occurred_at="2026-11-22T10:00:00"), "wrong_type", id="time, no offset"),
    pytest.param(_record(occurred_at="yesterday"), "bad_value", id="no time"),
    pytest.param(_record(occurred_at="1969-12-31T23:59:59Z"), "bad_value", id="before 1970"),
    pytest.param(_record(received_at="1960-01-01T00:00:00Z"), "bad_value", id="received before"),
    pytest.param(_record(outcome="maybe"), "bad_value", id="unknown outcome"),
    pytest.param(_record(reason="moon"), "bad_value", id="unknown reason"),
    pytest.param(_record(ip="192.0.2.256"), "bad_value", id="no address"),
    pytest.param(_record(ip="host.example"), "bad_value", id="a host name"),
    pytest.param(_record(account="x" * 257), "bad_value", id="a long account"),
    pytest.param(_record(event_id=""), "bad_value", id="an empty id"),
    pytest.param(_record(system="a\u0000b"), "bad_value", id="a control character in a system"),
    pytest.param(_record(system="a\u202eb"), "bad_value", id="a direction mark in a system"),
    pytest.param(_record(origin={"country": "Taiwan"}), "bad_value", id="no country code"),
    pytest.param(_record(schema=2), "unsupported_schema", id="another schema"),
    pytest.param(b" " * 65_537, "too_large", id="one byte too many"),
    pytest.param(_record(note="x" * 10_000_000), "too_large", id="10 MB"),
]


@pytest.mark.parametrize(("raw", "reason"), BAD)
def test_what_is_no_event_is_refused_with_its_reason(raw: bytes | None, reason: str) -> None:
    """The reason is from a closed set, the detail can be shown, and it is short."""
    with pytest.raises(Rejected) as told:
        wire.decode(raw)

    assert told.value.reason == reason
    assert told.value.detail.isprintable()
    assert len(told.value.detail) < 2500


@pytest.mark.parametrize("name", [name for name in GOOD if name != "x"])
def test_a_missing_field_is_named(name: str) -> None:
    """Each required field, one by one."""
    with pytest.raises(Rejected, match=f"`{name}`") as told:
        wire.decode(json.dumps({k: v for k, v in GOOD.items() if k != name}).encode())

    assert told.value.reason == "missing_field"


@given(raw=st.binary(max_size=200))
def test_any_bytes_are_an_event_or_refused(raw: bytes) -> None:
    """Nothing else ever comes out of the decoder."""
    try:
        event = wire.decode(raw)
    except Rejected:
        return
    assert isinstance(event, LoginEvent)


def test_the_longest_record_is_64_kib() -> None:
    """Exactly as long is judged."""
    raw = _record()

    assert wire.decode(raw + b" " * (wire.MAX_RECORD_BYTES - len(raw))).event_id == "e1"


@pytest.mark.parametrize(
    ("off", "skewed"),
    [
        (FUTURE_TOLERANCE, False),
        (FUTURE_TOLERANCE + timedelta(seconds=1), True),
        (-PAST_TOLERANCE, False),
        (-PAST_TOLERANCE - timedelta(seconds=1), True),
    ],
)
def test_a_wrong_clock_is_judged_at_the_time_of_receipt(off: timedelta, skewed: bool) -> None:
    """Future and 1970 do not move any window; late within a week is late, not wrong."""
    event = msgspec.structs.replace(wire.decode(_record()), occurred_at=AT + off, received_at=AT)

    assert event.skewed is skewed
    assert event.judged_at == (AT if skewed else AT + off)


def test_without_a_receiver_no_clock_is_wrong() -> None:
    """There is nothing to compare with."""
    assert not wire.decode(_record(occurred_at="2099-01-01T00:00:00Z")).skewed


@given(event=EVENTS, offset=st.integers(-12, 12))
def test_content_is_what_is_said_not_when_it_was_heard(event: LoginEvent, offset: int) -> None:
    """Another zone or another receipt is the same content; another account is not."""
    zone = timezone(timedelta(hours=offset))
    same = msgspec.structs.replace(
        event, received_at=AT, occurred_at=event.occurred_at.astimezone(zone)
    )
    other = msgspec.structs.replace(event, account=f"{event.account}!"[-256:])

    assert wire.content(same) == wire.content(event)
    assert wire.content(other) != wire.content(event)


def test_a_reject_keeps_its_bytes_up_to_64_kib() -> None:
    """Of a longer one the hash and length of the whole remain; a secret does not."""
    long = b"x" * 70_000

    assert wire.bounded(b"\x00bad\xff") == (b"\x00bad\xff", {})
    assert wire.bounded(b'{"password":"abc"}') == (b'{"password":"removed:3"}', {})
    assert wire.bounded(long) == (
        long[:65_536],
        {"sha256": hashlib.sha256(long).hexdigest(), "length": "70000"},
    )


def test_a_secret_shaped_account_field_is_kept() -> None:
    """An account that is the word password is no secret; a field of that name is."""
    assert wire.decode(wire.encode(wire.decode(_record(account="password")))).account == "password"
