"""The watchdog with real servers: what Kafka says of readers, and a canary through everything."""

from __future__ import annotations

import time
from datetime import timedelta
from pathlib import Path

import msgspec

from config.kafka import ensure_topics
from stream.watch.kafka_view import KafkaView
from tests.stream.pipeline import PATIENCE_S, Pipeline


def test_lag_and_records_are_seen_from_outside(kafka_bootstrap: str, tmp_path: Path) -> None:
    """A part that never committed is behind by all; records come from where reading stood."""
    pipe = Pipeline(tmp_path, "watch-view-", kafka_bootstrap, "redis://127.0.0.1:1/0")
    kafka = pipe.settings.kafka
    ensure_topics(kafka)
    view = KafkaView(kafka, timedelta(seconds=PATIENCE_S))
    before = time.time_ns() // 1_000_000 - 60_000
    try:
        start = view.since("logins", before)
        view.send("logins", [(b"k", b"%d" % number) for number in range(5)])
        found = list(view.records("logins", start))
        standings = [one for one in view.standings("detect", "logins") if one.behind]
        rest = list(view.records("logins", {found[0].partition: 3}))
    finally:
        view.close()

    assert [one.value for one in found] == [b"0", b"1", b"2", b"3", b"4"]
    assert [one.value for one in rest] == [b"3", b"4"]
    assert [(one.committed, one.behind) for one in standings] == [(None, 5)]
    assert standings[0].oldest_ms == found[0].at_ms


def test_a_canary_comes_back_as_an_alert(
    kafka_bootstrap: str, fresh_redis_url: str, tmp_path: Path
) -> None:
    """Through Kafka, decoding, windows, outbox and relay, and the watchdog finds it."""
    pipe = Pipeline(tmp_path, "watch-live-", kafka_bootstrap, fresh_redis_url)
    pipe.extra = {"LOGINWARD_WATCH_EVERY": "1s", "LOGINWARD_WATCH_HEARTBEAT_FILE": "beat"}
    ensure_topics(pipe.settings.kafka)
    state = tmp_path / "watch" / "state.json"
    with pipe.running("detect"), pipe.running("relay"), pipe.running("watch"):
        deadline = time.monotonic() + PATIENCE_S
        found = None
        while found is None and time.monotonic() < deadline:
            time.sleep(0.3)
            beats = msgspec.json.decode(state.read_bytes())["beats"] if state.exists() else []
            found = next((one["found_ms"] for one in beats if one["found_ms"]), None)

    assert found is not None, pipe.log("watch") + pipe.log("detect")[-2000:]
    assert (tmp_path / "beat").exists()
    subjects = {
        (told["system"], told["subject"]["type"])
        for told in (msgspec.json.decode(one.value) for one in pipe.records("alerts"))
    }
    assert subjects == {("_canary", "ip")}
