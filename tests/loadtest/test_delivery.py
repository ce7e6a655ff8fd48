"""Late, doubled and bad records, and the ledger's word on each."""

from __future__ import annotations

import base64
from collections import Counter
from pathlib import Path

import pytest

from detectors import wire
from detectors.errors import Rejected
from loadtest import ledger
from loadtest.bad_records import planted
from loadtest.run import deliveries
from loadtest.simulate import to_path

from .conftest import Made, Make


@pytest.fixture(scope="module")
def disturbed() -> Made:
    """30,000 events, up to 60 s late, 2 % doubled, 100 bad ones among them."""
    return Make()("A+G", events=30_000, disorder_ms=60_000, duplicates=0.02, bad=100, rate=50.0)


def test_no_event_is_later_than_the_bound(disturbed: Made) -> None:
    """An event never comes after one that is more than 60 s younger; and disorder there is."""
    youngest, late = 0, 0
    for line in disturbed.ledger:
        if not line.bad:
            youngest = max(youngest, line.at_ms)
            late = max(late, youngest - line.at_ms)
    assert 30_000 < late <= 60_000


def test_without_disorder_events_are_in_order(make: Make) -> None:
    """By default the stream is in event time, duplicates right behind their originals."""
    made = make("A+G", duplicates=0.1)

    times = [line.at_ms for line in made.ledger]
    assert times == sorted(times)


def test_duplicates_are_the_same_bytes(disturbed: Made) -> None:
    """2 % of events come twice, with one identity and one content."""
    copies = Counter(raw for raw in disturbed.lines if raw.startswith(b'{"schema":1,'))
    twice = [raw for raw, n in copies.items() if n == 2]

    assert max(copies.values()) == 2
    assert len(twice) == disturbed.tally.duplicates == pytest.approx(600, rel=0.2)
    assert len(copies) == disturbed.tally.events == 30_000
    again = sum(line.copy for line in disturbed.ledger)
    assert again == disturbed.tally.duplicates


def test_the_ledger_has_a_line_for_each_record(disturbed: Made) -> None:
    """Line by line the ledger names what the file holds, bad records with their bytes."""
    assert disturbed.tally.records == len(disturbed.lines) == len(disturbed.ledger)
    for at, (raw, truth) in enumerate(zip(disturbed.lines, disturbed.ledger, strict=True), 1):
        assert truth.line == at
        if truth.bad:
            assert raw == base64.b64decode(truth.bytes or "")
        else:
            assert wire.decode(raw).event_id == truth.event_id


def test_bad_records_are_refused_and_distinct() -> None:
    """No decoder takes one, no two are alike, none breaks a file into other lines."""
    bad = planted(200, "0badcafe")
    reasons = set()
    for record in bad:
        with pytest.raises(Rejected) as refusal:
            wire.decode(record.value)
        reasons.add(refusal.value.reason)
        assert record.value is not None
        assert b"\n" not in record.value

    assert len({record.value for record in bad}) == 200
    assert reasons == {
        "not_json",
        "missing_field",
        "wrong_type",
        "bad_value",
        "unsupported_schema",
        "too_large",
    }


def test_bad_records_are_spread_over_the_run(disturbed: Made) -> None:
    """They come early, in the middle and late, not in a heap."""
    where = [at for at, line in enumerate(disturbed.ledger) if line.bad]
    thirds = Counter(3 * at // len(disturbed.ledger) for at in where)

    assert len(where) == 100
    assert min(thirds[0], thirds[1], thirds[2]) > 15


def test_a_stream_comes_in_chunks_that_follow_each_other(make: Make) -> None:
    """Each chunk is sorted by when its records are due and begins after the one before."""
    last = 0
    for chunk in deliveries(make.request("A+G", events=40_000, disorder_ms=5_000)):
        dues = [delivery.due_ms for delivery in chunk]
        assert dues == sorted(dues)
        assert dues[0] >= last
        last = dues[-1]


@pytest.mark.parametrize("name", ["truth.jsonl", "truth.jsonl.zst"])
def test_a_ledger_is_read_as_it_was_written(make: Make, tmp_path: Path, name: str) -> None:
    """Plain or compressed, a ledger gives back every line."""
    made = make("G", duplicates=0.1, bad=3)

    to_path(make.request("G", duplicates=0.1, bad=3), tmp_path / "events.jsonl", tmp_path / name)

    assert list(ledger.read(tmp_path / name)) == made.ledger
    assert (tmp_path / "events.jsonl").read_bytes() == made.raw
