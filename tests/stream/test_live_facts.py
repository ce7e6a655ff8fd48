"""A running worker takes over a new list of customers by itself, and says from which batch on."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from detectors import wire
from stream.directory import load_directory
from stream.directory_csv import Export
from stream.keys import load_pseudonyms
from tests.builders import login
from tests.stream.pipeline import PATIENCE_S, Pipeline


def versions(pipeline: Pipeline) -> list[str | None]:
    """Which directory each batch was judged by, in the order of the batches."""
    batches = [msgspec.json.decode(record.value) for record in pipeline.records("judged")]
    ordered = sorted(batches, key=lambda batch: int(batch["first_offset"]))
    return [batch["versions"].get("directory") for batch in ordered]


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

    told = versions(pipeline)
    assert told[0] is None
    assert told[-1] == made.header.version
    assert told == sorted(told, key=lambda version: version is not None)
