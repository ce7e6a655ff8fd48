"""`run notify` as a process on a real Kafka: told once, told of to Kafka, whatever is killed."""

from __future__ import annotations

import itertools
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from kafka import KafkaProducer

from config.kafka import ensure_topics, kafka_python_options, topic_name
from config.settings import load
from config.topics import TopicName
from detectors import verdicts as wire
from detectors.notices import NoticeStep, decode_step
from detectors.verdicts import Verdict
from notifier.contacts import ContactBook
from tests.checkout import ROOT
from tests.topics import everything

from .harness import EMAIL, NAMES, PHONE, TOKEN, TYPED, Clock, Harness, Providers, customer
from .harness import environment as notifier_environment

pytestmark = pytest.mark.long

PATIENCE = 100.0
_numbers = itertools.count(1)


def wait_until(true: Callable[[], bool], what: str) -> None:
    """Ask until `true`; fail with `what` was awaited after PATIENCE."""
    deadline = time.monotonic() + PATIENCE
    while not true():
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what}: not within {PATIENCE:.0f} s")
        time.sleep(0.05)


class Place:
    """Topics, ledger and processes of one test."""

    def __init__(self, bootstrap: str, home: Path, providers: Providers) -> None:
        self.environ = notifier_environment(
            home,
            providers,
            KAFKA_BOOTSTRAP=bootstrap,
            LOGINWARD_KAFKA_TOPIC_PREFIX=f"notify{next(_numbers)}-{os.getpid()}-",
            LOGINWARD_KAFKA_SESSION_TIMEOUT="6s",
            LOGINWARD_KAFKA_PARTITIONS="1",
            LOGINWARD_NOTIFIER_UNSEEN_AFTER="0s",
            # A busy machine is no slow provider; what a kill left in a call waits three of these.
            LOGINWARD_NOTIFIER_CALL_TIMEOUT="8s",
            LOGINWARD_METRICS_PORT="0",
        )
        self.home = home
        self.settings = load(environ=self.environ)
        ensure_topics(self.settings.kafka)
        notifier = self.settings.notifier
        book = ContactBook.open(notifier.contacts, notifier.contacts_key_file)
        book.replace([customer(number) for number in range(10)], NAMES)
        book.close()
        self.running: list[subprocess.Popen[bytes]] = []

    def send(self, *verdicts: Verdict) -> None:
        """Produce verdicts."""
        producer = KafkaProducer(**kafka_python_options(self.settings.kafka))
        for one in verdicts:
            producer.send(self._topic("verdicts"), wire.encode(one), key=one.account.encode())
        producer.flush()
        producer.close()

    def start(self, failpoints: str = "") -> subprocess.Popen[bytes]:
        """Start a notifier."""
        with (self.home / f"notifier-{len(self.running)}.log").open("wb") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "loginward_cli", "run", "notify"],
                cwd=ROOT,
                env=os.environ
                | self.environ
                | {"LOGINWARD_FAILPOINTS": failpoints, "PYTHONPATH": str(ROOT)},
                stdout=log,
                stderr=log,
            )
        self.running.append(process)
        return process

    def said(self, number: int, text: str) -> bool:
        """Whether the notifier with this number has logged `text`."""
        return text in (self.home / f"notifier-{number}.log").read_text()

    def steps(self) -> list[NoticeStep]:
        """Every record of `notices`."""
        return [decode_step(one.value) for one in everything(self.settings.kafka, "notices")]

    def _topic(self, name: TopicName) -> str:
        return topic_name(self.settings.kafka, name)


@pytest.fixture
def place(kafka_bootstrap: str, tmp_path: Path, providers: Providers) -> Iterator[Place]:
    """Give a place of the test's own; its notifiers end with it."""
    made = Place(kafka_bootstrap, tmp_path, providers)
    yield made
    for process in made.running:
        if process.poll() is None:
            process.kill()
            process.wait(PATIENCE)


def verdicts(count: int) -> list[Verdict]:
    """High verdicts of a minute ago, one a customer."""
    clock = Clock()
    return [
        Harness.verdict_at(clock.at, number + 1, who=number % 10, notice_risk="high")
        for number in range(count)
    ]


def test_verdicts_become_messages_and_records_and_nothing_personal_leaves(
    place: Place, providers: Providers
) -> None:
    """Ten takeovers: thirty messages, each step on `notices`; no contact in log or ledger."""
    process = place.start()
    place.send(*verdicts(10))

    wait_until(lambda: providers.sent() == {"app": 10, "sms": 10, "email": 10}, "thirty messages")
    process.send_signal(signal.SIGTERM)

    assert process.wait(PATIENCE) == 0
    steps = place.steps()
    accepted = {(step.notice_id, step.channel) for step in steps if step.state == "accepted"}
    assert len(accepted) == 30
    assert len({(step.notice_id, step.seq) for step in steps}) == len(steps)
    kept = [path.read_bytes() for path in place.home.rglob("*") if path.suffix in {".log", ".db"}]
    said = b"".join([*kept, *(repr(step).encode() for step in steps)])
    for planted in (PHONE, PHONE[1:], PHONE[4:], EMAIL, TOKEN, TYPED, "900000101"):
        assert planted.encode() not in said


@pytest.mark.parametrize(
    "step",
    ["notify.after_ledger", "notify.after_commit", "notify.before_delete", "notify.after_delete"],
)
def test_a_kill_between_ledger_and_kafka_loses_and_doubles_nothing(
    place: Place, providers: Providers, step: str
) -> None:
    """Killed around the commit and around the outbox: one notice a verdict, no step missing."""
    place.send(*verdicts(5))
    killed = place.start(f"{step}=kill")
    assert killed.wait(PATIENCE) == -signal.SIGKILL

    process = place.start()
    wait_until(lambda: place.said(1, "notifier started"), "the second notifier")
    wait_until(lambda: min(providers.sent().values()) >= 5, "every message")
    process.send_signal(signal.SIGTERM)
    assert process.wait(PATIENCE) == 0

    steps = place.steps()
    seqs: dict[str, set[int]] = {}
    for one in steps:
        seqs.setdefault(one.notice_id, set()).add(one.seq)
    assert len(seqs) == 5
    assert all(numbers == set(range(1, max(numbers) + 1)) for numbers in seqs.values())
    assert len({sms.text for sms in providers.twilio.sent}) == len(providers.twilio.sent) == 5
    assert len({push.tag for push in providers.fcm.sent}) == 5
