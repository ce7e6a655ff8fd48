"""A running worker takes over new facts by itself, and says from which batch on."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec

from config.intel.bulletins import Came, Hand, content_of, receive
from config.intel.reading import read_feed
from config.intel.store import APPLIED_AFTER, folder_of, told
from detectors import alerts, wire
from stream.directory import load_directory
from stream.directory_csv import Export
from stream.keys import load_pseudonyms
from tests.builders import login
from tests.stream.pipeline import PATIENCE_S, Pipeline


def versions(pipeline: Pipeline, part: str = "directory") -> list[str | None]:
    """Which directory (or other part) each batch was judged by, in the order of the batches."""
    batches = [msgspec.json.decode(record.value) for record in pipeline.records("judged")]
    ordered = sorted(batches, key=lambda batch: int(batch["first_offset"]))
    return [batch["versions"].get(part) for batch in ordered]


def test_a_list_loaded_while_the_worker_runs_is_in_force_without_a_restart(
    kafka_bootstrap: str, fresh_redis_url: str, tmp_path: Path
) -> None:
    """Batches before it name no directory, one after it names its version, and none goes back."""
    pipeline = Pipeline(tmp_path, "live-facts.", kafka_bootstrap, fresh_redis_url)
    (tmp_path / "c.csv").write_text("account,customer,class\nalice,C1,customer\n")

    with pipeline.running("detect"):
        pipeline.send([wire.encode(login(0, "before"))])
        pipeline.wait_until_read(1)
        made = load_directory(
            Export(file=tmp_path / "c.csv"),
            pipeline.settings.directory.folder,
            load_pseudonyms(pipeline.settings),
            now=datetime.now(tz=UTC),
        )
        deadline, sent = time.monotonic() + PATIENCE_S, 1
        while versions(pipeline)[-1] is None and time.monotonic() < deadline:
            pipeline.send([wire.encode(login(sent, f"after{sent}"))])
            sent += 1
            pipeline.wait_until_read(sent)

    named = versions(pipeline)
    assert named[0] is None
    assert named[-1] == made.header.version
    assert named == sorted(named, key=lambda version: version is not None)


def test_an_indicator_imported_while_the_worker_runs_raises_an_alert(
    kafka_bootstrap: str, fresh_redis_url: str, tmp_path: Path
) -> None:
    """A login from its address alerts, one of before its time does not; `judged` names the list."""
    pipeline = Pipeline(tmp_path, "live-intel.", kafka_bootstrap, fresh_redis_url)
    data = b"192.0.2.7"
    now = datetime.now(tz=UTC).replace(microsecond=0)
    inside = {"outcome": "success", "received_at": None}

    with pipeline.running("detect"), pipeline.running("relay"):
        pipeline.send([wire.encode(login(0, "before", **inside | {"occurred_at": now}))])
        pipeline.wait_until_read(1)
        receive(
            pipeline.settings,
            Came(source="f", content=content_of(data), feed=read_feed(data, "f")),
            Hand(by="amy", login="root", reason="", now=now),
        )
        deadline, sent = time.monotonic() + PATIENCE_S, 1
        while versions(pipeline, "intel")[-1] is None and time.monotonic() < deadline:
            other = {"ip": "198.51.100.9", "occurred_at": now}
            pipeline.send([wire.encode(login(sent, f"between{sent}", **inside | other))])
            sent += 1
            pipeline.wait_until_read(sent)
        listed = now + APPLIED_AFTER + timedelta(seconds=1)
        pipeline.send([wire.encode(login(0, "listed", **inside | {"occurred_at": listed}))])
        pipeline.wait_until_read(sent + 1)
        while not (found := pipeline.records("alerts")) and time.monotonic() < deadline:
            time.sleep(0.2)

    raised = [alerts.decode(record.value) for record in found]
    assert {(one.rule, one.part, *one.event_ids) for one in raised} == {
        ("unknown_origin_ip", "login", "listed")
    }
    assert versions(pipeline, "intel")[0] is None
    head = told(folder_of(pipeline.settings)).ledger.head
    assert versions(pipeline, "intel")[-1] == head[:16]
