"""Our topics on a real broker: made once, compared, mended, known by id; TLS and passwords."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from time import monotonic, sleep

import pytest
from kafka import KafkaConsumer, KafkaProducer
from kafka.admin import ConfigResource, ConfigResourceType

from config.kafka import (
    TOPICS,
    Drift,
    admin,
    aiokafka_options,
    ensure_topics,
    kafka_python_options,
    mend_topics,
    topic_drift,
    topic_ids,
)
from config.sections import KafkaSettings
from config.settings import load
from deploy.embedded import Stack
from detectors.errors import LoginwardError


def _kafka(bootstrap: str, **environ: str) -> KafkaSettings:
    named = {f"LOGINWARD_KAFKA_{key.upper()}": value for key, value in environ.items()}
    return load(environ={"KAFKA_BOOTSTRAP": bootstrap} | named).kafka


def _heard(true: Callable[[], bool]) -> None:
    """Return once the broker has heard from its controller what was changed there."""
    deadline = monotonic() + 60
    while not true():
        assert monotonic() < deadline
        sleep(0.05)


def test_topics_are_made_once_and_as_the_table_says(kafka_bootstrap: str) -> None:
    """The first call makes all topics, the second none, and the broker's settings are ours."""
    kafka = _kafka(kafka_bootstrap, topic_prefix="once.")
    missing = topic_drift(kafka)

    first, second = ensure_topics(kafka), ensure_topics(kafka)

    assert {drift.setting for drift in missing} == {"exists"}
    assert first == [f"once.{name}" for name in TOPICS]
    assert second == []
    assert topic_drift(kafka) == []


def test_each_topic_is_made_by_one_of_many(kafka_bootstrap: str) -> None:
    """Workers that start at once neither fail nor both claim to have made a topic."""
    kafka = _kafka(kafka_bootstrap, topic_prefix="race.")

    with ThreadPoolExecutor(4) as pool:
        made = [name for names in pool.map(ensure_topics, [kafka] * 4) for name in names]

    assert sorted(made) == sorted(f"race.{name}" for name in TOPICS)


def test_differences_are_found_and_mended(kafka_bootstrap: str) -> None:
    """A changed retention is set; another number of partitions is only told, never forced."""
    ensure_topics(_kafka(kafka_bootstrap, topic_prefix="mend."))
    changed = _kafka(kafka_bootstrap, topic_prefix="mend.", retention="14d", partitions="6")
    found = topic_drift(changed)

    left = mend_topics(changed)

    ours = Drift(
        topic="mend.logins", setting="retention.ms", wanted="1209600000", found="604800000"
    )
    assert ours in found
    assert {drift.setting for drift in left} == {"partitions"}
    assert len(left) == len(TOPICS)


def test_a_strangers_setting_is_found(kafka_bootstrap: str) -> None:
    """Whoever changes `logins` to the producers' clock is noticed."""
    kafka = _kafka(kafka_bootstrap, topic_prefix="strange.")
    ensure_topics(kafka)
    with admin(kafka) as client:
        change = {"message.timestamp.type": "CreateTime"}
        client.alter_configs([ConfigResource(ConfigResourceType.TOPIC, "strange.logins", change)])
        _heard(lambda: topic_drift(kafka) != [])

    assert topic_drift(kafka) == [
        Drift(
            topic="strange.logins",
            setting="message.timestamp.type",
            wanted="LogAppendTime",
            found="CreateTime",
        )
    ]


def test_a_topic_made_anew_has_another_id(kafka_bootstrap: str) -> None:
    """Offsets of a deleted topic are never taken for those of its successor."""
    kafka = _kafka(kafka_bootstrap, topic_prefix="anew.")
    ensure_topics(kafka)
    before = topic_ids(kafka, ["anew.logins", "anew.judged"])
    with admin(kafka) as client:
        client.delete_topics(["anew.logins"])
        _heard(lambda: "anew.logins" not in client.list_topics())
    ensure_topics(kafka)

    after = topic_ids(kafka, ["anew.logins", "anew.judged"])

    assert after["anew.judged"] == before["anew.judged"]
    assert after["anew.logins"] != before["anew.logins"]
    assert all(len(topic_id) == 22 for topic_id in after.values())


