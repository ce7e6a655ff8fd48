"""Topics on the broker: made, compared with our table, mended, and known by their ids."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from time import monotonic, sleep
from uuid import UUID

from kafka import KafkaConsumer, OffsetAndMetadata, TopicPartition
from kafka.admin import ConfigResource, ConfigResourceType, KafkaAdminClient
from kafka.errors import (
    CoordinatorLoadInProgressError,
    CoordinatorNotAvailableError,
    GroupIdNotFoundError,
    KafkaError,
    NotCoordinatorError,
    TopicAlreadyExistsError,
    for_code,
)

from detectors.errors import LoginwardError, escaped

from .kafka_options import kafka_python_options
from .sections import KafkaSettings
from .topics import TOPICS, TopicName, topic_config, topic_name

_PATIENCE = timedelta(seconds=15)
"""How long an answer of a broker is awaited: an election takes a few seconds."""
_AGAIN_S = 0.2
_NO_COORDINATOR_YET = (
    CoordinatorLoadInProgressError,
    CoordinatorNotAvailableError,
    NotCoordinatorError,
)
_MILLISECOND = timedelta(milliseconds=1)
_SHOWN = 300
"""Characters of a broker's message: some repeat the whole request."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Drift:
    """A topic that is not as our table says: `setting` is `exists`, `partitions` or Kafka's own."""

    topic: str
    setting: str
    wanted: str
    found: str


@contextmanager
def admin(kafka: KafkaSettings, patience: timedelta = _PATIENCE) -> Iterator[KafkaAdminClient]:
    """An admin client, closed at the end.

    Raises LoginwardError where no broker answers within `patience`, and for what a broker refuses.
    """
    wait = patience // _MILLISECOND
    at = f"kafka.bootstrap: {kafka.bootstrap} ({kafka.security_protocol})"
    try:
        client = KafkaAdminClient(
            **kafka_python_options(kafka), bootstrap_timeout_ms=wait, request_timeout_ms=wait
        )
    except KafkaError as failure:
        raise LoginwardError(
            f"{at}: no answer: {escaped(str(failure), _SHOWN)}; start Kafka, or set "
            "KAFKA_BOOTSTRAP and the section [kafka] of the settings"
        ) from None
    try:
        yield client
    except KafkaError as failure:
        raise LoginwardError(
            f"{at}: {escaped(str(failure), _SHOWN)}; look into the broker's own log"
        ) from None
    finally:
        client.close()


def ensure_topics(kafka: KafkaSettings) -> list[str]:
    """Make the topics of our table that are missing; existing ones are left as they are.

    Returns the names made. Two processes may do it at once.
    """
    with admin(kafka) as client:
        there = set(client.list_topics())
        made = [
            topic_name(kafka, name)
            for name in TOPICS
            if topic_name(kafka, name) not in there and _create(kafka, client, name)
        ]
        client.wait_for_topics([topic_name(kafka, name) for name in TOPICS])
    return made


def _create(kafka: KafkaSettings, client: KafkaAdminClient, name: TopicName) -> bool:
    """Whether this call made the topic; False where another process was quicker."""
    full = topic_name(kafka, name)
    wanted = {
        "num_partitions": kafka.partitions,
        "replication_factor": kafka.replication,
        "configs": topic_config(kafka, name),
    }
    (answer,) = client.create_topics({full: wanted}, raise_errors=False)["topics"]
    if answer["error_code"] == TopicAlreadyExistsError.errno:
        return False
    if answer["error_code"]:
        reason = answer["error_message"] or for_code(answer["error_code"]).__name__
        raise LoginwardError(
            f"topic {full}: {kafka.partitions} partitions, {kafka.replication} copies: "
            f"{escaped(reason, _SHOWN)}; change kafka.partitions or kafka.replication"
        )
    return True


def has_committed(kafka: KafkaSettings, group: str) -> bool:
    """Whether a consumer group has committed an offset, and so has done work before."""
    return bool(group_offsets(kafka, group))


def group_offsets(kafka: KafkaSettings, group: str) -> dict[tuple[str, int], int]:
    """What a consumer group has committed, by topic and partition; empty for an unknown group.

    A new Kafka makes the topic of all groups when the first one is asked for, and names no
    coordinator, or one that does not know of it yet, until it is there: that is awaited.
    """
    deadline = monotonic() + _PATIENCE.total_seconds()
    while True:
        with admin(kafka) as client:  # a new one each time: it remembers who the coordinator was
            try:
                found: Mapping[str, Mapping[TopicPartition, OffsetAndMetadata]]
                found = client.list_group_offsets([group])
                told = found.get(group, {})
                return {(at.topic, at.partition): one.offset for at, one in told.items()}
            except GroupIdNotFoundError:
                return {}
            except _NO_COORDINATOR_YET:
                if monotonic() > deadline:
                    raise
        sleep(_AGAIN_S)


