"""What is decided of a login reaches the topic `verdicts`, all of it under one key."""

from __future__ import annotations

import time
from pathlib import Path

from detectors import verdicts, wire
from detectors.verdicts import Verdict
from tests.builders import login, series
from tests.stream.pipeline import PATIENCE_S, Pipeline


def told(pipeline: Pipeline) -> list[tuple[str, Verdict]]:
    """Every verdict in the topic, with its key."""
    return [
        (record.key.decode(), verdicts.decode(record.value))
        for record in pipeline.records("verdicts")
    ]


def test_a_takeover_goes_to_alerts_and_verdicts(
    kafka_bootstrap: str, fresh_redis_url: str, tmp_path: Path
) -> None:
    """An entry for each success, and `high` for the one from the attacking address, of one key."""
    pipeline = Pipeline(tmp_path, "told.", kafka_bootstrap, fresh_redis_url)
    pipeline.extra["LOGINWARD_DETECT_INBOX_VERDICTS"] = "true"
    now = time.time() - login(0, "x").occurred_at.timestamp()
    events = [
        *series(10, every=1, start=now - 60, name="attack", ip="203.0.113.4"),
        login(now - 40, "hit", ip="203.0.113.4", account="bob", outcome="success"),
        login(now - 39, "good", account="dora", outcome="success"),
    ]

    with pipeline.running("detect"), pipeline.running("relay"):
        pipeline.send([wire.encode(event) for event in events])
        pipeline.wait_until_read(len(events))
        deadline = time.monotonic() + PATIENCE_S
        while len(told(pipeline)) < 3 and time.monotonic() < deadline:
            time.sleep(0.2)

    found = told(pipeline)
    assert {(word.event_id, word.notice_risk) for _, word in found} == {
        ("hit", "inbox"),
        ("hit", "high"),
        ("good", "inbox"),
    }
    assert all(key == word.verdict_id for key, word in found)
    assert not any(word.late for _, word in found)
    assert "success_after_attack" in {
        word.rules[0] for _, word in found if word.notice_risk == "high"
    }
    assert len({record.key for record in pipeline.records("alerts")}) >= 2