def test_what_the_broker_refuses_is_told(kafka_bootstrap: str) -> None:
    """Too many copies, a missing topic and a dead address each get one sentence with a way out."""
    greedy = _kafka(kafka_bootstrap, topic_prefix="greedy.", replication="3")
    dead = _kafka("127.0.0.1:1")

    with pytest.raises(LoginwardError, match=r"greedy\.logins: 4 partitions, 3 copies: .*change"):
        ensure_topics(greedy)
    with pytest.raises(LoginwardError, match="topic absent: not on 127"):
        topic_ids(greedy, ["absent"])
    with (
        pytest.raises(LoginwardError, match=r"127\.0\.0\.1:1 \(PLAINTEXT\): no answer"),
        admin(dead, patience=timedelta(milliseconds=200)),
    ):
        pass


def test_tls_and_password_reach_the_broker(
    stack_factory: Callable[..., Stack], tmp_path: Path
) -> None:
    """With SASL_SSL settings our options write and read; a wrong password is told, not shown."""
    stack = stack_factory(valkey=False, listeners="SASL_SSL")
    stack.up()
    kafka = load(environ=stack.endpoints.environ()).kafka
    wrong = tmp_path / "wrong"
    wrong.write_text("hush\n")
    refused = load(
        environ=stack.endpoints.environ() | {"LOGINWARD_KAFKA_SASL_PASSWORD_FILE": str(wrong)}
    ).kafka

    ensure_topics(kafka)
    with KafkaProducer(**kafka_python_options(kafka)) as producer:
        producer.send("logins", b"{}").get(timeout=60)
    consumer = KafkaConsumer(
        "logins",
        auto_offset_reset="earliest",
        consumer_timeout_ms=60_000,
        **kafka_python_options(kafka),
    )
    record = next(consumer)
    consumer.close()

    assert record.value == b"{}"
    assert record.timestamp_type == 1  # LogAppendTime
    with (
        pytest.raises(LoginwardError, match=r"SASL_SSL") as caught,
        admin(refused, patience=timedelta(seconds=2)),
    ):
        pass
    assert "hush" not in str(caught.value)


@pytest.mark.parametrize(
    ("setting", "content", "told"),
    [
        ("SSL_CAFILE", b"no pem", "kafka.ssl_cafile"),
        ("SASL_PASSWORD_FILE", b"", "kafka.sasl_password_file"),
        ("SASL_PASSWORD_FILE", b"a\nb\n", "kafka.sasl_password_file"),
        ("SASL_PASSWORD_FILE", b"\xff", "kafka.sasl_password_file"),
        ("SSL_CERTFILE", b"no pem", "kafka.ssl_certfile"),
    ],
)
def test_a_wrong_secret_file_is_told_before_connecting(
    tmp_path: Path, setting: str, content: bytes, told: str
) -> None:
    """The message names the setting and the file, so that nobody reads a TLS trace for it."""
    good, bad = tmp_path / "good", tmp_path / "bad"
    good.write_text("secret")
    bad.write_bytes(content)
    files = {"SASL_PASSWORD_FILE": str(good), "SSL_KEYFILE": str(good), "SSL_CERTFILE": str(good)}
    if setting != "SSL_CERTFILE":
        del files["SSL_KEYFILE"], files["SSL_CERTFILE"]
    kafka = _kafka(
        "127.0.0.1:1",
        security_protocol="SASL_SSL",
        sasl_mechanism="PLAIN",
        sasl_username="u",
        **(files | {setting: str(bad)}),
    )

    with pytest.raises(LoginwardError, match=told) as caught:
        aiokafka_options(kafka)

    assert str(bad) in str(caught.value)
