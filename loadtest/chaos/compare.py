"""The oracle: what live said against replay, archive and rejects against the ledger."""

from __future__ import annotations

import base64
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
import pyarrow.parquet as pq

from config.kafka import topic_name
from config.settings import KafkaSettings
from detectors import alerts, wire
from detectors.alerts import Alert

from .. import ledger
from .pipeline import Pipeline
from .topics import records

Place = tuple[int, int]
"""Partition and offset."""


@dataclass(slots=True)
class Verdict:
    """Every difference, counted; all of the first block must be 0."""

    missed: int = 0
    extra: int = 0
    different: int = 0
    duplicate_alerts: int = 0
    archive_missing: int = 0
    archive_extra: int = 0
    rejects_missing: int = 0
    rejects_extra: int = 0
    rejects_altered: int = 0
    unbalanced: int = 0
    """Batches of which read is not judged + duplicates + rejected."""

    as_of_differences: int = 0
    """Alerts of `as_of` parts that differ: allowed beyond 60 s of disorder, and counted."""

    alerts: int = 0
    records: int = 0
    redelivered: int = 0
    examples: list[str] = field(default_factory=list)

    @property
    def faults(self) -> int:
        """How many differences there are that must not be."""
        return (
            self.missed
            + self.extra
            + self.different
            + self.duplicate_alerts
            + self.archive_missing
            + self.archive_extra
            + self.rejects_missing
            + self.rejects_extra
            + self.rejects_altered
            + self.unbalanced
        )


async def compare(pipeline: Pipeline, kafka: KafkaSettings, truth: Path) -> Verdict:
    """Hold a drained pipeline against the ledger `truth` and against `loginward replay`."""
    verdict = Verdict()
    events = pipeline.folder / "logins.jsonl"
    await _dump(kafka, events)
    await _compare_alerts(pipeline, kafka, events, verdict)
    sent, bad = _ledger(truth)
    verdict.records = len(sent) + len(bad)
    _compare_archive(pipeline.home / "archive", set(sent), verdict)
    await _compare_rejects(kafka, bad, verdict)
    await _compare_judged(kafka, verdict)
    return verdict


async def _dump(kafka: KafkaSettings, path: Path) -> None:
    """Records of `logins` that hold one line, as a file for replay."""
    with path.open("wb") as file:
        async for record in records(kafka, topic_name(kafka, "logins")):
            if (
                record.value
                and b"\n" not in record.value
                and len(record.value) < wire.MAX_RECORD_BYTES
            ):
                file.write(record.value + b"\n")


async def _compare_alerts(
    pipeline: Pipeline, kafka: KafkaSettings, events: Path, verdict: Verdict
) -> None:
    live: dict[str, bytes] = {}
    said: dict[tuple[str, int], bytes] = {}
    async for record in records(kafka, topic_name(kafka, "alerts")):
        alert = alerts.decode(record.value)
        key = (alert.alert_id, alert.revision)
        if said.setdefault(key, record.value) != record.value:
            verdict.duplicate_alerts += 1
        known = live.get(alert.alert_id)
        if known is None or alerts.decode(known).revision < alert.revision:
            live[alert.alert_id] = record.value
    expected_file = pipeline.folder / "expected.jsonl"
    pipeline.run("replay", str(events), "--alerts", str(expected_file))
    expected = {
        alerts.decode(line).alert_id: line for line in expected_file.read_bytes().splitlines()
    }
    verdict.alerts = len(expected)
    for alert_id in sorted(set(live) | set(expected)):
        _judge(live.get(alert_id), expected.get(alert_id), verdict)


def _judge(live: bytes | None, expected: bytes | None, verdict: Verdict) -> None:
    if live == expected:
        return
    if as_of(alerts.decode(live or expected or b"")):
        verdict.as_of_differences += 1
    elif live is None:
        verdict.missed += 1
    elif expected is None:
        verdict.extra += 1
    else:
        verdict.different += 1
    if len(verdict.examples) < 10:  # noqa: PLR2004 (enough to start from)
        verdict.examples.append(f"live {live!r:.700} expected {expected!r:.700}")


def as_of(alert: Alert) -> bool:
    """Whether an alert comes from a part that looks at what was known 60 s before."""
    return alert.part != ""


def _ledger(path: Path) -> tuple[list[Place], dict[Place, bytes]]:
    sent: list[Place] = []
    bad: dict[Place, bytes] = {}
    for line in ledger.read(path):
        place = (line.partition or 0, line.offset or 0)
        if line.bad:
            bad[place] = base64.b64decode(line.bytes) if line.bytes is not None else b""
        else:
            sent.append(place)
    return sent, bad


def archived(folder: Path) -> Counter[Place]:
    """How often each record of `logins` stands in sealed segments."""
    found: Counter[Place] = Counter()
    for seal in sorted((folder / "logins").glob("*/*/*.seal")):
        # The first line is the seal, the second its signature (docs/archive-format.md).
        said = msgspec.json.decode(seal.read_bytes().splitlines()[0])
        table = pq.read_table(seal.parent / said["file"]["name"], columns=["offset"])
        found.update((said["partition"], offset) for offset in table["offset"].to_pylist())
    return found


def _compare_archive(folder: Path, sent: set[Place], verdict: Verdict) -> None:
    kept = archived(folder)
    verdict.archive_missing = len(sent - set(kept))
    verdict.archive_extra = sum(kept.values()) - len(sent & set(kept))


async def _compare_rejects(kafka: KafkaSettings, bad: dict[Place, bytes], verdict: Verdict) -> None:
    found: dict[Place, bytes] = {}
    async for record in records(kafka, topic_name(kafka, "logins.rejected")):
        headers = dict(record.headers)
        if headers.get("reason") == b"id_conflict":
            continue
        found[int(headers["partition"]), int(headers["offset"])] = record.value
    verdict.rejects_missing = len(set(bad) - set(found))
    verdict.rejects_extra = len(set(found) - set(bad))
    verdict.rejects_altered = sum(
        wire.bounded(bad[place])[0] != found[place] for place in set(bad) & set(found)
    )


async def _compare_judged(kafka: KafkaSettings, verdict: Verdict) -> None:
    read = 0
    async for record in records(kafka, topic_name(kafka, "judged")):
        batch = msgspec.json.decode(record.value)
        read += batch["read"]
        verdict.unbalanced += (
            batch["read"] != batch["judged"] + batch["duplicates"] + batch["rejected"]
        )
    verdict.redelivered = read - verdict.records
