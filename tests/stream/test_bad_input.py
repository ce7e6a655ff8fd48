"""Bad input through the running worker: nothing crashes, nothing vanishes, each reason is told."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest

from config.kafka import ensure_topics
from detectors.alerts import decode
from tests.stream.pipeline import PATIENCE_S, Pipeline


class Judged(NamedTuple):
    """What became of the records of one test."""

    total: dict[str, int]
    rejects: list[Any]


GOOD: dict[str, Any] = {
    "schema": 1,
    "event_id": "e",
    "occurred_at": "2026-11-22T01:00:00Z",
    "system": "web",
    "account": "alice",
    "ip": "192.0.2.7",
    "outcome": "failure",
    "reason": "bad_password",
}


def login(event_id: str, **fields: Any) -> bytes:
    """A record of `logins`; a field that is `...` is left out."""
    said = GOOD | {"event_id": event_id} | fields
    return json.dumps({key: value for key, value in said.items() if value is not ...}).encode()


BAD = {
    "unparsable line": (b"Nov 22 sshd: hello", "not_json"),
    "truncated gzip": (bytes.fromhex("1f8b0800000000000003"), "not_json"),
    "wrong type": (login("b1", account=5), "wrong_type"),
    "missing field": (login("b2", ip=...), "missing_field"),
    "no address": (login("b3", ip="300.1.1.1"), "bad_value"),
    "time without offset": (login("b4", occurred_at="2026-11-22T01:00:00"), "wrong_type"),
    "before 1970": (login("b5", occurred_at="1969-12-31T23:59:59Z"), "bad_value"),
    "another schema": (login("b6", schema=2), "unsupported_schema"),
    "bad UTF-8": (b'{"schema":1,"account":"\xff\xfe"}', "not_json"),
    "lone surrogate": (login("b7").replace(b"alice", rb"\ud800"), "not_json"),
    "deep nesting": (b"[" * 60_000, "wrong_type"),
    "account too long": (login("b8", account="x" * 257), "bad_value"),
    "control characters in the system": (login("b9", system="we\u0000b"), "bad_value"),
    "70 KB": (login("b10", user_agent="x" * 70_000), "too_large"),
    "same id with other content": (login("g-mapped", ip="203.0.113.1"), "id_conflict"),
}
FINE = {
    "future time": login("g-future", occurred_at="2036-01-01T00:00:00Z"),
    "1970": login("g-1970", occurred_at="1970-01-01T00:00:00Z"),
    "mapped address": login("g-mapped", ip="::ffff:192.0.2.7"),
    "NUL and control characters": login("g-nul", account="a\u0000\u001b[31m\r\n\u202eb"),
    "unknown field": login("g-unknown", colour="blue"),
    "null account": login("g-null", account=None),
    "null ip": login("g-phone", ip=None),
}


@pytest.fixture(scope="module")
def pipeline(
    tmp_path_factory: pytest.TempPathFactory, kafka_bootstrap: str, redis_url: str
) -> Iterator[Pipeline]:
    """One worker and one relay for all tests here: they must outlive every bad record anyway."""
    url = f"{redis_url.rsplit('/', 1)[0]}/4001"
    made = Pipeline(tmp_path_factory.mktemp("bad"), "bad-input.", kafka_bootstrap, url)
    ensure_topics(made.settings.kafka)
    with made.running("detect") as worker, made.running("relay"):
        yield made
        assert worker.poll() is None


def judge(pipeline: Pipeline, values: list[bytes], compression: str | None = None) -> Judged:
    """Send `values`, wait until they are read; what became of them."""
    before = pipeline.judged()
    known = {record.key for record in pipeline.records("logins.rejected")}
    pipeline.send(values, compression)
    after = pipeline.wait_until_read(before["read"] + len(values))
    after.subtract(before)
    rejects = [r for r in pipeline.records("logins.rejected") if r.key not in known]
    return Judged(dict(after), rejects)


def test_every_kind_of_bad_record_is_kept_with_its_bytes_and_reason(pipeline: Pipeline) -> None:
    """Each bad record goes to `logins.rejected` byte-equal; what surrounds it is judged."""
    found = judge(pipeline, [*FINE.values(), *(value for value, _ in BAD.values()), login("last")])

    assert found.total == {
        "read": len(FINE) + len(BAD) + 1,
        "judged": len(FINE) + 1,
        "duplicates": 0,
        "rejected": len(BAD),
    }
    in_order = sorted(found.rejects, key=lambda record: int(dict(record.headers)["offset"]))
    rejects = dict(zip(BAD, in_order, strict=True))
    told = {name: dict(record.headers)["reason"].decode() for name, record in rejects.items()}
    assert told == {name: reason for name, (_, reason) in BAD.items()}
    long = BAD["70 KB"][0]
    headers = dict(rejects["70 KB"].headers)
    assert rejects.pop("70 KB").value == long[:65_536]
    assert headers["sha256"].decode() == hashlib.sha256(long).hexdigest()
    assert int(headers["length"]) == len(long)
    kept = {name: record.value for name, record in rejects.items()}
    assert kept == {name: value for name, (value, _) in BAD.items() if name in kept}


def test_a_compressed_bomb_of_ten_megabytes_is_rejected(pipeline: Pipeline) -> None:
    """A 10 MB record that fits through the broker compressed is kept by its beginning and hash."""
    bomb = login("bomb", user_agent="x" * 10_000_000)

    found = judge(pipeline, [login("before"), bomb, login("after")], compression="gzip")

    (reject,) = found.rejects
    assert (found.total["judged"], found.total["rejected"]) == (2, 1)
    assert dict(reject.headers)["reason"] == b"too_large"
    assert reject.value == bomb[:65_536]


def test_a_secret_never_reaches_the_rejects(pipeline: Pipeline) -> None:
    """Of a secret-shaped field only the length is written, also where the record is rejected."""
    (reject,) = judge(pipeline, [login("b", account=5, password="Marked-Value-1")]).rejects

    assert json.loads(reject.value)["password"] == "removed:14"
    assert "Marked-Value-1" not in pipeline.log("detect")


def test_duplicates_count_once_and_are_told_apart(pipeline: Pipeline) -> None:
    """The same identity with the same content again is a duplicate: counted, judged once."""
    once = [login(f"e{n}", ip=f"192.0.2.{n}") for n in range(10)]
    received = [
        login(f"e{n}", ip=f"192.0.2.{n}", received_at=GOOD["occurred_at"]) for n in range(10)
    ]

    total = judge(pipeline, [*once, *once, *received]).total

    assert (total["judged"], total["duplicates"], total["rejected"]) == (10, 20, 0)


def test_an_alert_reaches_its_topic(pipeline: Pipeline) -> None:
    """Ten failures within two minutes stand in `alerts`, with pseudonyms and without accounts."""
    judge(pipeline, [login(f"alert{n}", ip="198.51.100.77") for n in range(10)])
    deadline = time.monotonic() + PATIENCE_S
    found: list[bytes] = []
    while not found:
        assert time.monotonic() < deadline, pipeline.log("relay")
        found = [
            r.value
            for r in pipeline.records("alerts")
            if b"198.51.100.77" in r.value and decode(r.value).rule == "ip_fail_burst"
        ]

    assert decode(found[0]).counts["failures"] == 10
    assert b"alice" not in found[0]


@pytest.mark.parametrize("codec", ["gzip", "snappy", "lz4", "zstd"])
def test_each_codec_of_producers_is_read(pipeline: Pipeline, codec: str) -> None:
    """Whatever codec a core system's producer uses, its records are judged."""
    values = [login(f"{codec}{n}", ip=f"203.0.113.{n}") for n in range(20)]

    assert judge(pipeline, values, compression=codec).total["judged"] == 20
