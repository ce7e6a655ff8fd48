"""Nothing is committed that was not done: exceptions, cancellation and signals in the agent."""

from __future__ import annotations

import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from kafka.admin import KafkaAdminClient

from tests.conftest import TopicFactory

from . import stock_worker
from .workers import Handled, Worker, committed, eventually, produce

Start = Callable[..., Worker]
ONE_BY_ONE: dict[str, Any] = {"options": {"batch_records": 5}}


@pytest.fixture
def topic(fresh_topic: TopicFactory, kafka_bootstrap: str) -> str:
    """Give a topic of one partition with 20 records in several frames."""
    topic = fresh_topic("logins", message_timestamp_type="LogAppendTime")
    produce(kafka_bootstrap, topic, [20], frame=5)
    return topic


def test_what_was_done_is_committed_within_a_second_or_two(
    start: Start, topic: str, group: str, kafka_admin: KafkaAdminClient
) -> None:
    """The periodic commit follows the marks without waiting for a shutdown."""
    worker = start(topic, **ONE_BY_ONE)
    worker.wait_for("handled 0 15 20")

    eventually(lambda: committed(kafka_admin, group, topic), {0: 20})
    assert worker.terminate() == 0


def test_an_exception_in_the_agent_ends_the_process_before_anything_more_is_committed(
    start: Start, topic: str, group: str, kafka_admin: KafkaAdminClient, tmp_path: Path
) -> None:
    """L1, L2: the failing batch and all after it are read again by the next worker."""
    worker = start(topic, raise_at=12, **ONE_BY_ONE)

    assert worker.exit_code() == 70
    assert committed(kafka_admin, group, topic).get(0, 0) <= 10
    assert "begin 0 15 20" not in worker.said
    follower = start(topic, **ONE_BY_ONE)
    follower.wait_for("handled 0 15 20")
    assert follower.terminate() == 0
    assert set(Handled(tmp_path / "journal").offsets(0)) == set(range(20))
    assert committed(kafka_admin, group, topic) == {0: 20}


def test_the_last_words_name_batch_and_place_but_never_a_customer(start: Start, topic: str) -> None:
    """An exit gives its reason in one line; a KeyError's text could be an account: left out."""
    worker = start(topic, raise_at=12, **ONE_BY_ONE)

    assert worker.exit_code() == 70
    (line,) = [text for text in worker.complaints().splitlines() if "CRITICAL" in text]
    assert f"{topic}[0] 10..14" in line
    assert "KeyError at transport/worker.py" in line
    assert "A123456789" not in worker.complaints()


def test_cancelled_at_any_await_the_process_ends_without_a_commit(
    start: Start, topic: str, group: str, kafka_admin: KafkaAdminClient
) -> None:
    """L9: there is no await in a batch at which a cancellation passes for done."""
    groups = [f"{group}-{awaits}" for awaits in range(5)]
    workers = [
        start(topic, group=name, cancel_at=12, awaits=awaits, **ONE_BY_ONE)
        for awaits, name in enumerate(groups)
    ]

    for name, worker in zip(groups, workers, strict=True):
        assert worker.exit_code() == 70
        assert "CancelledError" in worker.complaints()
        assert committed(kafka_admin, name, topic).get(0, 0) <= 10


def test_stopping_the_agent_in_the_middle_of_a_batch_ends_the_process_without_a_commit(
    start: Start, topic: str, group: str, kafka_admin: KafkaAdminClient
) -> None:
    """L9: Faust's own way to stop an agent is a cancellation like any other."""
    worker = start(topic, stop_agent_at=12, **ONE_BY_ONE)

    assert worker.exit_code() == 70
    assert committed(kafka_admin, group, topic).get(0, 0) <= 10