def topic_drift(kafka: KafkaSettings) -> list[Drift]:
    """Every difference between our table and the broker's topics."""
    with admin(kafka) as client:
        return _drift(kafka, client)


def mend_topics(kafka: KafkaSettings) -> list[Drift]:
    """Make missing topics and set differing settings; returns what can only be mended by hand.

    Partitions are never added here: keys would move to other partitions, and with them the order.
    """
    ensure_topics(kafka)
    with admin(kafka) as client:
        changes: dict[str, dict[str, str]] = {}
        for drift in _drift(kafka, client):
            if drift.setting not in {"partitions", "exists"}:
                changes.setdefault(drift.topic, {})[drift.setting] = drift.wanted
        if changes:
            client.alter_configs(
                [
                    ConfigResource(ConfigResourceType.TOPIC, name, configs)
                    for name, configs in changes.items()
                ]
            )
        return _drift(kafka, client)


def _drift(kafka: KafkaSettings, client: KafkaAdminClient) -> list[Drift]:
    wanted = {topic_name(kafka, name): topic_config(kafka, name) for name in TOPICS}
    partitions = {
        topic["name"]: len(topic["partitions"])
        for topic in client.describe_topics(list(wanted))
        if topic["error_code"] == 0
    }
    drifts = [
        Drift(topic=name, setting="exists", wanted="yes", found="no")
        for name in wanted
        if name not in partitions
    ]
    drifts += [
        Drift(topic=name, setting="partitions", wanted=str(kafka.partitions), found=str(found))
        for name, found in partitions.items()
        if found != kafka.partitions
    ]
    for name, settings in _configs(client, partitions).items():
        drifts += [
            Drift(topic=name, setting=key, wanted=value, found=settings.get(key, "not set"))
            for key, value in wanted[name].items()
            if settings.get(key) != value
        ]
    return sorted(drifts, key=lambda drift: list(wanted).index(drift.topic))


def _configs(client: KafkaAdminClient, topics: Iterable[str]) -> Mapping[str, Mapping[str, str]]:
    resources = [ConfigResource(ConfigResourceType.TOPIC, name) for name in topics]
    if not resources:
        return {}
    answer = client.describe_configs(resources, config_filter="all")["topic"]
    return {
        name: {key: entry["value"] for key, entry in settings.items()}
        for name, settings in answer.items()
    }


def topic_ids(kafka: KafkaSettings, names: Iterable[str]) -> dict[str, str]:
    """Kafka's own id of each topic, as its tools write it (22 characters of base64).

    A topic made anew under an old name has another id, and its offsets mean other records.
    `names` are names on the broker. Raises LoginwardError where one is missing.
    """
    wanted = list(names)
    with admin(kafka) as client:
        found = {
            topic["name"]: topic["topic_id"]
            for topic in client.describe_topics(wanted)
            if topic["error_code"] == 0
        }
    for name in wanted:
        if name not in found:
            raise LoginwardError(
                f"topic {name}: not on {kafka.bootstrap}; `loginward doctor --mend` makes ours"
            )
    return {name: _as_kafka_writes(found[name]) for name in wanted}


def _as_kafka_writes(topic_id: UUID | str) -> str:
    return base64.urlsafe_b64encode(UUID(str(topic_id)).bytes).rstrip(b"=").decode()


def offsets_between(
    kafka: KafkaSettings, name: TopicName, since: datetime, until: datetime
) -> dict[tuple[str, int], tuple[int, int]]:
    """By topic id and partition the offsets [first, until) that reached Kafka within a time.

    What retention has deleted is not among them. Raises LoginwardError where no broker answers.
    """
    full = topic_name(kafka, name)
    topic_id = topic_ids(kafka, [full])[full]
    consumer = KafkaConsumer(**kafka_python_options(kafka), enable_auto_commit=False)
    try:
        places = [
            TopicPartition(full, number)
            for number in sorted(consumer.partitions_for_topic(full) or ())
        ]
        ends = consumer.end_offsets(places)
        bounds = []
        for at in (since, until):
            ms = int(at.timestamp() * 1000)
            found = consumer.offsets_for_times(dict.fromkeys(places, ms))
            bounds.append({p: ends[p] if found.get(p) is None else found[p].offset for p in places})
    except KafkaError as failure:
        raise LoginwardError(
            f"topic {full}: {escaped(str(failure), _SHOWN)}; look into the broker's own log"
        ) from None
    finally:
        consumer.close()
    return {(topic_id, p.partition): (bounds[0][p], bounds[1][p]) for p in places}
