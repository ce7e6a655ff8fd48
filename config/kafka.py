"""How every folder reaches Kafka: options for both clients, topics made and checked, their ids."""

from __future__ import annotations

import base64
import ssl
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from kafka.admin import ConfigResource, ConfigResourceType, KafkaAdminClient
from kafka.errors import KafkaError, TopicAlreadyExistsError

from detectors.errors import LoginwardError

from .sections import KafkaSettings
from .topics import TOPICS, group_name, topic_config, topic_name

__all__ = [
    "TOPICS",
    "Drift",
    "admin",
    "aiokafka_options",
    "ensure_topics",
    "group_name",
    "kafka_python_options",
    "mend_topics",
    "producer_options",
    "topic_drift",
    "topic_ids",
    "topic_name",
]

_PATIENCE = timedelta(seconds=15)
"""How long an answer of a broker is awaited: an election takes a few seconds."""
_MILLISECOND = timedelta(milliseconds=1)
_LONGEST_PASSWORD = 4096


@dataclass(frozen=True, slots=True, kw_only=True)
class Drift:
    """A topic that is not as our table says: `setting` is `exists`, `partitions` or Kafka's own."""

    topic: str
    setting: str
    wanted: str
    found: str


def aiokafka_options(kafka: KafkaSettings) -> dict[str, Any]:
    """What AIOKafkaConsumer, AIOKafkaProducer and AIOKafkaAdminClient need to connect.

    Raises LoginwardError where a key, certificate or password file cannot be used.
    """
    options = _options(kafka)
    return options | {"bootstrap_servers": ",".join(options["bootstrap_servers"])}


def kafka_python_options(kafka: KafkaSettings) -> dict[str, Any]:
    """What KafkaConsumer, KafkaProducer and KafkaAdminClient need to connect.

    Raises LoginwardError where a key, certificate or password file cannot be used.
    """
    return _options(kafka)


def producer_options(kafka: KafkaSettings) -> dict[str, Any]:
    """For an AIOKafkaProducer that neither loses nor doubles a record by its own retries."""
    return aiokafka_options(kafka) | {
        "acks": "all",
        "enable_idempotence": True,
        "compression_type": "lz4",
    }


def _options(kafka: KafkaSettings) -> dict[str, Any]:
    options: dict[str, Any] = {
        "bootstrap_servers": [part.strip() for part in kafka.bootstrap.split(",")],
        "security_protocol": kafka.security_protocol,
        "client_id": "loginward",
    }
    if kafka.security_protocol.endswith("SSL"):
        options["ssl_context"] = _ssl_context(kafka)
    if kafka.sasl_mechanism is not None and kafka.sasl_password_file is not None:
        options["sasl_mechanism"] = kafka.sasl_mechanism
        options["sasl_plain_username"] = kafka.sasl_username
        options["sasl_plain_password"] = _password(kafka.sasl_password_file)
    return options


def _ssl_context(kafka: KafkaSettings) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=kafka.ssl_cafile)
    except (OSError, ssl.SSLError) as failure:
        raise LoginwardError(
            f"kafka.ssl_cafile: {kafka.ssl_cafile}: {failure}; name a PEM file of certificates"
        ) from None
    if kafka.ssl_certfile is not None:
        try:
            context.load_cert_chain(kafka.ssl_certfile, kafka.ssl_keyfile)
        except (OSError, ssl.SSLError) as failure:
            raise LoginwardError(
                f"kafka.ssl_certfile: {kafka.ssl_certfile} with {kafka.ssl_keyfile}: {failure}; "
                "name a PEM certificate and its unencrypted key"
            ) from None
    return context


def _password(path: Path) -> str:
    try:
        text = path.read_text()[:_LONGEST_PASSWORD].rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as failure:
        raise LoginwardError(
            f"kafka.sasl_password_file: {path}: {failure}; it holds one line, the password"
        ) from None
    if not text:
        raise LoginwardError(f"kafka.sasl_password_file: {path}: is empty; write the password")
    return text


@contextmanager
def admin(kafka: KafkaSettings, patience: timedelta = _PATIENCE) -> Iterator[KafkaAdminClient]:
    """An admin client, closed at the end.

    Raises LoginwardError where no broker answers within `patience`, and for what a broker refuses.
    """
    wait = patience // _MILLISECOND
    try:
        client = KafkaAdminClient(
            **kafka_python_options(kafka), bootstrap_timeout_ms=wait, request_timeout_ms=wait
        )
    except KafkaError as failure:
        raise _unreachable(kafka, failure) from None
    try:
        yield client
    except KafkaError as failure:
        raise _unreachable(kafka, failure) from None
    finally:
        client.close()


def _unreachable(kafka: KafkaSettings, failure: KafkaError) -> LoginwardError:
    return LoginwardError(
        f"kafka.bootstrap: {kafka.bootstrap} ({kafka.security_protocol}): {failure}; "
        "start Kafka, or set KAFKA_BOOTSTRAP and the [kafka] section"
    )


def ensure_topics(kafka: KafkaSettings) -> list[str]:
    """Make the topics of our table that are missing; existing ones are left as they are.

    Returns the names made. Two processes may do it at once.
    """
    with admin(kafka) as client:
        there = set(client.list_topics())
        made: list[str] = []
        for name in TOPICS:
            full = topic_name(kafka, name)
            if full in there:
                continue
            wanted = {
                "num_partitions": kafka.partitions,
                "replication_factor": kafka.replication,
                "configs": topic_config(kafka, name),
            }
            try:
                client.create_topics({full: wanted})
            except TopicAlreadyExistsError:
                continue
            made.append(full)
        client.wait_for_topics([topic_name(kafka, name) for name in TOPICS])
    return made


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
    return drifts


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
                f"topic {name}: not on {kafka.bootstrap}; run `loginward doctor --mend`"
            )
    return {name: _as_kafka_writes(found[name]) for name in wanted}


def _as_kafka_writes(topic_id: UUID | str) -> str:
    return base64.urlsafe_b64encode(UUID(str(topic_id)).bytes).rstrip(b"=").decode()
