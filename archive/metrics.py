"""Every metric of the archive: name, unit, meaning; labels from closed sets, never data."""

from __future__ import annotations

from dataclasses import dataclass

from prometheus_client import REGISTRY, CollectorRegistry, Counter, Gauge, Histogram

_SEAL_BUCKETS = (0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30)
"""Seconds: a small segment takes two fsyncs, a full one of 100,000 logins about a second."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchiveMetrics:
    """`topic` is one of our topics; `cause` as said at each metric."""

    archived: Counter
    rejected: Counter
    missing: Counter
    again: Counter
    segments: Counter
    superseded: Counter
    failures: Counter
    seal_seconds: Histogram
    pending_bytes: Gauge
    lag: Gauge
    oldest_seconds: Gauge
    waiting: Gauge
    halted: Gauge


def build(registry: CollectorRegistry = REGISTRY) -> ArchiveMetrics:
    """The metrics, registered once a process by whoever composes it."""

    def counter(name: str, meaning: str, *labels: str) -> Counter:
        return Counter(f"loginward_archive_{name}", meaning, labels, registry=registry)

    def gauge(name: str, meaning: str, *labels: str) -> Gauge:
        return Gauge(f"loginward_archive_{name}", meaning, labels, registry=registry)

    return ArchiveMetrics(
        archived=counter("records", "records sealed", "topic"),
        rejected=counter("rejected_offsets", "offsets sealed as not decodable", "topic"),
        missing=counter(
            "missing_offsets",
            "offsets sealed as not in Kafka: absent (compaction), expired (retention: a loss)",
            "topic",
            "cause",
        ),
        again=counter("redelivered", "records read again and left out", "topic"),
        segments=counter("segments", "segments sealed", "topic"),
        superseded=counter("superseded", "segments another archiver sealed first", "topic"),
        failures=counter(
            "failures", "failed attempts, retried: disk, kafka, commit, archive", "cause"
        ),
        seal_seconds=Histogram(
            "loginward_archive_seal_seconds",
            "time to encode, write and fsync one segment",
            buckets=_SEAL_BUCKETS,
            registry=registry,
        ),
        pending_bytes=gauge("pending_bytes", "read and not yet sealed, estimated"),
        lag=gauge(
            "lag_records", "offsets in Kafka that are not sealed, on our partitions", "topic"
        ),
        oldest_seconds=gauge(
            "oldest_pending_seconds", "how long the oldest unsealed record has been held"
        ),
        waiting=gauge("waiting_for_disk", "1 while the disk refuses writes and reading is paused"),
        halted=gauge("halted_partitions", "partitions that wait for an operator: see the log"),
    )
