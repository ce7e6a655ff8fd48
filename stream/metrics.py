"""Every metric of stream/: name, unit and meaning in one place; label values come from closed
sets.
"""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

REGISTRY = CollectorRegistry(auto_describe=True)
"""Ours alone: nothing that a library registers by itself appears on our page."""

READ = Counter("logins_read_total", "Records read from `logins`.", registry=REGISTRY)
JUDGED = Counter(
    "logins_judged_total", "Events judged, by outcome.", ("outcome",), registry=REGISTRY
)
DUPLICATES = Counter(
    "logins_duplicate_total",
    "Events whose identity had come before with the same content.",
    registry=REGISTRY,
)
REJECTED = Counter(
    "logins_rejected_total",
    "Records that could not be judged, by reason.",
    ("reason",),
    registry=REGISTRY,
)
REVISIONS = Counter(
    "alert_revisions_total", "Revisions of alerts written to the outbox.", registry=REGISTRY
)
LOGS_JUDGED = Counter(
    "subject_logs_judged_total",
    "Logs of subjects judged; most of them raise nothing.",
    registry=REGISTRY,
)
RELAYED = Counter("alerts_relayed_total", "Revisions delivered to `alerts`.", registry=REGISTRY)
RETRIES = Counter(
    "state_retries_total",
    "Calls repeated because a server did not answer, by server.",
    ("server",),
    registry=REGISTRY,
)
REWINDS = Counter(
    "state_rewinds_total",
    "Times a partition's state was found incomplete and read again from Kafka.",
    registry=REGISTRY,
)
STATE_LOSSES = Counter(
    "state_losses_total",
    "Times the state of detection was found missing: first-seen rules are off for a while.",
    registry=REGISTRY,
)
VERDICTS = Counter(
    "verdicts_total",
    "Entries for the customer's inbox, by risk; what asks or warns goes through the outbox.",
    ("risk",),
    registry=REGISTRY,
)
LAG = Gauge(
    "logins_lag_records",
    "Records behind the end of a partition when its last batch was taken.",
    ("partition",),
    registry=REGISTRY,
)
EVENT_AGE = Gauge(
    "last_judged_event_timestamp_seconds",
    "Event time of the newest judged event.",
    registry=REGISTRY,
)
FACTS_LOADED = Gauge(
    "facts_loaded",
    "Whether it can be asked: the directory of customers, geo data. 0: its facts are not known.",
    ("of",),
    registry=REGISTRY,
)
LOOKUP_FAILURES = Counter(
    "facts_load_failures_total",
    "Directories, geo files and network lists that could not be used, by which.",
    ("of",),
    registry=REGISTRY,
)
DIRECTORY_AS_OF = Gauge(
    "directory_as_of_timestamp_seconds",
    "When the directory of customers in force was exported.",
    registry=REGISTRY,
)
DIRECTORY_STALE = Gauge(
    "directory_stale",
    "1 where the directory of customers is older than directory.stale_after.",
    registry=REGISTRY,
)
BEHIND_PROXY = Counter(
    "logins_behind_proxy_total",
    "Logins whose source saw only a trusted proxy's address: no address rule counts them.",
    registry=REGISTRY,
)
INTEL_HITS = Counter(
    "logins_listed_total",
    "Logins from an address that threat intelligence lists, redelivered ones included.",
    registry=REGISTRY,
)
BATCH_SECONDS = Histogram(
    "batch_seconds",
    "Time from taking a batch to its last durable effect.",
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
    registry=REGISTRY,
)
BATCH_RECORDS = Histogram(
    "batch_records",
    "Records of a batch.",
    buckets=(1, 10, 100, 500, 1000, 2000, 5000, 10000),
    registry=REGISTRY,
)
