"""What a test sees and says of a running installation."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import msgspec
from kafka import KafkaProducer

from archive.keys import ensure_keys
from archive.read import read_records, segments
from config.kafka import kafka_python_options, topic_name
from config.settings import Settings, load
from config.topics import TopicName
from detectors import wire
from detectors.events import LoginEvent
from notifier.contacts import Person
from notifier.ledger_records import Language
from tests.builders import NAMES
from tests.notifier.firm import Firm
from tests.notifier.harness import Providers
from tests.topics import everything

SECRET = "s3cret-of-the-firm"
VICTIMS = tuple(f"M0MARKED{number:02d}" for number in range(10))
"""Accounts that stand nowhere else, so that a search for them means something."""
PHONES = tuple(f"+88690000070{number}" for number in range(10))
MAILS = tuple(f"marked{number}@victims.example" for number in range(10))
ENGLISH = 1
"""The victim who reads English; the others read Chinese."""
PATIENCE_S = 120.0
T = TypeVar("T")


def _language(number: int) -> Language:
    return "en" if number == ENGLISH else "zh-TW"


PERSONS = [
    Person(
        customer=f"MARKED-{number}",
        accounts=[VICTIMS[number]],
        language=_language(number),
        phone=PHONES[number],
        email=MAILS[number],
        push_tokens=[f"marked-token-{number}"],
    )
    for number in range(10)
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Installation:
    """Every part of the pipeline, its providers, the firm's hook and the SOC's endpoint."""

    folder: Path
    environ: dict[str, str]
    providers: Providers
    firm: Firm
    soc: Firm
    metrics: dict[str, int] = field(default_factory=dict)
    """Where each part answers Prometheus."""

    @property
    def settings(self) -> Settings:
        """What every part reads."""
        return load(environ=self.environ)

    def send(self, events: Sequence[LoginEvent]) -> None:
        """Logins into Kafka, each account in one partition; delivered when this returns."""
        kafka = self.settings.kafka
        topic = topic_name(kafka, "logins")
        # No event loop: the browser's own runs in this thread.
        with KafkaProducer(**kafka_python_options(kafka)) as producer:
            for event in events:
                key = NAMES.account(event.account or "").encode()
                producer.send(topic, wire.encode(event), key=key)
            producer.flush(PATIENCE_S)

    def judged(self) -> int:
        """How many logins are judged, by what `judged` says."""
        return sum(int(msgspec.json.decode(raw)["judged"]) for raw in self.topic("judged"))

    def wait_for_calls(self, number: int) -> None:
        """Wait until the firm's hook was called so often."""
        until(lambda: len(self.firm.calls) >= number, "the firm's hook")

    def topic(self, name: TopicName) -> list[bytes]:
        """What stands in a topic now."""
        return [record.value for record in everything(self.settings.kafka, name)]

    def archived(self, name: TopicName) -> list[bytes]:
        """What is sealed of a topic of records."""
        settings = self.settings
        if not settings.archive.key_file.exists():
            return []
        keys = ensure_keys(settings.archive.key_file, settings.archive.directory)
        found = read_records(settings.archive.directory, name, keys)
        return [record.value or b"" for _, record in found]

    def archived_logins(self) -> int:
        """How many logins are sealed."""
        folder = self.settings.archive.directory
        return sum(seal.rows for _, seal in segments(folder, "logins"))


def until(look: Callable[[], T], what: str) -> T:
    """What `look` gives as soon as it is anything; fails with `what` after two minutes."""
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        found = look()
        if found:
            return found
        time.sleep(0.05)
    raise AssertionError(f"{what}: not within {PATIENCE_S:.0f} s")
