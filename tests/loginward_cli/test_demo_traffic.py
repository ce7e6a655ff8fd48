"""The demo's traffic: customers all along, an attack in waves, everything acknowledged."""

from __future__ import annotations

import itertools
import time
from dataclasses import replace
from datetime import timedelta

import pytest
from kafka import KafkaConsumer, TopicPartition

from config.kafka import ensure_topics, kafka_python_options, topic_name
from config.settings import KafkaSettings, load
from detectors.errors import LoginwardError
from detectors.pseudonyms import Pseudonyms
from loadtest.profile import parse
from loginward_cli.demo import traffic as module
from loginward_cli.demo.traffic import Plan, Traffic

_numbers = itertools.count(1)
NAMES = Pseudonyms(bytes(32))


@pytest.fixture
def kafka(kafka_bootstrap: str) -> KafkaSettings:
    """Settings with topics of this test's own."""
    prefix = f"traffic{next(_numbers)}."
    kafka = replace(load(environ={}).kafka, bootstrap=kafka_bootstrap, topic_prefix=prefix)
    ensure_topics(kafka)
    return kafka


def in_kafka(kafka: KafkaSettings) -> int:
    """How many records `logins` has."""
    places = [TopicPartition(topic_name(kafka, "logins"), n) for n in range(kafka.partitions)]
    consumer = KafkaConsumer(**kafka_python_options(kafka))
    try:
        return sum(consumer.end_offsets(places).values())
    finally:
        consumer.close()


def plan(profile: str, *, waves: bool = False) -> Plan:
    """Half a minute, the attack at once."""
    return Plan(shares=parse(profile), seconds=30, attack_after=0, waves=waves)


def until(traffic: Traffic, waves: int) -> None:
    """Return when so many waves have begun."""
    deadline = time.monotonic() + 120
    while traffic.sent.waves < waves:
        traffic.check()
        assert time.monotonic() < deadline, traffic.sent
        time.sleep(0.02)


def test_waves_come_until_it_is_stopped_and_all_of_it_is_acknowledged(
    kafka: KafkaSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Wave follows wave, each from more addresses; after `stop` Kafka has what was counted."""
    monkeypatch.setattr(module, "WAVE", timedelta(seconds=1))
    monkeypatch.setattr(module, "PAUSE", timedelta(seconds=0.2))
    traffic = Traffic(plan("A+G", waves=True), kafka, NAMES)
    began_ms = int(time.time() * 1000)
    traffic.start()
    traffic.attack()
    try:
        until(traffic, 3)
    finally:
        traffic.stop()

    traffic.check()
    assert in_kafka(kafka) == traffic.sent.records > 40
    assert traffic.sent.attackers
    assert began_ms <= traffic.sent.attack_ms <= int(time.time() * 1000)


def test_no_attack_comes_before_it_is_called_for(kafka: KafkaSettings) -> None:
    """The pipeline must be ready first, or its delay would count as its slowness."""
    traffic = Traffic(plan("A"), kafka, NAMES)
    traffic.start()

    traffic.stop()

    assert (traffic.sent.records, traffic.sent.waves) == (0, 0)


def test_traffic_that_cannot_be_sent_is_told(kafka: KafkaSettings) -> None:
    """A failure in the thread reaches whoever asks, with its sentence."""
    traffic = Traffic(plan("G"), replace(kafka, bootstrap="127.0.0.1:1"), NAMES)
    traffic.start()

    with pytest.raises(LoginwardError, match=r"simulated traffic: Kafka at 127\.0\.0\.1:1"):
        until(traffic, 1)
    traffic.stop()
