"""Whether Kafka answers, has our topics as our table says, and enough brokers."""

from __future__ import annotations

from collections.abc import Iterator

from config.kafka import Drift, ask, topic_drift
from config.sections import KafkaSettings
from detectors.errors import LoginwardError

from .check import Check, Visit, finding, ok, skipped

_ENOUGH_BROKERS = 3


def kafka(visit: Visit) -> Iterator[Check]:
    """Reachable, brokers, topics."""
    settings = visit.settings.kafka
    try:
        cluster = ask(settings, lambda client: client.describe_cluster(), visit.patience)
        brokers = len(cluster["brokers"])
        drifts = topic_drift(settings)
    except LoginwardError as failure:
        yield finding("kafka", str(failure), "config/default.toml explains each key of [kafka]")
        yield skipped("kafka.topics", "Kafka does not answer")
        return
    yield ok("kafka", f"{settings.bootstrap}: {brokers} broker{'s' * (brokers != 1)}")
    yield copies(settings, brokers)
    if not drifts:
        yield ok("kafka.topics", "all topics are there, as they should be")
    for drift in drifts:
        yield _drift(drift)


def copies(settings: KafkaSettings, brokers: int) -> Check:
    """Whether the copies of each record use the brokers that are there."""
    if brokers >= _ENOUGH_BROKERS > settings.replication:
        return finding(
            "kafka.replication",
            f"{settings.replication} cop{'y' if settings.replication == 1 else 'ies'} on "
            f"{brokers} brokers: one broker's disk takes logins with it",
            "set replication = 3 under [kafka] and reassign the topics",
        )
    return ok("kafka.replication", f"{settings.replication} of each record on {brokers}")


def _drift(drift: Drift) -> Check:
    if drift.setting == "exists":
        return finding("kafka.topics", f"{drift.topic}: not there", "./loginward doctor --mend")
    if drift.setting == "partitions":
        return finding(
            "kafka.topics",
            f"{drift.topic}: {drift.found} partitions, wanted {drift.wanted}",
            "set kafka.partitions to what is there: adding some moves keys and their order",
        )
    return finding(
        "kafka.topics",
        f"{drift.topic}: {drift.setting} is {drift.found}, wanted {drift.wanted}",
        "./loginward doctor --mend",
    )
