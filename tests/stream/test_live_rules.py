"""An approved rule book judges in a running worker, without a restart, and replay agrees."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec

from config.governance.books import configured, folder_of, store
from config.governance.ledger import append
from config.governance.records import Adopted, Approved, What
from tests.loginward_cli.running import loginward
from tests.stream.pipeline import PATIENCE_S, Pipeline
from tests.stream.test_bad_input import login

SIX = '[ip_fail_burst]\nmode = "live"\nlimits = { failures = 6 }\n'


def decide(pipeline: Pipeline, what: What, by: str) -> None:
    """One more line of the installation's ledger."""
    folder = folder_of(pipeline.settings)
    now = datetime.now(tz=UTC)
    append(folder, lambda _: what, by=by, login="test", reason="because", now=now)


def books(pipeline: Pipeline) -> set[str]:
    """The rule books that records of `judged` name."""
    records = pipeline.records("judged")
    return {msgspec.json.decode(record.value)["versions"]["rules"] for record in records}


def test_a_change_is_taken_over_without_a_restart(
    tmp_path: Path, kafka_bootstrap: str, fresh_redis_url: str
) -> None:
    """Eight failures alert from the change on and not before; `judged` names both rule books."""
    pipeline = Pipeline(tmp_path, "live-rules.", kafka_bootstrap, fresh_redis_url)
    change = datetime(2026, 11, 22, 12, tzinfo=UTC)

    def burst(start: datetime, ip: str) -> list[bytes]:
        times = [(start + timedelta(seconds=5 * n)).isoformat() for n in range(8)]
        return [login(f"{ip}-{n}", ip=ip, occurred_at=at) for n, at in enumerate(times)]

    events = [
        *burst(change - timedelta(hours=1), "192.0.2.10"),
        *burst(change - timedelta(seconds=20), "192.0.2.20"),
        *burst(change + timedelta(hours=1), "192.0.2.30"),
    ]
    with pipeline.running("detect"), pipeline.running("relay"):
        pipeline.send(events[:13])  # five of the second burst: one stands at the change
        pipeline.wait_until_read(13)
        new = tmp_path / "new.toml"
        new.write_text(SIX)
        folder = folder_of(pipeline.settings)
        base, rules = store(folder, configured(pipeline.settings)), store(folder, new)
        decide(pipeline, Adopted(rules=rules, base=base, differences=["10 -> 6"]), "alice")
        decide(pipeline, Approved(id="C1", effective=change), "bob")
        deadline, sent = time.monotonic() + PATIENCE_S, 13
        while len(books(pipeline)) < 2 and time.monotonic() < deadline:
            pipeline.send([login(f"beat-{sent}", ip="198.51.100.1", outcome="success")])
            sent += 1
            pipeline.wait_until_read(sent)
        pipeline.send(events[13:])
        pipeline.wait_until_read(sent + 11)
        found: set[str] = set()
        while len(found) < 2 and time.monotonic() < deadline:
            alerts = [json.loads(record.value) for record in pipeline.records("alerts")]
            found = {a["subject"]["value"] for a in alerts if a["rule"] == "ip_fail_burst"}

    assert found == {"192.0.2.20", "192.0.2.30"}
    (tmp_path / "events.jsonl").write_bytes(b"".join(event + b"\n" for event in events))
    home = {"LOGINWARD_HOME": str(tmp_path)}
    assert loginward("rules", "export", "-o", "r.toml", cwd=tmp_path, environ=home).returncode == 0
    files = ("events.jsonl", "--alerts", "a.jsonl", "--rules", "r.toml")
    ran = loginward("replay", *files, cwd=tmp_path, environ=home)
    assert ran.returncode == 0, ran.stderr
    replayed = [json.loads(line) for line in (tmp_path / "a.jsonl").read_text().splitlines()]
    ids = {a["alert_id"] for a in replayed if a["rule"] == "ip_fail_burst"}
    assert ids == {a["alert_id"] for a in alerts if a["rule"] == "ip_fail_burst"}
