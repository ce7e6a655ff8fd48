"""The topics of loginward: what each holds, how long, in how many partitions, and why."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from .sections import KafkaSettings

TopicName = Literal[
    "logins",
    "logins.rejected",
    "judged",
    "alerts",
    "verdicts",
    "incidents",
    "notices",
    "confirmations",
]

_MIB = 1024 * 1024
_ENOUGH_COPIES = 3
"""From three copies on, two must have a record before it counts as written (Kafka's own advice)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Topic:
    """One topic. `retention` None means as long as `kafka.retention` says; unused where compacted.

    `largest` bounds a producer's batch, in bytes after compression.
    """

    holds: str
    compacted: bool = False
    retention: timedelta | None = timedelta(days=30)
    append_time: bool = False
    largest: int = _MIB


TOPICS: dict[TopicName, Topic] = {
    "logins": Topic(
        holds="raw login events, key = account pseudonym or source",
        retention=None,
        # By the broker's clock: an event with a wrong date must neither vanish nor stay for ever.
        append_time=True,
    ),
    "logins.rejected": Topic(
        holds="what could not be judged: bytes, reason, topic, partition, offset",
        retention=None,
        # A reject carries up to 64 KiB of bytes in base64 and must never itself be too large.
        largest=2 * _MIB,
    ),
    "judged": Topic(holds="one record a batch: offsets, counts, versions in force"),
    "alerts": Topic(holds="full state of each alert, key = alert_id", compacted=True),
    # Nobody is notified of a login older than 5 days, so 7 are enough for any outage.
    "verdicts": Topic(holds="what to tell customers", retention=timedelta(days=7)),
    "incidents": Topic(
        holds="full state of each incident, key = incident_id",
        compacted=True,
        # accounts_hit is uncapped: 100,000 pseudonyms of 40 bytes are 4 MB.
        largest=8 * _MIB,
    ),
    "notices": Topic(holds="every step of every notice"),
    "confirmations": Topic(holds="what customers answered"),
}


def topic_name(kafka: KafkaSettings, name: TopicName) -> str:
    """The name on the broker."""
    return f"{kafka.topic_prefix}{name}"


def group_name(kafka: KafkaSettings, part: str) -> str:
    """The consumer group of a part of the pipeline: detect, archive, notify, console."""
    return f"{kafka.topic_prefix}loginward-{part}"


def topic_config(kafka: KafkaSettings, name: TopicName) -> dict[str, str]:
    """The broker's settings of a topic that differ from its defaults, or that we rely on."""
    topic = TOPICS[name]
    retention = topic.retention or kafka.retention
    config = {
        "cleanup.policy": "compact" if topic.compacted else "delete",
        "max.message.bytes": str(topic.largest),
        "message.timestamp.type": "LogAppendTime" if topic.append_time else "CreateTime",
        "min.insync.replicas": "2" if kafka.replication >= _ENOUGH_COPIES else "1",
    }
    if not topic.compacted:
        config["retention.ms"] = str(retention // timedelta(milliseconds=1))
        # Only closed segments are deleted: with Kafka's segment.ms of 7 days, 7 become 14.
        config["segment.ms"] = str(retention // 14 // timedelta(milliseconds=1))
        config["retention.bytes"] = "-1"
    return config
