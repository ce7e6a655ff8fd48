"""How every folder reaches Kafka: options for both clients, names, topics and their ids."""

from __future__ import annotations

from .kafka_admin import (
    Drift,
    admin,
    ask,
    ensure_topics,
    group_offsets,
    has_committed,
    mend_topics,
    offsets_between,
    topic_drift,
    topic_ids,
)
from .kafka_options import aiokafka_options, kafka_python_options, producer_options
from .kafka_patience import answered
from .topics import TOPICS, Topic, TopicName, group_name, topic_config, topic_name

__all__ = [
    "TOPICS",
    "Drift",
    "Topic",
    "TopicName",
    "admin",
    "aiokafka_options",
    "answered",
    "ask",
    "ensure_topics",
    "group_name",
    "group_offsets",
    "has_committed",
    "kafka_python_options",
    "mend_topics",
    "offsets_between",
    "producer_options",
    "topic_config",
    "topic_drift",
    "topic_ids",
    "topic_name",
]
