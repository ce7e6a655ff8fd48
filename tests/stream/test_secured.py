"""The whole pipeline over TLS and SCRAM: the settings alone point it there."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from deploy.embedded import Stack
from tests.stream.pipeline import Pipeline
from tests.stream.test_bad_input import login
from tests.stream.test_outages import wait_for


def test_the_pipeline_runs_over_sasl_ssl(
    tmp_path: Path, stack_factory: Callable[..., Stack], fresh_redis_url: str
) -> None:
    """Detect, relay and archive log in with SCRAM over TLS; an alert and a sealed segment come."""
    stack = stack_factory(valkey=False, listeners="SASL_SSL")
    ends = stack.up()
    extra = ends.environ() | {"LOGINWARD_ARCHIVE_SEGMENT_INTERVAL": "1s"}
    pipeline = Pipeline(tmp_path, "secured.", ends.kafka_bootstrap, fresh_redis_url, extra)
    pipeline.send([login(f"e{n}") for n in range(10)])

    with (
        pipeline.running("detect"),
        pipeline.running("relay"),
        pipeline.running("archive"),
    ):
        total = pipeline.wait_until_read(10)
        wait_for(lambda: bool(pipeline.records("alerts")))
        wait_for(lambda: any((tmp_path / "archive" / "logins").glob("*/*/*.seal")))

    assert total["judged"] == 10
