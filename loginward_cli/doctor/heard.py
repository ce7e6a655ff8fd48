"""Who is heard in `logins`, who should be, and which facts the events carry."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta, timezone
from time import monotonic

from kafka import KafkaConsumer, TopicPartition
from kafka.errors import KafkaError

from config.errors import SettingsError
from config.kafka import ask, kafka_python_options, topic_name
from config.sections import KafkaSettings
from config.systems import Register, load_systems
from detectors.errors import LoginwardError, Rejected, escaped
from detectors.wire import decode

from .check import Check, Visit, finding, note, ok, skipped

_SAMPLE = 1_000
"""Last records of each partition that are read: enough to meet every busy system."""
_DEADLINE_S = 15.0
_MOST_NAMED = 20
_TAIPEI = timezone(timedelta(hours=8))
_FACTS = ("account_class", "origin", "device_id", "fingerprint", "mfa")
"""Where one of these is absent and no look-up tells, conditions that need it are off."""


@dataclass(slots=True)
class Sample:
    """What the last records say: events by system, facts carried, records that are none."""

    systems: Counter[str] = field(default_factory=Counter)
    facts: Counter[str] = field(default_factory=Counter)
    rejected: int = 0

    def take(self, raw: bytes | None) -> None:
        """Count one record."""
        try:
            event = decode(raw)
        except Rejected:
            self.rejected += 1
            return
        self.systems[event.system] += 1
        self.facts.update(fact for fact in _FACTS if getattr(event, fact) is not None)


def heard(visit: Visit) -> Iterator[Check]:
    """The register against the last records of `logins`."""
    try:
        register = load_systems(visit.settings.files.systems)
    except SettingsError as failure:
        for problem in failure.problems:
            yield finding("systems", str(problem), "correct the register of core systems")
        return
    today = visit.now.astimezone(_TAIPEI).date()
    yield ok("systems", f"{len(register.serving(today))} core systems are registered as serving")
    try:
        sample = read_sample(visit.settings.kafka, visit.patience)
    except (KafkaError, LoginwardError) as failure:
        yield skipped("systems.heard", f"`logins` cannot be read: {escaped(str(failure), 300)}")
        return
    yield from _systems(register, sample, today)
    yield from _rejected(sample)
    yield from _facts(sample)


def read_sample(kafka: KafkaSettings, patience: timedelta) -> Sample:
    """The last records of each partition of `logins`, at most 1,000 each, within 15 seconds.

    Joins no consumer group and commits nothing. Raises KafkaError or LoginwardError.
    """
    name = topic_name(kafka, "logins")
    # Asked first, since a consumer awaits a dead broker for half a minute whatever it is told.
    (topic,) = ask(kafka, lambda client: client.describe_topics([name]), patience)
    partitions = [
        TopicPartition(name, partition["partition_index"]) for partition in topic["partitions"]
    ]
    sample = Sample()
    consumer = KafkaConsumer(**kafka_python_options(kafka), group_id=None, enable_auto_commit=False)
    try:
        consumer.assign(partitions)
        _read(consumer, partitions, sample)
    finally:
        consumer.close()
    return sample


def _read(consumer: KafkaConsumer, partitions: list[TopicPartition], sample: Sample) -> None:
    if not partitions:
        return
    ends: dict[TopicPartition, int] = consumer.end_offsets(partitions)
    starts: dict[TopicPartition, int] = consumer.beginning_offsets(partitions)
    for partition in partitions:
        consumer.seek(partition, max(starts[partition], ends[partition] - _SAMPLE))
    deadline = monotonic() + _DEADLINE_S
    while monotonic() < deadline:
        if all(consumer.position(partition) >= ends[partition] for partition in partitions):
            return
        for records in consumer.poll(timeout_ms=500).values():
            for record in records:
                sample.take(record.value)


def _systems(register: Register, sample: Sample, today: date) -> Iterator[Check]:
    if not sample.systems:
        yield finding(
            "systems.heard",
            "no login event in `logins`",
            "connect a source (`loginward ingest --help`), or try `loginward demo`",
        )
        return
    for system in register.serving(today):
        if system.name not in sample.systems:
            yield finding(
                "systems.silent",
                f"{system.name} ({system.owner}): not among the last records of `logins`",
                "ask its owner, or end its entry in the register (until = ...)",
            )
    for name in register.unregistered(sample.systems, today)[:_MOST_NAMED]:
        yield finding(
            "systems.unregistered",
            f"{escaped(name)}: heard, judged and archived, but not registered",
            "add a [[system]] to the register, so that its silence is noticed",
        )


def _rejected(sample: Sample) -> Iterator[Check]:
    if sample.rejected:
        read = sample.rejected + sample.systems.total()
        yield finding(
            "logins.rejected",
            f"{sample.rejected} of the last {read} records are no login events",
            "`loginward rejects list` says why",
        )


def _facts(sample: Sample) -> Iterator[Check]:
    events = sample.systems.total()
    missing = [fact for fact in _FACTS if events and not sample.facts[fact]]
    if missing:
        yield note(
            "facts",
            f"no recent event carries {', '.join(missing)}: what needs it is off, unless the "
            "directory of customers or the geo data tells",
        )


def utc_now() -> datetime:
    """The one clock of the doctor."""
    return datetime.now(tz=UTC)
