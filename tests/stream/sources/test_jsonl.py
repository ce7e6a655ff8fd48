"""JSON Lines: events of the wire, the short form of data sets, and what is neither."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from detectors import wire
from detectors.events import rfc3339

from .logs import data, new_source, read_log

SHORT: dict[str, Any] = {
    "ts": "2026-11-22T10:00:00Z",
    "user": "alice",
    "ip": "192.0.2.1",
    "outcome": "failure",
    "reason": "bad_password",
    "user_agent": None,
    "label": "attack",
    "source": "a data set:file.log",
}
WIRE: dict[str, Any] = {
    "schema": 1,
    "event_id": "e1",
    "occurred_at": "2026-11-22T18:00:00+08:00",
    "system": "web",
    "account": None,
    "ip": "::ffff:192.0.2.1",
    "outcome": "success",
}


def _read(*rows: object) -> Any:
    lines = [row if isinstance(row, str | bytes) else json.dumps(row) for row in rows]
    return read_log(lines, new_source("jsonl", system="set"))


def test_an_event_of_the_wire_passes_canonical() -> None:
    """Address and time in their one spelling; a missing account and the id stay what they were."""
    (event,) = _read(WIRE).events

    assert (event.event_id, event.system, event.account) == ("e1", "web", None)
    assert (event.ip, rfc3339(event.occurred_at)) == ("192.0.2.1", "2026-11-22T10:00:00Z")


def test_the_short_form_is_understood() -> None:
    """Fields ts and user stand for occurred_at and account; the system is the command line's."""
    (event,) = _read(SHORT).events

    assert (event.account, event.system, event.source) == ("alice", "set", None)
    assert (event.reason, rfc3339(event.occurred_at)) == ("bad_password", "2026-11-22T10:00:00Z")


def test_what_the_wire_does_not_know_is_kept_beside_the_event() -> None:
    """A label is archived, and the record still decodes as the same event."""
    (found,) = _read(SHORT).found
    record = found.record()

    assert msgspec.json.decode(record)["label"] == "attack"
    assert msgspec.json.decode(record)["data_source"] == "a data set:file.log"
    assert wire.decode(record) == found.event


def test_a_field_shaped_like_a_secret_loses_its_value() -> None:
    """A password that somebody logged is not carried on, however deep it stands."""
    (found,) = _read(SHORT | {"form": {"Password": "hunter2"}, "api-key": "abc"}).found

    assert b"hunter2" not in found.record()
    assert msgspec.json.decode(found.record())["form"] == {"Password": "removed:7"}


def test_equal_lines_without_ids_are_different_events() -> None:
    """Two failures in one second are two, and have the same two ids in every run."""
    first, again = _read(SHORT, SHORT), _read(SHORT, SHORT)

    ids = [event.event_id for event in first.events]
    assert len(set(ids)) == 2
    assert ids == [event.event_id for event in again.events]


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        pytest.param("no json", "not_json", id="not JSON"),
        pytest.param("[1]", "wrong_type", id="no object"),
        pytest.param('{"ts": ', "not_json", id="cut off"),
        pytest.param(b'{"user": "\xff"}', "not_json", id="no UTF-8"),
        pytest.param('{"a":' * 10_000, "not_json", id="deep"),
        pytest.param({**SHORT, "user": 7}, "wrong_type", id="wrong type"),
        pytest.param({**SHORT, "outcome": "maybe"}, "bad_value", id="unknown outcome"),
        pytest.param(
            {k: v for k, v in SHORT.items() if k != "user"}, "missing_field", id="no user"
        ),
        pytest.param({**SHORT, "outcome": None}, "missing_field", id="null outcome"),
        pytest.param({**SHORT, "ts": "2026-11-22T10:00:00"}, "wrong_type", id="no zone"),
        pytest.param({**SHORT, "ts": "1969-12-31T23:59:59Z"}, "bad_value", id="before 1970"),
        pytest.param({**SHORT, "ip": "192.0.2.999"}, "bad_value", id="no address"),
        pytest.param({**SHORT, "user": "x" * 257}, "bad_value", id="long account"),
        pytest.param({**SHORT, "schema": 2}, "unsupported_schema", id="another schema"),
        pytest.param({**SHORT, "note": "x" * 70_000}, "too_large", id="70 KB"),
    ],
)
def test_what_is_no_event_is_refused_with_the_wires_reason(row: Any, reason: str) -> None:
    """The reasons are the ones of the topic, and the sentence can be shown."""
    log = _read(row)

    assert log.events == []
    assert log.refused[1].reason == reason
    assert log.refused[1].detail.isprintable()


@pytest.mark.parametrize("time", ["2099-01-01T00:00:00Z", "1970-01-01T00:00:00Z"])
def test_a_wrong_clock_is_an_event_all_the_same(time: str) -> None:
    """Future and 1970 are judged against the first receiver, not refused by a source."""
    (event,) = _read({**SHORT, "ts": time}).events

    assert rfc3339(event.occurred_at) == time


@pytest.mark.parametrize("name", ["a\x00b", "\x1b[2J", "\u202eevil", "\ud83d\ude00"])
def test_control_characters_in_a_name_are_kept(name: str) -> None:
    """The account is what was typed; escaping is the exits' business."""
    (found,) = _read({**SHORT, "user": name}).found

    assert wire.decode(found.record()).account == found.event.account


def test_a_null_user_counts_for_the_address() -> None:
    """A source that knows no account says null, and that is kept."""
    (event,) = _read({**SHORT, "user": None}).events

    assert event.account is None


def test_a_public_data_set_converts_whole() -> None:
    """Every line of a set in the short form becomes an event."""
    lines = data("loghub/events.jsonl").read_bytes().splitlines()

    log = _read(*lines)

    assert (len(log.events), log.refused) == (533, {})
