"""Topics on the broker: made, compared with our table, mended, and known by their ids."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar
from uuid import UUID

from kafka import KafkaConsumer, OffsetAndMetadata, TopicPartition
from kafka.admin import ConfigResource, ConfigResourceType, KafkaAdminClient
from kafka.errors import (
    GroupIdNotFoundError,
    KafkaError,
    KafkaTimeoutError,
    TopicAlreadyExistsError,
    for_code,
)

from detectors.errors import LoginwardError, escaped

from .kafka_options import kafka_python_options
from .kafka_patience import PATIENCE, answered
from .sections import KafkaSettings
from .topics import TOPICS, TopicName, topic_config, topic_name

_MILLISECOND = timedelta(milliseconds=1)
_SHOWN = 300
"""Characters of a broker's message: some repeat the whole request."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Drift:
    """A topic that is not as our table says: `setting` is `exists`, `partitions` or Kafka's own."""

    topic: str
    setting: str
    wanted: str
    found: str


@contextmanager
def admin(kafka: KafkaSettings, patience: timedelta = PATIENCE) -> Iterator[KafkaAdminClient]:
    """An admin client, closed at the end; what only asks uses `ask`, which asks again.

    Raises LoginwardError where no broker answers within `patience`, and for what a broker refuses.
    """
    with _told(kafka), _client(kafka, patience) as client:
        yield client


def ask(
    kafka: KafkaSettings,
    question: Callable[[KafkaAdminClient], T],
    patience: timedelta = PATIENCE,
) -> T:
    """The answer to a question, asked again of a new client while brokers say "not yet".

    A new one each time: a client remembers who the coordinator was. Raises LoginwardError as
    `admin` does, a retriable refusal only after `patience`.
    """

    def once() -> T:
        with _client(kafka, patience) as client:
            return question(client)

    with _told(kafka):
        return answered(once, patience)


@contextmanager
def _told(kafka: KafkaSettings) -> Iterator[None]:
    """A refusal of a broker as one sentence."""
    try:
        yield
    except KafkaError as failure:
        raise LoginwardError(
            f"{_at(kafka)}: {escaped(str(failure), _SHOWN)}; look into the broker's own log"
        ) from None


@contextmanager
def _client(kafka: KafkaSettings, patience: timedelta) -> Iterator[KafkaAdminClient]:
    wait = patience // _MILLISECOND
    try:
        client = KafkaAdminClient(
            **kafka_python_options(kafka), bootstrap_timeout_ms=wait, request_timeout_ms=wait
        )
    except KafkaError as failure:
        raise LoginwardError(
            f"{_at(kafka)}: no answer: {escaped(str(failure), _SHOWN)}; start Kafka, or set "
            "KAFKA_BOOTSTRAP and the section [kafka] of the settings"
        ) from None
    try:
        yield client
    finally:
        client.close()


def _at(kafka: KafkaSettings) -> str:
    return f"kafka.bootstrap: {kafka.bootstrap} ({kafka.security_protocol})"


def ensure_topics(kafka: KafkaSettings) -> list[str]:
    """Make the topics of our table that are missing; existing ones are left as they are.

    Returns the names made. Two processes may do it at once.
    """
    made: list[str] = []

    def make(client: KafkaAdminClient) -> None:
        there = set(client.list_topics())
        for name in TOPICS:
            full = topic_name(kafka, name)
            if full not in there and _create(kafka, client, name):
                made.append(full)
        client.wait_for_topics([topic_name(kafka, name) for name in TOPICS])

    ask(kafka, make)
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
        kind = for_code(answer["error_code"])
        reason = answer["error_message"] or kind.__name__
        if kind.retriable:
            raise kind(reason)
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

    def told(client: KafkaAdminClient) -> Mapping[TopicPartition, OffsetAndMetadata]:
        found: Mapping[str, Mapping[TopicPartition, OffsetAndMetadata]]
        try:
            found = client.list_group_offsets([group])
        except GroupIdNotFoundError:
            return {}
        return found.get(group, {})

    return {(at.topic, at.partition): one.offset for at, one in ask(kafka, told).items()}


def topic_drift(kafka: KafkaSettings) -> list[Drift]:
    """Every difference between our table and the broker's topics."""
    return ask(kafka, lambda client: _drift(kafka, client))


def mend_topics(kafka: KafkaSettings) -> list[Drift]:
    """Make missing topics and set differing settings; returns what can only be mended by hand.

    Partitions are never added here: keys would move to other partitions, and with them the order.
    """
    ensure_topics(kafka)
    wanted: dict[str, dict[str, str]] = {}
    for drift in topic_drift(kafka):
        if _settable(drift):
            wanted.setdefault(drift.topic, {})[drift.setting] = drift.wanted
    if not wanted:
        return topic_drift(kafka)
    changes = [
        ConfigResource(ConfigResourceType.TOPIC, name, settings)
        for name, settings in wanted.items()
    ]
    ask(kafka, lambda client: client.alter_configs(changes))
    with suppress(LoginwardError):
        return ask(kafka, lambda client: _left(kafka, client))
    return topic_drift(kafka)  # what a broker never shows as it was set


def _settable(drift: Drift) -> bool:
    return drift.setting not in {"partitions", "exists"}


def _left(kafka: KafkaSettings, client: KafkaAdminClient) -> list[Drift]:
    """What is left once the brokers have heard from the controller what was set."""
    left = _drift(kafka, client)
    if any(map(_settable, left)):
        raise KafkaTimeoutError(f"not set yet: {', '.join(f'{d.topic} {d.setting}' for d in left)}")
    return left


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
    found = {
        topic["name"]: topic["topic_id"]
        for topic in ask(kafka, lambda client: client.describe_topics(wanted))
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
        first, last = answered(lambda: _bounds(consumer, full, (since, until)))
    except KafkaError as failure:
        raise LoginwardError(
            f"topic {full}: {escaped(str(failure), _SHOWN)}; look into the broker's own log"
        ) from None
    finally:
        consumer.close()
    return {(topic_id, p.partition): (first[p], last[p]) for p in first}


def _bounds(
    consumer: KafkaConsumer, topic: str, times: Iterable[datetime]
) -> list[dict[TopicPartition, int]]:
    """For each time and partition the first offset that reached Kafka then or later."""
    numbers = sorted(consumer.partitions_for_topic(topic) or ())
    places = [TopicPartition(topic, number) for number in numbers]
    ends = consumer.end_offsets(places)
    bounds = []
    for at in times:
        found = consumer.offsets_for_times(dict.fromkeys(places, int(at.timestamp() * 1000)))
        bounds.append({p: ends[p] if found.get(p) is None else found[p].offset for p in places})
    return bounds
