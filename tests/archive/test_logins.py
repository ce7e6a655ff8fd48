"""The columns of logins: what goes in comes out, whatever is in it."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archive import extras, logins
from archive.cipher import SegmentCipher
from archive.read import read_logins, segments
from archive.records import Record
from detectors import wire
from detectors.events import LoginEvent, Origin
from detectors.secrets_scrub import scrub

from .builders import PART, PSEUDONYMS, login, record, seal, store

_texts = st.text(max_size=20)
_times = st.datetimes(
    min_value=datetime(1970, 1, 2),  # noqa: DTZ001 (the strategy adds the zone)
    timezones=st.sampled_from([UTC, *(timezone(timedelta(hours=h)) for h in (-14, 8, 14))]),
)
_addresses = st.ip_addresses().map(lambda address: str(address).partition("%")[0])
_events = st.builds(
    LoginEvent,
    schema=st.just(1),
    event_id=st.text(min_size=1, max_size=20),
    occurred_at=_times,
    system=st.text("abc-", min_size=1, max_size=8),
    account=st.none() | _texts,
    ip=st.none() | _addresses,
    outcome=st.sampled_from(["success", "failure"]),
    source=st.none() | st.text(min_size=1, max_size=8),
    received_at=st.none() | _times,
    reason=st.none() | st.sampled_from(["bad_password", "locked"]),
    channel=st.none() | st.sampled_from(["web", "dma"]),
    mfa=st.none() | st.booleans(),
    account_class=st.none() | st.sampled_from(["customer", "unknown"]),
    device_id=st.none() | _texts,
    fingerprint=st.none() | _texts,
    user_agent=st.none() | _texts,
    session_id=st.none() | _texts,
    origin=st.none()
    | st.builds(Origin, country=st.sampled_from(["TW", "JP"]), asn=st.none() | st.just(2**32 - 1)),
    seq=st.none() | st.integers(-(2**70), 2**70),
    action=st.sampled_from(["login", "order"]),
    instrument=st.none() | _texts,
    market=st.none() | _texts,
)
_json = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**60), 2**60) | _texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_texts, inner, max_size=3),
    max_leaves=6,
)


def archived(folder: Path, *values: bytes) -> list[tuple[LoginEvent, dict[str, Any]]]:
    """Seal `values` in a fresh archive and read them back: events and their unknown fields."""
    where = store(folder)
    seal(where, [record(offset, value) for offset, value in enumerate(values)])
    return [
        (one.event, {} if one.extra is None else msgspec.json.decode(one.extra))
        for one in read_logins(where.root, where.keys)
    ]


@settings(deadline=None, max_examples=60)
@given(events=st.lists(_events, min_size=1, max_size=8))
def test_events_come_back_equal(
    tmp_path_factory: pytest.TempPathFactory, events: list[LoginEvent]
) -> None:
    """Every field of every event survives: any text, any zone, numbers beyond 64 bits."""
    values = [wire.encode(event) for event in events]

    found = archived(tmp_path_factory.mktemp("a"), *values)

    assert [event for event, _ in found] == [wire.decode(value) for value in values]


@settings(deadline=None, max_examples=60)
@given(
    extra=st.dictionaries(
        _texts.filter(lambda name: name not in LoginEvent.__struct_fields__), _json, max_size=4
    )
)
def test_unknown_fields_come_back(
    tmp_path_factory: pytest.TempPathFactory, extra: dict[str, Any]
) -> None:
    """What rules ignore is archived with the login."""
    value = login(1, **extra)

    [(_, kept)] = archived(tmp_path_factory.mktemp("a"), value)

    written = msgspec.json.decode(scrub(value))
    assert kept == {name: written[name] for name in extra}


def test_unknown_fields_of_the_origin_come_back(tmp_path: Path) -> None:
    """A field inside `origin` that we do not know is kept beside those we do."""
    value = login(1, origin={"country": "TW", "city": "Taipei"})

    [(event, extra)] = archived(tmp_path, value)

    assert event.origin == Origin(country="TW")
    assert extra == {"origin": {"city": "Taipei"}}


def test_secrets_lose_their_value(tmp_path: Path) -> None:
    """A secret-shaped field is archived by its length alone, in odd records too."""
    plain = login(1, password="hunter2", nested={"otp": "123456"})
    odd = plain[:-1] + b',"huge":1' + b"0" * 5000 + b',"bad":"\xff"}'

    found = archived(tmp_path, plain, odd)

    for _, extra in found:
        assert extra["password"] == "removed:7"
        assert extra["nested"] == {"otp": "removed:6"}
        assert "hunter2" not in json.dumps(extra)


@pytest.mark.parametrize(
    "odd",
    [
        pytest.param(b'"x":"\xff"', id="bad UTF-8"),
        pytest.param(b'"x":1' + b"0" * 5000, id="huge integer"),
        pytest.param(b'"x":1e999', id="number beyond a double"),
        pytest.param(b'"x":[' + b"[" * 200 + b"]" * 201, id="deep"),
        pytest.param(b'"x":1,"x":2', id="the same name twice"),
    ],
)
def test_odd_unknown_values_stop_nothing(tmp_path: Path, odd: bytes) -> None:
    """What the typed decoder skips unread must neither stop the archiver nor lose the login."""
    value = b"{" + odd + b"," + login(1)[1:]

    [(event, extra)] = archived(tmp_path, value)

    assert event == wire.decode(value)
    assert "x" in extra


@pytest.mark.parametrize("seq", [2**63 - 1, 2**63, -(2**63), 2**70, -(2**70)])
def test_a_number_of_any_size_comes_back(tmp_path: Path, seq: int) -> None:
    """An emitter's own number beyond 64 bits is kept beside the columns."""
    [(event, _)] = archived(tmp_path, login(1, seq=seq))

    assert event.seq == seq


