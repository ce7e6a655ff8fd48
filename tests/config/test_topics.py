"""The table of topics keeps what DESIGN and retention promise."""

from __future__ import annotations

import pytest

from config.sections import KafkaSettings
from config.settings import load
from config.topics import TOPICS, group_name, topic_config, topic_name


def _kafka(**environ: str) -> KafkaSettings:
    return load(environ={f"LOGINWARD_KAFKA_{key}": value for key, value in environ.items()}).kafka


def test_logins_are_kept_by_the_brokers_clock() -> None:
    """A wrong date in an event neither hides it from the pipeline nor keeps it for ever."""
    config = topic_config(_kafka(RETENTION="14d"), "logins")

    assert config["message.timestamp.type"] == "LogAppendTime"
    assert config["retention.ms"] == str(14 * 86_400_000)
    assert config["cleanup.policy"] == "delete"
    assert config["segment.ms"] == str(86_400_000)


def test_states_are_compacted_and_have_no_age() -> None:
    """Alerts and incidents keep the last revision of each id for ever."""
    compacted = {name for name, topic in TOPICS.items() if topic.compacted}

    assert compacted == {"alerts", "incidents"}
    assert "retention.ms" not in topic_config(_kafka(), "alerts")


@pytest.mark.parametrize(("copies", "in_sync"), [("1", "1"), ("2", "1"), ("3", "2")])
def test_three_copies_mean_two_written(copies: str, in_sync: str) -> None:
    """With three copies a record counts as written once two brokers have it."""
    config = topic_config(_kafka(REPLICATION=copies), "logins")

    assert config["min.insync.replicas"] == in_sync


def test_a_prefix_keeps_two_installations_apart() -> None:
    """Names of topics and groups both carry it."""
    kafka = _kafka(TOPIC_PREFIX="blue.")

    assert topic_name(kafka, "logins.rejected") == "blue.logins.rejected"
    assert group_name(kafka, "detect") == "blue.loginward-detect"