def test_sigterm_between_batches_is_clean(
    start: Start, topic: str, group: str, kafka_admin: KafkaAdminClient
) -> None:
    """An idle worker told to stop commits what is done and exits 0, also with no log line left."""
    worker = start(topic, spans={"commit_interval": 3600}, **ONE_BY_ONE)
    worker.wait_for("handled 0 15 20")

    assert worker.terminate() == 0
    assert committed(kafka_admin, group, topic) == {0: 20}


def test_sigterm_during_a_batch_lets_it_finish_and_commits_it(
    start: Start, topic: str, group: str, kafka_admin: KafkaAdminClient, tmp_path: Path
) -> None:
    """The batch in work is finished within the grace time, those behind it are left alone."""
    worker = start(topic, slow_s=0.7, **ONE_BY_ONE)
    worker.wait_for("begin 0 0 5")

    assert worker.terminate() == 0
    assert Handled(tmp_path / "journal").below(0) == 5
    assert committed(kafka_admin, group, topic) == {0: 5}


def test_sigterm_during_a_batch_that_hangs_exits_70_without_committing_it(
    start: Start, topic: str, group: str, kafka_admin: KafkaAdminClient
) -> None:
    """After the grace time the process ends; what was done before is committed, the rest not, and
    the group knows that it is gone.
    """
    worker = start(
        topic, hang_at=12, spans={"stop_grace": 0.5, "commit_interval": 3600}, **ONE_BY_ONE
    )
    worker.wait_for("hanging")

    assert worker.terminate() == 70
    assert committed(kafka_admin, group, topic) == {0: 10}
    assert kafka_admin.describe_groups([group])[group]["members"] == []
    assert "still at work on" in worker.complaints()


def test_an_agent_that_does_not_use_run_batches_cannot_lose_a_batch_either(
    start: Start, topic: str, group: str, kafka_admin: KafkaAdminClient
) -> None:
    """Faust's ack of a batch that was not done gives the agent away: exit 70, no commit."""
    worker = start(topic, main=stock_worker.main, transport="careless", raise_at=7)

    assert worker.exit_code() == 70
    assert "the agent moved on from <Batch" in worker.complaints()
    assert committed(kafka_admin, group, topic).get(0, 0) <= 5


def test_an_agent_that_takes_no_batch_at_all_ends_the_process(start: Start, topic: str) -> None:
    """L6: an agent that has ended or stands still is detection off, so it must not go unnoticed."""
    worker = start(topic, main=stock_worker.main, transport="careless", asleep=True)

    assert worker.exit_code() == 70
    assert "batches wait and no agent took one in 0:00:01" in worker.complaints()


def test_a_shutdown_that_hangs_is_ended_from_outside(
    start: Start, topic: str, group: str, kafka_admin: KafkaAdminClient
) -> None:
    """A service that never stops cannot keep the partitions: the watchdog exits 70 in its time."""
    spans = {"stop_grace": 0.5, "exit_grace": 0.5}
    worker = start(topic, hang_at_stop=True, spans=spans, **ONE_BY_ONE)
    worker.wait_for("handled 0 15 20")

    assert worker.terminate() == 70
    assert "stopping took longer than 0:00:01" in worker.complaints()
    assert committed(kafka_admin, group, topic) == {0: 20}


def test_a_second_sigterm_changes_nothing(start: Start, topic: str) -> None:
    """An impatient supervisor does not break the clean end."""
    worker = start(topic, slow_s=0.7, **ONE_BY_ONE)
    worker.wait_for("begin 0 0 5")
    worker.signal(signal.SIGTERM)

    assert worker.terminate() == 0


def test_a_kill_loses_no_record(
    start: Start, topic: str, group: str, kafka_admin: KafkaAdminClient, tmp_path: Path
) -> None:
    """After kill -9 in the middle of a batch the next worker starts at the last commit."""
    worker = start(topic, hang_at=12)
    worker.wait_for("hanging")
    worker.kill()

    follower = start(topic, **ONE_BY_ONE)
    follower.wait_for("handled 0 15 20")
    assert follower.terminate() == 0
    assert set(Handled(tmp_path / "journal").offsets(0)) == set(range(20))