def test_the_last_hours_of_the_calendar(tmp_path: Path) -> None:
    """A time whose UTC lies beyond the year 9999 is archived and read back."""
    value = login(1, occurred_at="9999-12-31T23:59:59-14:00")

    [(event, _)] = archived(tmp_path, value)

    assert event.occurred_at == wire.decode(value).occurred_at


def test_no_account_stands_in_the_files(tmp_path: Path) -> None:
    """Neither an account as typed nor an unknown field can be read in any file of the archive."""
    where = store(tmp_path)
    values = [login(n, account=f"A12345678{n}", mail="someone@example.com") for n in range(9)]
    seal(where, [record(offset, value) for offset, value in enumerate(values)])

    for path in where.root.rglob("*"):
        if path.is_file():
            data = path.read_bytes()
            assert b"A12345678" not in data
            assert b"example.com" not in data


def test_records_that_do_not_decode_are_named(tmp_path: Path) -> None:
    """Offsets without a row stand in the seal, so that the range is complete."""
    where = store(tmp_path)
    values = [b"x", login(1), b"{}", b"", login(2), b"y"]

    seal(where, [record(10 + n, value) for n, value in enumerate(values)])

    [(_, sealed)] = segments(where.root, "logins")
    assert (sealed.first, sealed.last, sealed.rows) == (0, 15, 2)
    assert sealed.expired == ((0, 9),)
    assert sealed.rejected == ((10, 10), (12, 13), (15, 15))


def test_a_segment_of_rejects_alone_has_no_file(tmp_path: Path) -> None:
    """Nothing to keep is sealed as such, and the chain goes on."""
    where = store(tmp_path)
    seal(where, [record(0, b"x"), record(1, None)])
    seal(where, [record(2, login(2))])

    (_, first), (_, second) = segments(where.root, "logins")
    assert first.file is None
    assert first.rejected == ((0, 1),)
    assert second.first == 2
    assert len(list(read_logins(where.root, where.keys))) == 1


def test_an_account_is_encrypted_once_a_segment() -> None:
    """Equal accounts share their cells: storage and time grow with accounts, not with logins."""
    records = [record(n, login(n, account="A1")) for n in range(5)]

    table = logins.columns(PART, records, PSEUDONYMS, SegmentCipher.fresh("x")).table

    assert len(set(table["account_encrypted"].to_pylist())) == 1
    assert set(table["account_pseudonym"].to_pylist()) == {PSEUDONYMS.account("A1")}


def test_headers_come_back(tmp_path: Path) -> None:
    """Headers (such as a backfill's mark) are kept with the login, None values included."""
    where = store(tmp_path)
    pairs = (("backfill", b"1"), ("x", None), ("x", b"\xff\x00"))
    seal(where, [Record(offset=0, timestamp=1, value=login(1), headers=pairs)])

    [one] = read_logins(where.root, where.keys)
    assert one.headers == pairs


def test_what_cannot_be_taken_apart_is_named_by_its_hash() -> None:
    """Unknown fields that no reader understands are not written unscrubbed."""
    raw = b'{"x":' + b"[" * 100_000 + b"]" * 100_000 + b"}"
    event = wire.decode(login(1))

    extra = extras.unknown(raw, event)

    assert extra is not None
    assert set(msgspec.json.decode(extra)) == {"unreadable"}
