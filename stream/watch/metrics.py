"""What the watchdog publishes: name, unit and meaning; label values come from closed sets."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

REGISTRY = CollectorRegistry(auto_describe=True)

LAG_RECORDS = Gauge(
    "watch_lag_records",
    "Records that a part has not read, seen from outside.",
    ("part", "topic"),
    registry=REGISTRY,
)
LAG_SECONDS = Gauge(
    "watch_lag_seconds",
    "Age of the oldest record that a part has not read.",
    ("part", "topic"),
    registry=REGISTRY,
)
JUDGED_AT = Gauge(
    "watch_last_judged_timestamp_seconds",
    "Kafka's time of the newest record of `judged`.",
    registry=REGISTRY,
)
TROUBLES = Gauge("watch_troubles", "Open alarms, by rule.", ("rule",), registry=REGISTRY)
CANARY_SECONDS = Histogram(
    "watch_canary_seconds",
    "From the sending of a canary to its alert in the topic.",
    buckets=(1, 2, 5, 10, 20, 30, 60, 120, 300),
    registry=REGISTRY,
)
ROUNDS = Counter(
    "watch_rounds_total",
    "Rounds of the watchdog, by how they ended.",
    ("outcome",),
    registry=REGISTRY,
)
HEARTBEAT_FAILURES = Counter(
    "watch_heartbeat_failures_total",
    "Heartbeats that could not be told outside of Kafka.",
    registry=REGISTRY,
)
